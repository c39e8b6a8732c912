"""What a workflow was: every version, what led there, and going back."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from random import Random

import pytest

from db import journal
from db.database import Connection
from db.retention import Retention
from db.workflows import Role
from merge import apply, changes, values
from merge.changes import Change
from resolvers import documents, errors, history, inputs, subscriptions, sync, workflows
from resolvers.context import Context
from resolvers.saves import Reason, Save, Status
from tests import documents as examples
from tests.documents import Document
from tests.resolvers import stores

FIRST: Document = {"blocks": {"a": {"x": 1}}, "edges": []}  # what `workflow` is at version 1
EMPTY: Document = {"blocks": {}, "edges": []}


def document(n: int) -> Document:
    return {"blocks": {"a": {"x": n}}, "edges": []}


async def grow(context: Context, versions: int) -> None:
    """Save until so many versions are there, each with its number in it."""
    for n in range(2, versions + 1):
        answer = await sync.sync(context, Save("w", document(n), base_version=n - 1, client_id="tab"))
        assert answer.version == n


@pytest.fixture
async def history_of_120(owner: Context, workflow: str) -> str:
    """A workflow with 120 versions, which are two checkpoints and more."""
    await grow(owner, 120)
    await stores.keep(owner, 50, 100)
    return workflow


# Every version


@pytest.mark.usefixtures("history_of_120")
async def test_every_version_can_be_read_across_checkpoints(viewer: Context) -> None:
    for n in range(1, 121):
        assert await history.state(viewer, "w", n) == document(n)
    assert await history.state(viewer, "w", 0) == {}


@pytest.mark.usefixtures("history_of_120")
async def test_every_version_can_be_read_as_text(viewer: Context) -> None:
    for n in (1, 49, 50, 119, 120):
        text = await history.text(viewer, "w", n)
        assert values.parse(text.data) == await history.state(viewer, "w", n)


async def test_long_numbers_are_read_as_they_were_sent(owner: Context) -> None:
    await sync.sync(owner, Save("w", {"n": [1e308, 1e21, 5e-324, 2**64 - 1, 1.0], "zeros": "0" * 40}))
    assert b"[1e+308,1e+21,5e-324,18446744073709551615,1.0]" in (await history.text(owner, "w", 1)).data


@pytest.mark.usefixtures("history_of_120")
async def test_a_version_tells_who_saved_it_when_and_why(owner: Context, viewer: Context) -> None:
    head = await workflows.visible(viewer, "w")
    entry = await history.version(viewer, head, 120)
    assert entry is not None
    assert (entry.version, entry.saved_by, entry.client_id, entry.reason) == (120, "owner", "tab", "MANUAL")
    assert entry.saved_at == (await workflows.visible(owner, "w")).saved_at
    assert documents.changes_of(entry) == [Change(("blocks", "a", "x"), value=120, before=119)]


@pytest.mark.usefixtures("workflow")
@pytest.mark.parametrize("number", [-1, 0, 2, 2**31 - 1, 2**40])
async def test_there_is_no_version_outside_the_history(owner: Context, number: int) -> None:
    assert await history.version(owner, await workflows.visible(owner, "w"), number) is None


async def test_every_version_of_real_editing_can_be_read(owner: Context) -> None:
    """A long random walk over documents of every shape, whose journal is folded from any checkpoint."""
    random = Random(7)
    made = [shape(random.randint(1, 4), seed=seed) for seed in range(20) for shape in examples.SHAPES.values()]
    walk = [random.choice(made) for _ in range(70)]
    stored: list[Document] = []
    for state in walk:
        answer = await sync.sync(owner, Save("w", state, allow_empty=True))
        stored += [state] if answer.status in {Status.CREATED, Status.SAVED} else []
    for version, state in enumerate(stored, start=1):
        assert values.equal(await history.state(owner, "w", version), state)


# Pages


@pytest.mark.usefixtures("history_of_120")
async def test_versions_are_listed_newest_first_page_by_page(viewer: Context) -> None:
    head = await workflows.visible(viewer, "w")
    listed: list[int] = []
    before, pages = None, 0
    while True:
        page = await history.versions(viewer, head, first=50, before=before)
        listed += [entry.version for entry in page.entries]
        pages += 1
        if not page.has_next:
            break
        before = listed[-1]
    assert listed == list(range(120, 0, -1))
    assert pages == 3


@pytest.mark.usefixtures("history_of_120")
async def test_a_page_has_twenty_versions_unless_another_number_is_wanted(viewer: Context) -> None:
    head = await workflows.visible(viewer, "w")
    assert len((await history.versions(viewer, head, first=None, before=None)).entries) == 20
    assert len((await history.versions(viewer, head, first=100, before=None)).entries) == 100
    for first in (0, -1, inputs.PAGE_ITEMS + 1):
        with pytest.raises(errors.BadUserInputError):
            await history.versions(viewer, head, first=first, before=None)


@pytest.mark.usefixtures("workflow")
async def test_pages_end_where_the_history_does(owner: Context) -> None:
    await grow(owner, 3)
    head = await workflows.visible(owner, "w")
    for before, versions in ((None, [3, 2, 1]), (2**70, [3, 2, 1]), (4, [3, 2, 1]), (2, [1]), (1, []), (-(2**70), [])):
        page = await history.versions(owner, head, first=3, before=before)
        assert ([entry.version for entry in page.entries], page.has_next) == (versions, False)


@pytest.mark.usefixtures("workflow")
async def test_saves_that_come_meanwhile_do_not_shift_the_pages(owner: Context) -> None:
    await grow(owner, 5)
    head = await workflows.visible(owner, "w")
    first = await history.versions(owner, head, first=2, before=None)
    await sync.sync(owner, Save("w", document(6), base_version=5))
    second = await history.versions(owner, head, first=2, before=4)
    assert [entry.version for entry in (*first.entries, *second.entries)] == [5, 4, 3, 2]
    assert [entry.version for entry in (await history.versions(owner, head, first=2, before=None)).entries] == [5, 4]


# Differences


@pytest.mark.usefixtures("history_of_120")
async def test_differences_lead_from_any_version_to_any_other(viewer: Context) -> None:
    head = await workflows.visible(viewer, "w")
    random = Random(3)
    for _ in range(30):
        start, end = random.randint(0, 120), random.randint(1, 120)
        difference = await history.difference(viewer, head, start, end)
        before = await history.state(viewer, "w", start)
        assert apply.apply(before, difference) == document(end)
        assert len(difference) == (0 if start == end else 1 if start else 2)
    assert await history.difference(viewer, head, 119, None) == [Change(("blocks", "a", "x"), value=120, before=119)]
    assert apply.apply(document(5), await history.difference(viewer, head, 5, 0)) == {}


@pytest.mark.usefixtures("workflow")
@pytest.mark.parametrize(("start", "end"), [(-1, None), (2, None), (1, 2), (1, -1), (2**40, 1)])
async def test_differences_stay_within_the_history(owner: Context, start: int, end: int | None) -> None:
    with pytest.raises(errors.BadUserInputError, match="0 to 1"):
        await history.difference(owner, await workflows.visible(owner, "w"), start, end)


# Going back


async def test_a_restored_version_is_a_new_one_on_top(owner: Context, history_of_120: str) -> None:
    answer = await history.restore(owner, history_of_120, 30, "tab")
    assert (answer.status, answer.version, answer.replayed) == (Status.SAVED, 121, False)
    assert answer.head == await workflows.visible(owner, history_of_120)
    assert await stores.document(owner) == document(30)
    assert await history.state(owner, "w", 120) == document(120)
    entry = await history.version(owner, answer.head, 121)
    assert entry is not None
    assert (entry.reason, entry.client_id, entry.saved_by) == (Reason.RESTORE, "tab", "owner")


async def test_a_restore_answers_what_leads_there_from_what_stood(owner: Context, workflow: str) -> None:
    """Whoever restores sends no document; it holds what stood before."""
    await grow(owner, 3)
    answer = await history.restore(owner, workflow, 1, None)
    assert answer.changes == (Change(("blocks", "a", "x"), value=1, before=3),)
    assert changes.inverse(answer.changes) == [Change(("blocks", "a", "x"), value=3, before=1)]


async def test_restoring_what_stands_changes_nothing(owner: Context, workflow: str) -> None:
    await grow(owner, 2)
    await sync.sync(owner, Save("w", FIRST | {"lastSaved": 3}, base_version=2))
    answer = await history.restore(owner, workflow, 1, None)
    assert (answer.status, answer.version, answer.changes) == (Status.UNCHANGED, 3, ())
    assert await stores.document(owner) == FIRST | {"lastSaved": 3}


async def test_a_restore_may_empty(owner: Context) -> None:
    await sync.sync(owner, Save("w", EMPTY))
    await sync.sync(owner, Save("w", FIRST, base_version=1))
    assert (await history.restore(owner, "w", 1, None)).status is Status.SAVED
    assert await stores.document(owner) == EMPTY


async def test_a_restore_takes_whatever_stands_for_its_base(owner: Context, editor: Context, workflow: str) -> None:
    await sync.sync(editor, Save("w", document(2), base_version=1, client_id="tab"))
    await sync.sync(owner, Save("w", document(3), base_version=2))
    answer = await history.restore(editor, workflow, 1, "tab")
    assert (answer.status, answer.version) == (Status.SAVED, 4)
    assert (await sync.sync(editor, Save("w", document(5), client_id="tab"))).version == 5


async def test_a_restore_in_the_trash_is_refused(owner: Context, workflow: str) -> None:
    await grow(owner, 2)
    await workflows.delete(owner, workflow)
    answer = await history.restore(owner, workflow, 1, None)
    assert (answer.status, [problem.code for problem in answer.problems]) == (Status.REJECTED, ["DELETED"])
    assert await stores.versions(owner.database) == [1, 2]


@pytest.mark.parametrize("number", [-1, 0, 3, 2**40])
async def test_only_versions_that_there_are_can_be_restored(owner: Context, workflow: str, number: int) -> None:
    await grow(owner, 2)
    with pytest.raises(errors.BadUserInputError, match="1 to 2"):
        await history.restore(owner, workflow, number, None)


async def test_nobody_restores(nobody: Context, workflow: str) -> None:
    with pytest.raises(errors.UnauthenticatedError):
        await history.restore(nobody, workflow, 1, None)


async def test_a_viewer_does_not_restore(owner: Context, viewer: Context, workflow: str) -> None:
    await grow(owner, 2)
    before = await stores.everything(owner.database)
    with pytest.raises(errors.ForbiddenError):
        await history.restore(viewer, workflow, 1, "tab")
    assert await stores.everything(owner.database) == before


@pytest.mark.parametrize("workflow_id", ["w", "missing", "", "\0", "\ud800", "x" * 1_000])
async def test_a_stranger_finds_nothing_to_restore(stranger: Context, workflow: str, workflow_id: str) -> None:
    assert workflow == "w"
    with pytest.raises(errors.NotFoundError):
        await history.restore(stranger, workflow_id, 1, None)


async def test_an_editor_restores(owner: Context, editor: Context, workflow: str) -> None:
    await grow(owner, 2)
    answer = await history.restore(editor, workflow, 1, None)
    assert answer.status is Status.SAVED
    assert answer.head is not None
    assert (answer.head.role, answer.head.saved_by) == (Role.EDITOR, "editor")


@pytest.mark.usefixtures("workflow")
async def test_a_restore_keeps_what_it_replaced(owner: Context, editor: Context) -> None:
    """What stood is a version still, and taking the restore back brings it back."""
    await sync.sync(editor, Save("w", document(2) | {"note": "theirs"}, base_version=1))
    assert (await history.restore(owner, "w", 1, None)).conflicts == ()
    assert await history.state(owner, "w", 2) == document(2) | {"note": "theirs"}
    assert (await history.undo(owner, "w", 3, None)).status is Status.SAVED
    assert await stores.document(owner) == document(2) | {"note": "theirs"}


# Taking one version back


@pytest.mark.usefixtures("workflow")
async def test_undoing_the_last_version_gives_the_one_before(owner: Context) -> None:
    await grow(owner, 3)
    answer = await history.undo(owner, "w", 3, "tab")
    assert (answer.status, answer.version, answer.conflicts) == (Status.SAVED, 4, ())
    assert answer.changes == (Change(("blocks", "a", "x"), value=2, before=3),)
    assert await stores.document(owner) == document(2) == await history.state(owner, "w", 2)
    entry = await history.version(owner, await workflows.visible(owner, "w"), 4)
    assert entry is not None
    assert (entry.reason, entry.client_id, entry.saved_by) == (Reason.UNDO, "tab", "owner")


async def test_undoing_the_last_version_gives_the_one_before_whatever_it_did(owner: Context) -> None:
    random = Random(11)
    made = [shape(random.randint(1, 4), seed=seed) for seed in range(4) for shape in examples.SHAPES.values()]
    await sync.sync(owner, Save("w", made[0]))
    for state in random.choices(made, k=25):
        head = await workflows.visible(owner, "w")
        before = await history.state(owner, "w", head.version)
        answer = await sync.sync(owner, Save("w", state, base_version=head.version, allow_empty=True))
        if answer.status is Status.SAVED:
            await history.undo(owner, "w", answer.version, None)
            stands = await history.state(owner, "w", answer.version + 1)
            assert values.equal(stands | {"lastSaved": 0}, before | {"lastSaved": 0})


@pytest.mark.usefixtures("workflow")
async def test_undoing_an_older_version_leaves_what_came_since(owner: Context, editor: Context) -> None:
    await sync.sync(editor, Save("w", FIRST | {"n": 1}, base_version=1))
    await sync.sync(owner, Save("w", FIRST | {"n": 1, "m": 1}, base_version=2, client_id="tab"))
    answer = await history.undo(owner, "w", 2, "tab")
    assert (answer.version, answer.conflicts) == (4, ())
    assert answer.changes == (Change(("n",), removal=True, before=1),)
    assert await stores.document(owner) == FIRST | {"m": 1}


@pytest.mark.usefixtures("workflow")
async def test_undoing_the_first_version_leaves_what_came_since(owner: Context, editor: Context) -> None:
    await sync.sync(editor, Save("w", FIRST | {"n": 1}, base_version=1))
    await history.undo(owner, "w", 1, None)
    assert await stores.document(owner) == {"n": 1}


@pytest.mark.usefixtures("workflow")
async def test_undoing_the_only_version_gives_the_empty_document(owner: Context) -> None:
    assert (await history.undo(owner, "w", 1, None)).status is Status.SAVED
    assert await stores.document(owner) == {}


@pytest.mark.usefixtures("workflow")
async def test_undoing_an_undo_brings_the_version_back(owner: Context) -> None:
    await grow(owner, 2)
    await history.undo(owner, "w", 2, None)
    await history.undo(owner, "w", 3, None)
    assert await stores.document(owner) == document(2)


@pytest.mark.usefixtures("workflow")
@pytest.mark.parametrize("client", [None, "tab"], ids=str)
async def test_undoing_what_was_edited_since_tells_what_it_overwrote(
    owner: Context, editor: Context, client: str | None
) -> None:
    """Also where the later edits are the caller's own: it did not mean those."""
    await grow(owner, 3)
    last = await sync.sync(editor, Save("w", document(4), base_version=3, client_id="tab"))
    answer = await history.undo(editor, "w", 2, client)
    assert (answer.status, answer.version) == (Status.MERGED, 5)
    (conflict,) = answer.conflicts
    assert (conflict.path, conflict.sides) == (("blocks", "a", "x"), {"base": 2, "theirs": 4, "yours": 1})
    assert (conflict.winner, conflict.theirs_version, conflict.theirs_at) == ("YOURS", 4, last.saved_at)
    assert await stores.document(owner) == FIRST
    assert [path for path, _, _ in await stores.told(owner.database)] == [["blocks", "a", "x"]]


