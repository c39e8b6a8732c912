"""What a workflow was: every version, what led there, and going back."""

from collections.abc import Awaitable, Callable
from random import Random

import pytest

from db import journal
from db.workflows import Role
from merge import apply, changes, values
from merge.changes import Change
from resolvers import documents, errors, history, inputs, sync, workflows
from resolvers.context import Context
from resolvers.saves import Document, Reason, Save, Status
from tests import documents as examples
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
    return workflow


# Every version


@pytest.mark.usefixtures("history_of_120")
async def test_every_version_can_be_read_across_checkpoints(viewer: Context) -> None:
    checkpoints = await stores.rows(viewer.database, "workflow_checkpoints")
    assert [row["version"] for row in checkpoints] == [50, 100] == list(range(journal.CHECKPOINT_EVERY, 120, 50))
    for n in range(1, 121):
        assert await history.state(viewer, "w", n) == document(n)
    assert await history.state(viewer, "w", 0) == {}


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


# What is no more


READS: dict[str, Callable[[Context], Awaitable[object]]] = {
    "a version": lambda context: history.state(context, "w", 3),
    "a restore": lambda context: history.restore(context, "w", 3, None),
}


@pytest.mark.usefixtures("workflow")
@pytest.mark.parametrize("read", READS.values(), ids=READS.keys())
async def test_versions_that_the_journal_no_longer_reaches_need_a_resync(
    owner: Context, read: Callable[[Context], Awaitable[object]]
) -> None:
    await grow(owner, 60)
    async with owner.database.connection() as connection:
        await connection.execute("DELETE FROM workflow_changes WHERE version <= 40")
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
