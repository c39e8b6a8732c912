"""Saves, decided on the real database: who may, what is answered, what is written and what is not."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from db import batches, conflicts
from db import workflows as heads
from db.workflows import Role
from merge import apply, diff, values
from merge.changes import Change
from resolvers import errors, history, sync, workflows
from resolvers.answers import Answer
from resolvers.context import Context, Limits
from resolvers.saves import Mode, Reason, Save, Status
from tests import documents
from tests.documents import Document
from tests.resolvers import stores
from tests.resolvers.conftest import in_both_modes

pytestmark = in_both_modes

FIRST: Document = {"blocks": {"a": {"x": 1}}, "edges": []}  # what `workflow` is at version 1
MOVED: Document = {"blocks": {"a": {"x": 2}}, "edges": []}
TURNED: Document = {"blocks": {"a": {"x": 3}}, "edges": []}
GROWN: Document = {"blocks": {"a": {"x": 1}, "b": {}}, "edges": []}
BOTH: Document = {"blocks": {"a": {"x": 2}, "b": {}}, "edges": []}  # MOVED and GROWN
EMPTY: Document = {"blocks": {}, "edges": []}


def codes(answer: Answer) -> list[str]:
    return [problem.code for problem in answer.problems]


async def save(context: Context, state: object, base: int | None = None, *, client: str | None = None) -> Answer:
    return await sync.sync(context, Save("w", state, base_version=base, client_id=client))


async def saved(context: Context, state: Document, base: int | None = None, *, client: str | None = None) -> Answer:
    answer = await save(context, state, base, client=client)
    assert answer.status is Status.SAVED
    return answer


# Who


async def test_nobody_saves(nobody: Context) -> None:
    with pytest.raises(errors.UnauthenticatedError):
        await save(nobody, FIRST)
    with pytest.raises(errors.UnauthenticatedError):
        await sync.sync_all(nobody, [])
    assert not any((await stores.everything(nobody.database)).values())


async def test_whoever_creates_a_workflow_owns_it(owner: Context) -> None:
    answer = await sync.sync(owner, Save("w", FIRST, name="  Plan "))
    assert (answer.status, answer.id, answer.version, answer.changes) == (Status.CREATED, "w", 1, ())
    assert answer.head == await workflows.visible(owner, "w")
    assert answer.head.role is Role.OWNER
    assert (answer.head.owner_id, answer.head.name, answer.head.saved_by) == ("owner", "Plan", "owner")
    assert answer.saved_at == answer.head.saved_at
    assert await stores.document(owner) == FIRST


async def test_owner_and_editor_save(owner: Context, editor: Context, workflow: str) -> None:
    answer = await saved(owner, MOVED, 1)
    assert (answer.version, answer.changes, answer.replayed) == (2, (), False)
    assert answer.head == await workflows.visible(owner, workflow)
    answer = await saved(editor, GROWN, 2)
    assert answer.version == 3
    assert answer.head == await workflows.visible(editor, workflow)
    assert (answer.head.saved_by, answer.head.role, answer.head.owner_id) == ("editor", Role.EDITOR, "owner")
    assert await stores.document(owner) == GROWN


@pytest.mark.usefixtures("workflow")
async def test_a_viewer_does_not_save(viewer: Context) -> None:
    before = await stores.everything(viewer.database)
    for state, base in ((MOVED, 1), (MOVED, None), (FIRST, 1), ("no document", None), (MOVED, 9)):
        with pytest.raises(errors.ForbiddenError):
            await sync.sync(viewer, Save("w", state, base_version=base, client_id="tab", sequence=1))
    assert await stores.everything(viewer.database) == before


@pytest.mark.usefixtures("workflow")
async def test_a_stranger_hears_only_that_the_id_is_taken(stranger: Context) -> None:
    before = await stores.everything(stranger.database)
    for base in (None, 0):
        with pytest.raises(errors.ForbiddenError, match="taken"):
            await sync.sync(stranger, Save("w", MOVED, base_version=base, client_id="tab", sequence=1))
    assert await stores.everything(stranger.database) == before


@pytest.mark.usefixtures("workflow")
async def test_somebody_else_s_workflow_and_a_missing_one_get_the_same_answer(stranger: Context) -> None:
    answers = []
    for workflow in ("w", "missing"):
        with pytest.raises(errors.NotFoundError) as refused:
            await sync.sync(stranger, Save(workflow, MOVED, base_version=1))
        answers.append(str(refused.value))
    assert answers[0] == answers[1]


async def test_the_id_of_a_purged_workflow_stays_taken(owner: Context, stranger: Context, workflow: str) -> None:
    await workflows.purge(owner, workflow)
    before = await stores.everything(owner.database)
    for context in (owner, stranger):
        for base, error in ((None, errors.ForbiddenError), (0, errors.ForbiddenError), (1, errors.NotFoundError)):
            with pytest.raises(error):
                await sync.sync(context, Save("w", MOVED, base_version=base, client_id="tab", sequence=1))
    assert await stores.everything(owner.database) == before


def overtake(
    monkeypatch: pytest.MonkeyPatch, room: ModuleType, statement: str, happens: Callable[[], Awaitable[object]]
) -> None:
    """Have something happen right before a statement is sent for the first time."""
    send: Callable[..., Awaitable[object]] = getattr(room, statement)

    async def late(*arguments: object, **fields: object) -> object:
        monkeypatch.setattr(room, statement, send)
        await happens()
        return await send(*arguments, **fields)

    monkeypatch.setattr(room, statement, late)


async def outcome_of(saving: Awaitable[Answer]) -> object:
    """Give the status and the version that a save was answered, or the kind of its failure."""
    try:
        answer = await saving
    except errors.OperationError as error:
        return type(error)
    return answer.status, answer.version


async def _unshare(owner: Context) -> None:
    await workflows.unshare(owner, "w", "editor")


async def _demote(owner: Context) -> None:
    await workflows.share(owner, "w", "editor", Role.VIEWER)


async def _trash(owner: Context) -> None:
    await workflows.delete(owner, "w")


async def _purge(owner: Context) -> None:
    await workflows.purge(owner, "w")


async def _save_first(owner: Context) -> None:
    await saved(owner, GROWN, 1)


async def _nothing(owner: Context) -> None:
    await workflows.rename(owner, "w", "Another name")


MEANWHILE: dict[str, tuple[Callable[[Context], Awaitable[None]], object]] = {
    "unshared": (_unshare, errors.NotFoundError),
    "made a viewer": (_demote, errors.ForbiddenError),
    "purged": (_purge, errors.NotFoundError),
    "trashed": (_trash, (Status.REJECTED, 1)),
    "saved": (_save_first, (Status.MERGED, 3)),
    "renamed": (_nothing, (Status.SAVED, 2)),
}


meanwhile = pytest.mark.parametrize(("happens", "outcome"), MEANWHILE.values(), ids=MEANWHILE.keys())


@pytest.mark.usefixtures("workflow", "alone")
@meanwhile
async def test_what_happens_between_reading_and_writing_counts(
    elsewhere: Context,
    editor: Context,
    monkeypatch: pytest.MonkeyPatch,
    happens: Callable[[Context], Awaitable[None]],
    outcome: object,
) -> None:
    overtake(monkeypatch, heads, "write", lambda: happens(elsewhere))
    await check_that_it_counts(editor, outcome)


@pytest.mark.usefixtures("workflow")
@meanwhile
async def test_what_happens_before_a_batch_is_written_counts(
    elsewhere: Context,
    editor: Context,
    monkeypatch: pytest.MonkeyPatch,
    happens: Callable[[Context], Awaitable[None]],
    outcome: object,
) -> None:
    overtake(monkeypatch, batches, "write", lambda: happens(elsewhere))
    await check_that_it_counts(editor, outcome)


async def check_that_it_counts(editor: Context, outcome: object) -> None:
    """Save as an editor, in the middle of which something happens, and look whether that has its outcome."""
    assert await outcome_of(save(editor, MOVED, 1)) == outcome
    await stores.fold(editor)
    (row,) = await stores.rows(editor.database, "workflows")
    is_saved = outcome in {(Status.SAVED, 2), (Status.MERGED, 3)}
    assert (row["state"].get("blocks", {}).get("a") == {"x": 2}) is is_saved
    assert (row["state"].get("blocks", {}).get("b") == {}) is (outcome == (Status.MERGED, 3))


async def test_an_id_that_is_taken_between_reading_and_writing_stays_theirs(
    owner: Context, stranger: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    overtake(monkeypatch, heads, "create", lambda: save(owner, FIRST))
    with pytest.raises(errors.ForbiddenError, match="taken"):
        await save(stranger, MOVED)
    assert await stores.document(owner) == FIRST
    assert await stores.versions(owner.database) == [1]


# What is saved


async def test_a_save_is_one_row_of_the_journal_that_the_snapshot_shows_in_the_end(owner: Context) -> None:
    await sync.sync(owner, Save("w", FIRST, reason=Reason.IMPORT))
    await sync.sync(owner, Save("w", MOVED, base_version=1, client_id="tab", sequence=1, reason=Reason.PERIODIC))
    await stores.fold(owner)
    (head,) = await stores.rows(owner.database, "workflows")
    assert (head["version"], head["state_version"], head["state"]) == (2, 2, MOVED)
    first, second = await stores.rows(owner.database, "workflow_changes")
    assert (first["version"], first["reason"], first["client_id"], first["saved_by"]) == (1, "IMPORT", None, "owner")
    assert (second["version"], second["reason"], second["client_id"]) == (2, "PERIODIC", "tab")
    assert second["changes"] == [{"path": ["blocks", "a", "x"], "value": 2, "before": 1}]
    assert second["saved_at"] == head["saved_at"]
    assert first["save_id"] != second["save_id"]


async def test_an_empty_document_is_stored(owner: Context) -> None:
    answer = await save(owner, {})
    assert (answer.status, answer.version) == (Status.CREATED, 1)
    assert await stores.document(owner) == {}
    assert await stores.versions(owner.database) == [1]
    assert (await saved(owner, {"a": 1}, 1)).version == 2


async def test_a_workflow_without_a_name_has_one(owner: Context) -> None:
    answer = await save(owner, FIRST)
    assert answer.head is not None
    assert answer.head.name == "Untitled"


async def test_a_name_counts_only_when_the_workflow_is_created(owner: Context, workflow: str) -> None:
    await sync.sync(owner, Save("w", MOVED, base_version=1, name="Another"))
    assert (await workflows.visible(owner, workflow)).name == "Plan"


async def test_versions_have_no_gaps(owner: Context, editor: Context, workflow: str) -> None:
    for n in range(2, 31):
        await saved(owner if n % 2 else editor, {"blocks": {"a": {"x": n}}}, n - 1)
        await save(owner, {"blocks": {"a": {"x": n}}}, n)  # unchanged
        await sync.sync(editor, Save("w", {"blocks": {"a": {"x": -n}}}, base_version=1, mode=Mode.STRICT))  # conflict
        await save(owner, {"blocks": {}}, n)  # rejected
        await save(owner, {"blocks": {"a": {}}}, n + 1)  # resync
    assert await stores.versions(owner.database) == list(range(1, 31))
    assert (await workflows.visible(owner, workflow)).version == 30


@pytest.mark.parametrize("document", documents.EVERY_DOCUMENT)
async def test_workflows_are_read_back_equal(owner: Context, document: Document) -> None:
    assert (await save(owner, document)).status is Status.CREATED
    assert values.equal(await stores.document(owner), document)
    assert (await save(owner, document, 1)).status is Status.UNCHANGED
    changed = apply.apply(document, [Change(("description",), value="ändern 🦊")])
    assert (await saved(owner, changed, 1)).version == 2
    assert (await save(owner, changed, 2)).status is Status.UNCHANGED
    head = await workflows.visible(owner, "w")
    (change,) = await history.difference(owner, head, 1, None)
    assert (change.path, change.value) == (("description",), "ändern 🦊")
    assert values.equal(await stores.document(owner), changed)


UNUSUAL: dict[str, Document] = {
    "keys that JavaScript minds": {"__proto__": {"constructor": 1}, "toString": None, "hasOwnProperty": []},
    "empty keys and texts": {"": {"": [{"": ""}]}},
    "integers that no float holds": {"n": [2**53 + 1, -(2**53) - 1, 2**63, 2**64 - 1, -(2**63)]},
    "floats": {"n": [1.0, -0.0, 0.1, 5e-324, 1.7976931348623157e308, 1e22]},
    "text that is no ASCII": {"ключ": "значение", "🦊": ["é", "é", "\u2028", "\uffff", "\x01\x7f"]},
    "text that looks like escapes": {"a": "\\u0000 \\ud800 \\ \" ' $1 %s {} ${x}"},
    "lists in lists": {"a": [[[[]]], [], [{}], [None]]},
    "a thousand blocks": documents.sim(1_000),
    "five mebibytes": documents.of_size(documents.langflow, 5 * 1024 * 1024),
}


@pytest.mark.parametrize("document", UNUSUAL.values(), ids=UNUSUAL.keys())
async def test_unusual_documents_are_read_back_equal(owner: Context, document: Document) -> None:
    assert (await save(owner, document)).status is Status.CREATED
    assert values.equal(await stores.document(owner), document)
    assert (await save(owner, document, 1)).status is Status.UNCHANGED


async def test_what_was_inside_a_document_stays_inside(owner: Context) -> None:
    document = {"id": "other", "userId": "eve", "version": 99, "lastSaved": 5, "allowEmpty": True, "blocks": {"a": {}}}
    await save(owner, document)
    assert await stores.document(owner) == document
    assert (await workflows.visible(owner, "w")).owner_id == "owner"


# What is not


@pytest.mark.usefixtures("workflow")
async def test_an_unchanged_document_writes_nothing(owner: Context, editor: Context) -> None:
    before = await stores.everything(owner.database)
    head = await workflows.visible(owner, "w")
    for context, base in ((owner, 1), (editor, None), (owner, 0)):
        answer = await save(context, {"edges": [], "blocks": {"a": {"x": 1.0}}}, base)
        assert (answer.status, answer.version, answer.changes) == (Status.UNCHANGED, 1, ())
        assert answer.saved_at == head.saved_at
    assert await stores.everything(owner.database) == before


@pytest.mark.usefixtures("workflow")
async def test_an_unchanged_document_is_unchanged_on_a_stale_base(owner: Context, editor: Context) -> None:
    await saved(editor, GROWN, 1)
    answer = await save(owner, FIRST, 1)
    assert (answer.status, answer.version) == (Status.UNCHANGED, 2)
    assert apply.apply(FIRST, answer.changes) == GROWN
    assert await stores.kept(owner.database) == []
    assert await stores.document(owner) == GROWN


@pytest.mark.usefixtures("workflow")
async def test_the_clock_is_stored_with_the_next_real_change(owner: Context) -> None:
    answer = await save(owner, FIRST | {"lastSaved": 5}, 1)
    assert (answer.status, answer.version) == (Status.UNCHANGED, 1)
    assert apply.apply(FIRST | {"lastSaved": 5}, answer.changes) == FIRST == await stores.document(owner)
    await saved(owner, MOVED | {"lastSaved": 6}, 1)
    assert await stores.document(owner) == MOVED | {"lastSaved": 6}
    assert (await save(owner, MOVED | {"lastSaved": 7}, 2)).status is Status.UNCHANGED
    assert await stores.document(owner) == MOVED | {"lastSaved": 6}


@pytest.mark.usefixtures("workflow")
@pytest.mark.parametrize("mode", [Mode.MERGE, Mode.STRICT])
async def test_edits_that_do_not_touch_are_merged(owner: Context, editor: Context, mode: Mode) -> None:
    await saved(editor, MOVED, 1)
    answer = await sync.sync(owner, Save("w", GROWN, base_version=1, client_id="tab", mode=mode))
    assert (answer.status, answer.version, answer.conflicts) == (Status.MERGED, 3, ())
    assert apply.apply(GROWN, answer.changes) == BOTH == await stores.document(owner)
    assert answer.head == await workflows.visible(owner, "w")
    assert answer.saved_at == answer.head.saved_at
    assert await stores.rows(owner.database, "workflow_conflicts") == []


@pytest.mark.usefixtures("workflow")
async def test_the_later_of_two_values_wins_and_the_other_one_is_kept(owner: Context, editor: Context) -> None:
    first = await saved(editor, MOVED, 1)
    answer = await sync.sync(owner, Save("w", TURNED, base_version=1, client_id="tab"))
    assert (answer.status, answer.version, answer.changes) == (Status.MERGED, 3, ())
    (conflict,) = answer.conflicts
    assert (conflict.path, conflict.sides) == (("blocks", "a", "x"), {"base": 1, "theirs": 2, "yours": 3})
    assert (conflict.winner, conflict.yours_by) == ("YOURS", "owner")
    assert (conflict.theirs_by, conflict.theirs_version, conflict.theirs_at) == ("editor", 2, first.saved_at)
    assert await stores.document(owner) == TURNED
    (row,) = await stores.rows(owner.database, "workflow_conflicts")
    assert (row["id"], row["path"], row["client_id"]) == (conflict.id, list(conflict.path), "tab")
    assert await stores.told(owner.database) == [(list(conflict.path), conflict.sides, "YOURS")]


REFUSED_BY_MODE = {
    "strict, where something collides": (Mode.STRICT, {"blocks": {"a": {"x": 3}}, "edges": []}),
    "overwriting, where anything was saved": (Mode.OVERWRITE, GROWN),
}


@pytest.mark.usefixtures("workflow")
@pytest.mark.parametrize("form", ["state", "changes"])
@pytest.mark.parametrize(("mode", "sent"), REFUSED_BY_MODE.values(), ids=REFUSED_BY_MODE.keys())
async def test_what_a_mode_does_not_merge_conflicts_and_is_kept_whole(
    owner: Context, editor: Context, mode: Mode, sent: Document, form: str
) -> None:
    await saved(editor, MOVED, 1)
    edit = Save("w", sent) if form == "state" else Save("w", changes=tuple(diff.diff(FIRST, sent)))
    answer = await sync.sync(owner, replace(edit, base_version=1, client_id="tab", mode=mode))
    assert (answer.status, answer.version, answer.saved_at) == (Status.CONFLICT, 2, None)
    assert apply.apply(sent, answer.changes) == MOVED == await stores.document(owner)
    assert answer.head == await workflows.visible(owner, "w")
    assert await stores.kept(owner.database) == [("owner", "tab", 1, sent)]
    assert await stores.told(owner.database) == []
    assert await stores.versions(owner.database) == [1, 2]


@pytest.mark.usefixtures("workflow")
async def test_strict_tells_what_collided_and_whose_value_stands(owner: Context, editor: Context) -> None:
    await saved(editor, MOVED, 1)
    answer = await sync.sync(owner, Save("w", TURNED, base_version=1, mode=Mode.STRICT))
    (conflict,) = answer.conflicts
    assert (conflict.id, conflict.path, conflict.winner) == (None, ("blocks", "a", "x"), "THEIRS")
    assert conflict.sides == {"base": 1, "theirs": 2, "yours": 3}


@pytest.mark.usefixtures("workflow")
async def test_a_journal_entry_tells_what_its_save_met(owner: Context, editor: Context) -> None:
    await saved(editor, MOVED, 1)
    answer = await save(owner, TURNED, 1)
    entry = await history.version(owner, await workflows.visible(owner, "w"), 3)
    assert entry is not None
    assert tuple(map(conflicts.from_json, entry.conflicts)) == answer.conflicts


@pytest.mark.usefixtures("workflow")
async def test_what_a_merge_broke_is_repaired_told_and_stored_so(owner: Context, editor: Context) -> None:
    edge = {"id": "e", "source": "a", "target": "b"}
    await saved(editor, GROWN, 1)
    await saved(editor, FIRST, 2)
    for sent, status, stands in (
        (GROWN | {"edges": [edge]}, Status.UNCHANGED, FIRST),
        (GROWN | {"edges": [edge], "n": 1}, Status.MERGED, FIRST | {"n": 1}),
    ):
        answer = await save(owner, sent, 2)
        assert answer.status is status
        assert [(found.path, found.reason, found.removed) for found in answer.repairs] == [
            (("edges", "e"), "END_MISSING", edge)
        ]
        assert apply.apply(sent, answer.changes) == stands == await stores.document(owner)


@pytest.mark.usefixtures("workflow")
async def test_the_newest_payload_of_each_client_is_kept(owner: Context, editor: Context) -> None:
    await saved(editor, MOVED, 1)
    for n, client in enumerate(("tab", "tab", "other", None, None)):
        sent = Save("w", FIRST | {"n": n}, base_version=1, client_id=client, mode=Mode.OVERWRITE)
        assert (await sync.sync(owner, sent)).status is Status.CONFLICT
    assert await stores.kept(owner.database) == [
        ("owner", "other", 1, FIRST | {"n": 2}),
        ("owner", "tab", 1, FIRST | {"n": 1}),
        ("owner", None, 1, FIRST | {"n": 4}),
    ]


@pytest.mark.usefixtures("workflow")
@pytest.mark.parametrize("sent", [EMPTY, {"edges": []}, {}])
async def test_a_document_is_not_wiped_by_accident(owner: Context, sent: Document) -> None:
    before = await stores.everything(owner.database)
    answer = await save(owner, sent, 1)
    assert (answer.status, codes(answer), answer.version) == (Status.REJECTED, ["EMPTY"], 1)
    assert await stores.everything(owner.database) == before
    answer = await sync.sync(owner, Save("w", sent, base_version=1, allow_empty=True))
    assert (answer.status, answer.version) == (Status.SAVED, 2)
    assert await stores.document(owner) == sent


@pytest.mark.usefixtures("workflow")
@pytest.mark.parametrize("path", [("",), ("blocks", ""), ("", "")])
async def test_a_change_under_an_empty_key_is_checked_like_any_other(owner: Context, path: tuple[str, ...]) -> None:
    before = await stores.everything(owner.database)
    answer = await sync.sync(owner, Save("w", changes=(Change(path, value="\0"),), base_version=1))
    assert (answer.status, codes(answer)) == (Status.REJECTED, ["NUL_CHARACTER"])
    assert await stores.everything(owner.database) == before


REFUSED: dict[str, tuple[object, str]] = {
    "null": (None, "NOT_AN_OBJECT"),
    "a list": ([{"blocks": {}}], "NOT_AN_OBJECT"),
    "a text": ("{}", "NOT_AN_OBJECT"),
    "true": (True, "NOT_AN_OBJECT"),
    "a NUL character": ({"blocks": {"a": "\0"}}, "NUL_CHARACTER"),
    "half a surrogate pair": ({"blocks": {"a": "\ud800"}}, "LONE_SURROGATE"),
    "a number too large": ({"blocks": {"a": float("inf")}}, "NUMBER_OUT_OF_RANGE"),
    "an integer too large": ({"blocks": {"a": 2**64}}, "NUMBER_OUT_OF_RANGE"),
}


@pytest.mark.usefixtures("workflow")
@pytest.mark.parametrize(("sent", "code"), REFUSED.values(), ids=REFUSED.keys())
async def test_what_cannot_be_stored_is_rejected_and_nothing_is_lost(owner: Context, sent: object, code: str) -> None:
    before = await stores.everything(owner.database)
    answer = await save(owner, sent, 1)
    assert (answer.status, codes(answer), answer.version) == (Status.REJECTED, [code], 1)
    assert await stores.everything(owner.database) == before
    answer = await sync.sync(owner, Save("new", sent))
    assert (answer.status, codes(answer), answer.version, answer.head) == (Status.REJECTED, [code], 0, None)
    assert await stores.everything(owner.database) == before


async def test_documents_within_the_limits_are_saved_and_no_others(owner: Context) -> None:
    owner.limits = Limits(document_bytes=20, document_depth=3)
    assert (await save(owner, {"a": "x" * 12})).status is Status.CREATED
    answer = await save(owner, {"a": "x" * 13}, 1)
    assert (answer.status, codes(answer)) == (Status.REJECTED, ["TOO_LARGE"])
    answer = await save(owner, {"a": [[[]]]}, 1)
    assert (answer.status, codes(answer), answer.problems[0].path) == (Status.REJECTED, ["TOO_DEEP"], ("a", "0", "0"))
    assert (await saved(owner, {"a": [[]]}, 1)).version == 2


async def test_a_save_to_the_trash_is_rejected_and_its_payload_kept(
    owner: Context, editor: Context, workflow: str
) -> None:
    await workflows.delete(owner, workflow)
    for context, client in ((owner, "tab"), (editor, "other")):
        answer = await save(context, MOVED, 1, client=client)
        assert (answer.status, codes(answer), answer.version, answer.changes) == (Status.REJECTED, ["DELETED"], 1, ())
        assert answer.head is not None
        assert answer.head.deleted_at is not None
    assert await stores.kept(owner.database) == [("editor", "other", 1, MOVED), ("owner", "tab", 1, MOVED)]
    assert await stores.versions(owner.database) == [1]
    await workflows.undelete(owner, workflow)
    assert await stores.document(owner) == FIRST


@pytest.mark.usefixtures("workflow")
async def test_a_base_above_the_current_version_is_resynced_and_its_payload_kept(owner: Context) -> None:
    answer = await save(owner, MOVED, 2, client="tab")
    assert (answer.status, answer.version, answer.changes) == (Status.RESYNC, 1, ())
    assert answer.head == await workflows.visible(owner, "w")
    assert await stores.kept(owner.database) == [("owner", "tab", 2, MOVED)]
    assert await stores.versions(owner.database) == [1]


@pytest.mark.usefixtures("workflow")
async def test_a_base_older_than_the_journal_is_resynced_and_its_payload_kept(owner: Context, editor: Context) -> None:
    for n in range(2, 6):
        await saved(editor, FIRST | {"n": n}, n - 1)
    await stores.prune(owner, 3)
    for base in range(3):
        answer = await save(owner, MOVED, base, client="tab")
        assert (answer.status, answer.version, answer.changes) == (Status.RESYNC, 5, ())
    assert await stores.kept(owner.database) == [("owner", "tab", 2, MOVED)]
    answer = await save(owner, MOVED | {"n": 3}, 3, client="tab")
    assert (answer.status, answer.version) == (Status.MERGED, 6)
    assert await stores.document(owner) == MOVED | {"n": 5}


async def test_a_base_on_a_missing_workflow_is_not_found(owner: Context) -> None:
    with pytest.raises(errors.NotFoundError):
        await save(owner, FIRST, 1)
    assert not any((await stores.everything(owner.database)).values())
    assert (await save(owner, FIRST, 0)).status is Status.CREATED


@pytest.mark.usefixtures("workflow")
async def test_creating_what_is_there_already_is_merged_as_if_added_at_the_same_time(
    owner: Context, editor: Context
) -> None:
    answer = await save(editor, {"blocks": {"a": {"x": 2}, "b": {}}}, 0)
    assert (answer.status, answer.version) == (Status.MERGED, 2)
    (conflict,) = answer.conflicts
    assert (conflict.path, conflict.sides) == (("blocks", "a", "x"), {"theirs": 1, "yours": 2})
    assert await stores.document(owner) == BOTH


@pytest.mark.usefixtures("workflow")
@pytest.mark.parametrize("mode", [Mode.STRICT, Mode.OVERWRITE])
async def test_creating_what_is_there_already_conflicts_where_nothing_may_collide(owner: Context, mode: Mode) -> None:
    answer = await sync.sync(owner, Save("w", MOVED, base_version=0, mode=mode))
    assert (answer.status, answer.version) == (Status.CONFLICT, 1)
    assert await stores.document(owner) == FIRST


@pytest.mark.parametrize(
    "fields",
    [
        {"id": ""},
        {"id": "x" * 129},
        {"id": "a\0"},
        {"id": "\ud800"},
        {"client_id": ""},
        {"client_id": "x" * 129},
        {"client_id": "\0"},
        {"name": " "},
        {"name": "x" * 201},
        {"name": "\udc00"},
        {"base_version": -1},
        {"client_id": "tab", "sequence": 0},
        {"sequence": 1},
    ],
    ids=repr,
)
async def test_other_fields_are_checked_too(owner: Context, fields: dict[str, Any]) -> None:
    with pytest.raises(errors.BadUserInputError):
        await sync.sync(owner, replace(Save("w", FIRST), **fields))
    (answer,) = await sync.sync_all(owner, [replace(Save("w", FIRST), **fields)])
    assert (answer.status, codes(answer)) == (Status.REJECTED, ["BAD_USER_INPUT"])
    assert not any((await stores.everything(owner.database)).values())


# On which base


@pytest.mark.usefixtures("workflow")
async def test_without_a_base_the_version_last_answered_to_the_client_counts(owner: Context, editor: Context) -> None:
    assert (await saved(owner, MOVED, client="tab")).version == 2
    await saved(editor, BOTH | {"m": 1}, 2)
    answer = await save(owner, MOVED | {"n": 1}, client="tab")
    assert (answer.status, answer.version, answer.conflicts) == (Status.MERGED, 4, ())
    assert await stores.document(owner) == BOTH | {"m": 1, "n": 1}


@pytest.mark.usefixtures("workflow")
async def test_what_a_client_need_not_have_read_does_not_move_its_base(owner: Context, editor: Context) -> None:
    """It would overwrite what it has not seen."""
    await saved(owner, MOVED, client="tab")
    await saved(editor, BOTH | {"m": 1}, 2)
    for n in range(1, 4):
        answer = await save(owner, MOVED | {"n": n}, client="tab")
        assert (answer.status, answer.version, answer.conflicts) == (Status.MERGED, 3 + n, ())
    answer = await sync.sync(owner, Save("w", MOVED | {"n": 9}, client_id="tab", mode=Mode.OVERWRITE))
    assert answer.status is Status.CONFLICT
    assert (await save(owner, MOVED | {"n": 3}, client="tab")).status is Status.UNCHANGED
    assert (await save(owner, MOVED, client="tab")).status is Status.MERGED
    assert await stores.document(owner) == BOTH | {"m": 1}
    assert await stores.told(owner.database) == []


@pytest.mark.usefixtures("workflow")
async def test_a_client_that_sends_all_that_stands_goes_on_from_there(owner: Context, editor: Context) -> None:
    await saved(owner, MOVED, client="tab")
    await saved(editor, BOTH, 2)
    answer = await save(owner, BOTH | {"n": 1}, client="tab")
    assert (answer.status, answer.version) == (Status.SAVED, 4)
    answer = await save(owner, MOVED, client="tab")  # it has seen `b`, and removes it
    assert (answer.status, answer.conflicts) == (Status.SAVED, ())
    assert await stores.document(owner) == MOVED


@pytest.mark.usefixtures("workflow")
async def test_a_client_that_held_what_stood_goes_on_from_there(owner: Context, editor: Context) -> None:
    await saved(editor, GROWN, 1)
    assert (await save(owner, GROWN, client="tab")).status is Status.UNCHANGED
    assert (await saved(owner, MOVED, client="tab")).version == 3


@pytest.mark.usefixtures("workflow")
@pytest.mark.parametrize("client", [None, "new"])
async def test_without_a_base_what_stands_is_replaced_and_what_was_somebody_else_s_is_told(
    owner: Context, editor: Context, client: str | None
) -> None:
    theirs = await saved(editor, GROWN | {"n": 1}, 1)
    answer = await saved(owner, MOVED, client=client)
    assert (answer.version, answer.changes) == (3, ())
    told = {conflict.path: (conflict.sides, conflict.winner) for conflict in answer.conflicts}
    assert told == {
        ("blocks", "b"): ({"base": {}, "theirs": {}}, "YOURS"),
        ("n",): ({"base": 1, "theirs": 1}, "YOURS"),
    }
    assert {(conflict.theirs_by, conflict.theirs_version) for conflict in answer.conflicts} == {("editor", 2)}
    assert {conflict.theirs_at for conflict in answer.conflicts} == {theirs.saved_at}
    assert sorted(path for path, _, _ in await stores.told(owner.database)) == sorted(map(list, told))
    assert await stores.document(owner) == MOVED


@pytest.mark.usefixtures("workflow")
async def test_without_a_base_replacing_one_s_own_values_is_nothing_to_tell(owner: Context, editor: Context) -> None:
    await saved(editor, FIRST | {"n": 1}, 1)
    await saved(owner, FIRST | {"n": 2}, 2)
    answer = await saved(owner, MOVED | {"n": 3})
    assert answer.conflicts == ()


@pytest.mark.usefixtures("workflow")
async def test_a_client_s_own_later_saves_count_as_its_base(owner: Context) -> None:
    for n in range(2, 5):
        assert (await saved(owner, FIRST | {"n": n}, 1, client="tab")).version == n
    assert (await save(owner, FIRST, 1, client="other")).status is Status.UNCHANGED
    assert (await save(owner, FIRST | {"m": 1}, 1, client="other")).status is Status.MERGED
    assert await stores.document(owner) == FIRST | {"n": 4, "m": 1}
    own = await sync.sync(owner, Save("w", FIRST | {"m": 1}, base_version=1, client_id="tab", mode=Mode.STRICT))
    assert (own.status, own.conflicts) == (Status.SAVED, ())  # its own `n` is what it takes out
    assert await stores.document(owner) == FIRST | {"m": 1}


@pytest.mark.usefixtures("workflow")
async def test_overwriting_one_s_own_later_saves_is_no_conflict(owner: Context, editor: Context) -> None:
    await saved(owner, MOVED, 1, client="tab")
    for context, client, status in (
        (owner, None, Status.CONFLICT),
        (owner, "other", Status.CONFLICT),
        (editor, "tab", Status.CONFLICT),
        (owner, "tab", Status.SAVED),
    ):
        sent = Save("w", GROWN, base_version=1, client_id=client, mode=Mode.OVERWRITE)
        assert (await sync.sync(context, sent)).status is status


@pytest.mark.usefixtures("workflow")
async def test_a_client_of_the_same_name_is_not_the_same_client(owner: Context, editor: Context) -> None:
    await saved(owner, MOVED, 1, client="tab")
    assert (await save(editor, GROWN, 1, client="tab")).status is Status.MERGED
    assert await stores.document(owner) == BOTH  # `FIRST` of the owner's own tab would have put `a` back
    assert (await save(owner, FIRST, 1, client="tab")).status is Status.MERGED
    assert await stores.document(owner) == GROWN


@pytest.mark.usefixtures("workflow")
async def test_saves_without_a_client_are_nobody_s_own(owner: Context) -> None:
    await saved(owner, MOVED, 1)
    assert (await save(owner, GROWN, 1)).status is Status.MERGED
    assert await stores.document(owner) == BOTH
    (conflict,) = (await save(owner, TURNED, 1)).conflicts
    assert (conflict.theirs_by, conflict.theirs_version) == ("owner", 2)


@pytest.mark.usefixtures("workflow")
async def test_taking_back_one_s_own_edit_is_a_change_although_the_base_looked_so(
    owner: Context, editor: Context
) -> None:
    await saved(owner, MOVED, 1, client="tab")
    await saved(editor, MOVED | {"n": 1}, 2)
    answer = await save(owner, FIRST, 1, client="tab")
    assert (answer.status, answer.version, answer.conflicts) == (Status.MERGED, 4, ())
    assert await stores.document(owner) == FIRST | {"n": 1}


@pytest.mark.usefixtures("workflow")
async def test_repeating_one_s_own_later_save_is_no_change(owner: Context, editor: Context) -> None:
    await saved(owner, MOVED, 1, client="tab")
    await saved(editor, MOVED | {"n": 1}, 2)
    answer = await save(owner, MOVED, 1, client="tab")
    assert (answer.status, answer.version) == (Status.UNCHANGED, 3)
    assert apply.apply(MOVED, answer.changes) == MOVED | {"n": 1}


@pytest.mark.usefixtures("workflow")
async def test_a_base_takes_of_the_client_s_own_later_saves_what_fits(owner: Context, editor: Context) -> None:
    """It names a base that it has left behind: what its own save did inside `b` did not fit there."""
    await saved(editor, GROWN, 1)
    await saved(owner, {"blocks": {"a": {"x": 1}, "b": {"x": 1}}, "edges": []}, 2, client="tab")
    answer = await save(owner, MOVED, 1, client="tab")
    assert (answer.status, answer.version) == (Status.MERGED, 4)
    assert await stores.document(owner) == {"blocks": {"a": {"x": 2}, "b": {"x": 1}}, "edges": []}


@pytest.mark.usefixtures("workflow")
async def test_emptying_is_judged_by_the_base(owner: Context, editor: Context) -> None:
    await sync.sync(editor, Save("w", EMPTY, base_version=1, allow_empty=True))
    assert (await save(owner, EMPTY, 1)).status is Status.UNCHANGED
    answer = await save(owner, EMPTY | {"n": 1}, 1)
    assert (answer.status, codes(answer)) == (Status.REJECTED, ["EMPTY"])


# Trying it first


@pytest.mark.usefixtures("workflow")
async def test_a_dry_run_answers_the_same_and_writes_nothing(owner: Context, editor: Context) -> None:
    await saved(editor, MOVED, 1)
    tries: list[tuple[object, int | None, Status]] = [
        (GROWN, 2, Status.SAVED),
        (MOVED, 2, Status.UNCHANGED),
        (FIRST, 1, Status.UNCHANGED),
        (GROWN, 9, Status.RESYNC),
        (EMPTY, 2, Status.REJECTED),
        ([], 2, Status.REJECTED),
        (TURNED, 1, Status.MERGED),
        (GROWN, 1, Status.MERGED),
    ]
    before = await stores.everything(owner.database)
    dry = [
        await sync.sync(owner, Save("w", state, base_version=base, client_id="t", sequence=1, dry_run=True))
        for state, base, _ in tries
    ]
    assert [answer.status for answer in dry] == [status for _, _, status in tries]
    assert [answer.version for answer in dry] == [3, 2, 2, 2, 2, 2, 3, 3]
    assert [conflict.id for answer in dry for conflict in answer.conflicts] == [None]
    assert {answer.last_sequence for answer in dry} == {None}
    assert await stores.everything(owner.database) == before
    for answer, (state, base, _) in zip(dry[1:7], tries[1:7], strict=True):
        wet = await save(owner, state, base)
        unkept = tuple(replace(conflict, id=None) for conflict in wet.conflicts)
        assert (wet.status, wet.version, wet.changes, unkept, wet.problems) == (
            answer.status,
            answer.version,
            answer.changes,
            answer.conflicts,
            answer.problems,
        )


async def test_a_dry_run_creates_nothing(owner: Context, stranger: Context) -> None:
    answer = await sync.sync(owner, Save("w", FIRST, dry_run=True))
    assert (answer.status, answer.version, answer.saved_at) == (Status.CREATED, 1, None)
    assert not any((await stores.everything(owner.database)).values())
    assert (await save(stranger, FIRST)).status is Status.CREATED


# Several at once


async def test_a_batch_is_saved_in_order(owner: Context) -> None:
    batch = [
        Save("w", FIRST, base_version=0),
        Save("v", FIRST),
        Save("w", MOVED, base_version=1),
        Save("w", MOVED, base_version=2),
        Save("w", GROWN, base_version=2, dry_run=True),
        Save("v", GROWN),
    ]
    answers = await sync.sync_all(owner, batch)
    assert [(answer.id, answer.status, answer.version) for answer in answers] == [
        ("w", Status.CREATED, 1),
        ("v", Status.CREATED, 1),
        ("w", Status.SAVED, 2),
        ("w", Status.UNCHANGED, 2),
        ("w", Status.SAVED, 3),
        ("v", Status.SAVED, 2),
    ]
    assert await stores.document(owner) == MOVED
    assert await stores.document(owner, "v") == GROWN
    assert await sync.sync_all(owner, []) == []


FAILING: dict[str, tuple[Save, str]] = {
    "forbidden": (Save("theirs", FIRST), "FORBIDDEN"),
    "missing": (Save("missing", FIRST, base_version=3), "NOT_FOUND"),
    "no object": (Save("w", []), "NOT_AN_OBJECT"),
    "wiped": (Save("w", EMPTY, base_version=1), "EMPTY"),
    "a name that is none": (Save("w", MOVED, name=""), "BAD_USER_INPUT"),
}


@pytest.mark.usefixtures("workflow")
@pytest.mark.parametrize(("failing", "code"), FAILING.values(), ids=FAILING.keys())
async def test_a_failing_save_stops_the_later_ones_of_its_own_workflow_only(
    owner: Context, stranger: Context, failing: Save, code: str
) -> None:
    await sync.sync(stranger, Save("theirs", FIRST))
    later = Save(failing.id, MOVED, base_version=1)
    answers = await sync.sync_all(
        owner, [failing, Save("new", FIRST), later, Save("new", MOVED, base_version=1), later]
    )
    assert [answer.id for answer in answers] == [failing.id, "new", failing.id, "new", failing.id]
    assert [answer.status for answer in answers] == [
        Status.REJECTED,
        Status.CREATED,
        Status.REJECTED,
        Status.SAVED,
        Status.REJECTED,
    ]
    assert [codes(answer) for answer in answers] == [[code], [], ["SKIPPED"], [], ["SKIPPED"]]
    assert await stores.document(owner) == FIRST
    assert await stores.document(stranger, "theirs") == FIRST


@pytest.mark.usefixtures("workflow")
async def test_a_conflict_is_no_failure_of_a_batch(owner: Context, editor: Context) -> None:
    await saved(editor, MOVED, 1)
    batch = [Save("w", GROWN, base_version=1, mode=Mode.OVERWRITE), Save("w", GROWN, base_version=2)]
    assert [answer.status for answer in await sync.sync_all(owner, batch)] == [Status.CONFLICT, Status.SAVED]


async def test_a_batch_has_a_limit(owner: Context) -> None:
    owner.limits = Limits(batch_items=3)
    with pytest.raises(errors.BadUserInputError, match="3"):
        await sync.sync_all(owner, [Save(f"w{n}", FIRST) for n in range(4)])
    assert not any((await stores.everything(owner.database)).values())
    assert len(await sync.sync_all(owner, [Save(f"w{n}", FIRST) for n in range(3)])) == 3