@pytest.mark.usefixtures("workflow")
async def test_undoing_an_addition_that_was_edited_since_leaves_it_and_tells_so(
    owner: Context, editor: Context
) -> None:
    grown: Document = {"blocks": {"a": {"x": 1}, "b": {"x": 1}}, "edges": []}
    edited: Document = {"blocks": {"a": {"x": 1}, "b": {"x": 2}}, "edges": []}
    await sync.sync(owner, Save("w", grown, base_version=1))
    await sync.sync(editor, Save("w", edited, base_version=2))
    answer = await history.undo(owner, "w", 2, None)
    assert (answer.status, answer.version, answer.changes) == (Status.UNCHANGED, 3, ())
    assert [(conflict.path, conflict.winner) for conflict in answer.conflicts] == [(("blocks", "b"), "THEIRS")]
    assert await stores.document(owner) == edited


@pytest.mark.usefixtures("workflow")
async def test_undoing_what_somebody_has_taken_back_changes_nothing(owner: Context) -> None:
    await grow(owner, 2)
    await sync.sync(owner, Save("w", FIRST, base_version=2))
    answer = await history.undo(owner, "w", 2, None)
    assert (answer.status, answer.version, answer.changes, answer.conflicts) == (Status.UNCHANGED, 3, (), ())


async def test_an_undo_may_empty(owner: Context) -> None:
    await sync.sync(owner, Save("w", EMPTY))
    await sync.sync(owner, Save("w", FIRST, base_version=1))
    await history.undo(owner, "w", 2, None)
    assert await stores.document(owner) == EMPTY


@pytest.mark.usefixtures("workflow")
async def test_an_undo_does_not_tell_what_its_client_holds(owner: Context, editor: Context) -> None:
    """The tab may not have applied the answer: its next save without a base must not take the undo back."""
    await sync.sync(owner, Save("w", FIRST | {"n": 1}, base_version=1, client_id="tab"))
    await sync.sync(editor, Save("w", FIRST | {"n": 1, "m": 1}, base_version=2))
    await history.undo(owner, "w", 3, "tab")
    answer = await sync.sync(owner, Save("w", FIRST | {"n": 2}, client_id="tab"))
    assert (answer.status, answer.version, answer.conflicts) == (Status.SAVED, 5, ())


@pytest.mark.usefixtures("workflow")
async def test_an_undo_in_the_trash_is_refused(owner: Context) -> None:
    await grow(owner, 2)
    await workflows.delete(owner, "w")
    answer = await history.undo(owner, "w", 2, None)
    assert (answer.status, [problem.code for problem in answer.problems]) == (Status.REJECTED, ["DELETED"])
    assert await stores.kept(owner.database) == []


# Who last set a value


@pytest.fixture
async def blamed(owner: Context, editor: Context, workflow: str) -> str:
    """A workflow of which every version touched something else."""
    states: list[Document] = [
        {"blocks": {"a": {"x": 1, "y": 1}}, "edges": []},
        {"blocks": {"a": {"x": 1, "y": 1}, "b": {"deep": {"er": 1}}}, "edges": []},
        {"blocks": {"a": {"x": 5, "y": 1}, "b": {"deep": {"er": 1}}}, "edges": []},
        {"blocks": {"a": {"x": 5, "y": 1}, "b": {"deep": {"er": 2}}}, "edges": [{"id": "e", "source": "a"}]},
        {"blocks": {"a": {"x": 5, "y": 1}, "b": {"deep": {"er": 2}}}, "edges": [{"id": "e", "source": "b"}]},
        {"blocks": {"a": {"x": 5, "y": 1}, "b": {"deep": {"er": 2}}}, "edges": []},
    ]
    for version, state in enumerate(states, start=1):
        await sync.sync((owner, editor)[version % 2], Save("w", state, base_version=version))
    assert (await workflows.visible(owner, workflow)).version == 7
    return workflow


BLAMED: dict[str, tuple[list[str], int | None]] = {
    "a value": (["blocks", "a", "x"], 4),
    "one that never changed": (["blocks", "a", "y"], 2),
    "something inside it": (["blocks", "a"], 4),
    "something further inside": (["blocks", "b"], 5),
    "everything": (["blocks"], 5),
    "what it is part of": (["blocks", "b", "nothing", "there"], 3),
    "an item of a list": (["edges"], 7),
    "a removed item": (["edges", "e"], 7),
    "inside a removed item": (["edges", "e", "source"], 7),
    "nothing": (["nothing"], None),
    "nothing that could be stored": (["\0", "\ud800"], None),
}


@pytest.mark.usefixtures("blamed")
@pytest.mark.parametrize("page", [1, 2, 100])
@pytest.mark.parametrize(("path", "version"), BLAMED.values(), ids=BLAMED.keys())
async def test_the_version_that_last_set_a_value_is_found(
    viewer: Context, monkeypatch: pytest.MonkeyPatch, path: list[str], version: int | None, page: int
) -> None:
    monkeypatch.setattr(history, "BLAME_SAVES", page)
    entry = await history.blame(viewer, await workflows.visible(viewer, "w"), path)
    assert (entry and entry.version) == version
    assert entry is None or entry.saved_by == ("owner", "editor")[(entry.version - 1) % 2]


@pytest.mark.usefixtures("blamed")
async def test_an_empty_path_names_nothing(viewer: Context) -> None:
    with pytest.raises(errors.BadUserInputError, match="path"):
        await history.blame(viewer, await workflows.visible(viewer, "w"), [])


@pytest.mark.usefixtures("blamed")
async def test_blame_ends_where_the_journal_does(owner: Context) -> None:
    async with owner.database.connection() as connection:
        await connection.execute("DELETE FROM workflow_changes WHERE version <= 3")
    head = await workflows.visible(owner, "w")
    assert await history.blame(owner, head, ["blocks", "a", "y"]) is None
    entry = await history.blame(owner, head, ["blocks", "a"])
    assert entry is not None
    assert entry.version == 4


@pytest.mark.usefixtures("blamed")
async def test_a_save_that_comes_meanwhile_is_not_blamed(owner: Context) -> None:
    """Whoever asks sees one version of the workflow, and the version that is blamed belongs to that."""
    head = await workflows.visible(owner, "w")
    await sync.sync(owner, Save("w", FIRST, base_version=7, allow_empty=True))
    entry = await history.blame(owner, head, ["blocks", "a", "x"])
    assert entry is not None
    assert entry.version == 4


# Names of versions


async def labels(context: Context) -> dict[int, str]:
    page = await history.versions(context, await workflows.visible(context, "w"), first=100, before=None)
    return {entry.version: entry.label for entry in page.entries if entry.label is not None}


@pytest.mark.usefixtures("workflow")
async def test_a_version_can_be_named_renamed_and_unnamed(owner: Context, editor: Context, viewer: Context) -> None:
    await grow(owner, 3)
    for context, number, text in ((owner, 2, "  Good \n"), (editor, 3, "🦊"), (editor, 2, "Better")):
        entry = await history.label(context, "w", number, text)
        assert (entry.version, entry.label, entry.saved_by) == (number, text.strip(), "owner")
    assert await labels(viewer) == {2: "Better", 3: "🦊"}
    assert (await history.label(owner, "w", 2, None)).label is None
    assert (await history.label(owner, "w", 2, None)).label is None
    assert await labels(viewer) == {3: "🦊"}
    assert (await workflows.visible(owner, "w")).version == 3  # a name is no save


@pytest.mark.usefixtures("workflow")
@pytest.mark.parametrize("text", ["", "  ", "x" * 201, "a\0", "\ud800"])
async def test_what_is_no_name_of_a_version_is_refused(owner: Context, text: str) -> None:
    await history.label(owner, "w", 1, "Good")
    with pytest.raises(errors.BadUserInputError, match="label"):
        await history.label(owner, "w", 1, text)
    assert await labels(owner) == {1: "Good"}


@pytest.mark.usefixtures("workflow")
@pytest.mark.parametrize("number", [-1, 0, 2, 2**31 - 1])
async def test_only_versions_that_there_are_can_be_named(owner: Context, number: int) -> None:
    for text in ("Good", None):
        with pytest.raises(errors.NotFoundError, match="no such version"):
            await history.label(owner, "w", number, text)


@pytest.mark.usefixtures("history_of_120")
async def test_a_version_with_a_name_stays_when_all_around_it_is_forgotten(owner: Context, viewer: Context) -> None:
    for number in (7, 50, 120):
        await history.label(owner, "w", number, f"v{number}")
    await history.label(owner, "w", 8, "for a moment")
    await history.label(owner, "w", 8, None)
    await forget(owner)
    assert await stores.versions(owner.database) == [7, 50, *range(101, 121)]
    for number in (7, 50, 101, 120):
        assert await history.state(viewer, "w", number) == document(number)
    head = await workflows.visible(viewer, "w")
    assert await history.difference(viewer, head, 7, 50) == [Change(("blocks", "a", "x"), value=50, before=7)]
    assert await history.version(viewer, head, 8) is None
    assert await labels(viewer) == {7: "v7", 50: "v50", 120: "v120"}
    assert (await history.restore(owner, "w", 7, None)).status is Status.SAVED
    assert await stores.document(owner) == document(7)


@pytest.mark.usefixtures("history_of_120")
async def test_a_forgotten_version_gets_no_name(owner: Context) -> None:
    await forget(owner)
    with pytest.raises(errors.NotFoundError, match="no such version"):
        await history.label(owner, "w", 100, "Good")


@pytest.mark.usefixtures("history_of_120")
async def test_a_version_that_gets_its_name_while_others_are_forgotten_can_be_read(
    owner: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    await age(owner)
    put = journal.put_checkpoint

    async def late(connection: Connection, workflow_id: str, version: int, state: Document) -> None:
        await put(connection, workflow_id, version, state)
        async with asyncio.timeout(20):
            await BRIEF.forget(owner.database)

    monkeypatch.setattr(journal, "put_checkpoint", late)
    await history.label(owner, "w", 50, "Good")
    await BRIEF.forget(owner.database)
    assert await stores.versions(owner.database) == [50, *range(101, 121)]
    assert await history.state(owner, "w", 50) == document(50)


BRIEF = Retention(versions=10, days=30)


async def age(context: Context) -> None:
    """Make it long ago that everything was saved, and that the process did."""
    await stores.fold(context)
    async with context.database.connection() as connection:
        await connection.execute("UPDATE workflow_changes SET saved_at = now() - interval '1 year'")
    context.saver.states.forget("w")


async def forget(context: Context) -> None:
    """Have all saves happen long ago, and forget them as far as that is allowed."""
    await age(context)
    await BRIEF.forget(context.database)


# Who may


WRITES: dict[str, Callable[[Context, str], Awaitable[object]]] = {
    "undo": lambda context, workflow: history.undo(context, workflow, 2, "tab"),
    "name": lambda context, workflow: history.label(context, workflow, 2, "Good"),
    "unname": lambda context, workflow: history.label(context, workflow, 2, None),
}
by_write = pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
Write = Callable[[Context, str], Awaitable[object]]


@by_write
async def test_nobody_undoes_or_names(nobody: Context, workflow: str, write: Write) -> None:
    with pytest.raises(errors.UnauthenticatedError):
        await write(nobody, workflow)


@by_write
async def test_a_viewer_does_not_undo_or_name(owner: Context, viewer: Context, workflow: str, write: Write) -> None:
    await grow(owner, 2)
    before = await stores.everything(owner.database)
    with pytest.raises(errors.ForbiddenError):
        await write(viewer, workflow)
    assert await stores.everything(owner.database) == before


@by_write
@pytest.mark.usefixtures("workflow")
@pytest.mark.parametrize("workflow_id", ["w", "missing", "", "\0", "\ud800", "x" * 1_000])
async def test_a_stranger_finds_nothing_to_undo_or_name(stranger: Context, write: Write, workflow_id: str) -> None:
    with pytest.raises(errors.NotFoundError) as refused:
        await write(stranger, workflow_id)
    assert str(refused.value) == str(errors.NotFoundError())


@by_write
async def test_owner_and_editor_undo_and_name(owner: Context, editor: Context, workflow: str, write: Write) -> None:
    await grow(owner, 2)
    await write(editor, workflow)
    await write(owner, workflow)


# What is no more


READS: dict[str, Callable[[Context], Awaitable[object]]] = {
    "a version": lambda context: history.state(context, "w", 3),
    "a restore": lambda context: history.restore(context, "w", 3, None),
    "an undo": lambda context: history.undo(context, "w", 3, None),
}


@pytest.mark.usefixtures("workflow")
@pytest.mark.parametrize("read", READS.values(), ids=READS.keys())
async def test_versions_that_the_journal_no_longer_reaches_need_a_resync(
    owner: Context, read: Callable[[Context], Awaitable[object]]
) -> None:
    await grow(owner, 60)
    await stores.keep(owner, 50)
    await stores.prune(owner, 40)
    with pytest.raises(errors.ResyncRequiredError):
        await read(owner)
    head = await workflows.visible(owner, "w")
    with pytest.raises(errors.ResyncRequiredError):
        await history.difference(owner, head, 3, 60)
    assert await history.version(owner, head, 3) is None
    assert await history.state(owner, "w", 50) == document(50)
    assert await history.state(owner, "w", 60) == document(60)


@pytest.mark.usefixtures("workflow")
async def test_a_workflow_that_was_purged_meanwhile_does_not_look_empty(owner: Context) -> None:
    head = await workflows.visible(owner, "w")
    await workflows.purge(owner, "w")
    with pytest.raises(errors.ResyncRequiredError):
        await history.state(owner, "w", head.version)
    assert await history.version(owner, head, 1) is None
    assert (await history.versions(owner, head, first=5, before=None)).entries == []


@pytest.mark.usefixtures("history_of_120")
async def test_an_undo_that_the_later_versions_no_longer_lead_on_from_is_resynced(owner: Context) -> None:
    """The version has a name and stays; what came right after it is forgotten."""
    await history.label(owner, "w", 7, "Good")
    await forget(owner)
    answer = await history.undo(owner, "w", 7, None)
    assert (answer.status, answer.version, answer.changes) == (Status.RESYNC, 120, ())
    assert await stores.kept(owner.database) == []
    assert await stores.document(owner) == document(120)


@pytest.mark.usefixtures("history_of_120")
async def test_a_client_whose_base_is_forgotten_is_resynced_with_what_stands(owner: Context, editor: Context) -> None:
    await forget(owner)
    for base, status in ((99, Status.RESYNC), (100, Status.MERGED)):
        answer = await sync.sync(editor, Save("w", document(0), base_version=base, client_id="tab"))
        assert answer.status is status
        assert answer.head is not None
        assert await history.state(editor, "w", answer.head.version) == document(120 if base == 99 else 0)
    assert await stores.kept(owner.database) == [("editor", "tab", 99, document(0))]


@pytest.mark.usefixtures("history_of_120")
async def test_a_subscriber_whose_version_is_forgotten_must_resync(owner: Context, viewer: Context) -> None:
    await forget(owner)
    async with aclosing(subscriptions.saves(viewer, "w", since=99, except_client=None)) as saves:
        with pytest.raises(errors.ResyncRequiredError):
            await anext(saves)
    async with aclosing(subscriptions.saves(viewer, "w", since=100, except_client=None)) as saves:
        assert [(await anext(saves)).version for _ in range(20)] == list(range(101, 121))
