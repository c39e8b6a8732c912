"""Conflicts stay open until somebody takes a side, which is a save like any other."""

import asyncio
import uuid
from collections import Counter
from dataclasses import replace

import pytest

from db.conflicts import Conflict
from db.workflows import Role
from merge import apply, diff
from merge.changes import Change
from merge.three_way import Side
from resolvers import conflicts, errors, history, standings, subscriptions, sync, workflows
from resolvers.answers import Answer
from resolvers.context import Context
from resolvers.saves import Mode, Reason, Save, Status
from tests.documents import Document
from tests.resolvers import stores

FIRST: Document = {"blocks": {"a": {"x": 1}}, "edges": []}  # what `workflow` is at version 1
THEIRS: Document = {"blocks": {"a": {"x": 2}}, "edges": []}
YOURS: Document = {"blocks": {"a": {"x": 3}}, "edges": []}
REDUCED: Document = {"blocks": {"b": {}}, "edges": []}


async def save(context: Context, state: Document, base: int, mode: Mode = Mode.MERGE) -> Answer:
    return await sync.sync(context, Save("w", state, base_version=base, client_id="tab", mode=mode))


async def opened(context: Context) -> list[Conflict]:
    return await conflicts.read_open(context, await workflows.visible(context, "w"))


async def resolve(context: Context, conflict: Conflict, take: Side) -> Answer:
    return await conflicts.resolve(context, str(conflict.id), take, None)


async def collide(first: Context, second: Context, theirs: Document, yours: Document, base: int = 1) -> Conflict:
    """Have two save on one base so that one thing collides, and give the conflict."""
    await save(first, theirs, base)
    (conflict,) = (await save(second, yours, base)).conflicts
    assert conflict in await opened(first)
    return conflict


async def removed_and_edited(owner: Context, editor: Context) -> Conflict:
    """Have the owner remove a block that the editor moves at the same time: its edit stands at version 3."""
    await save(owner, FIRST | {"blocks": {"a": {"x": 1}, "b": {}}}, 1)
    return await collide(editor, owner, FIRST | {"blocks": {"a": {"x": 2}, "b": {}}}, REDUCED, base=2)


@pytest.fixture
async def conflict(owner: Context, editor: Context, workflow: str) -> Conflict:
    """Two values for one path: the owner wrote 2 over 1, then the editor 3, which stands at version 3."""
    assert workflow == "w"
    return await collide(owner, editor, THEIRS, YOURS)


# Who


async def test_whoever_may_see_a_workflow_sees_its_conflicts(
    owner: Context, editor: Context, viewer: Context, conflict: Conflict
) -> None:
    assert await opened(owner) == await opened(editor) == await opened(viewer) == [conflict]


async def test_nobody_resolves(nobody: Context, conflict: Conflict) -> None:
    with pytest.raises(errors.UnauthenticatedError):
        await resolve(nobody, conflict, Side.YOURS)


async def test_a_stranger_hears_the_same_of_a_conflict_and_of_none(stranger: Context, conflict: Conflict) -> None:
    before = await stores.everything(stranger.database)
    for key in (str(conflict.id), str(uuid.uuid4()), "", "w", "\0", "\ud800", "x" * 10_000):
        with pytest.raises(errors.NoConflictError) as refused:
            await conflicts.resolve(stranger, key, Side.YOURS, None)
        assert (refused.value.code, str(refused.value)) == ("NOT_FOUND", str(errors.NoConflictError()))
    assert await stores.everything(stranger.database) == before


async def test_a_viewer_does_not_resolve(viewer: Context, conflict: Conflict) -> None:
    before = await stores.everything(viewer.database)
    for side in Side:
        with pytest.raises(errors.ForbiddenError):
            await resolve(viewer, conflict, side)
    assert await stores.everything(viewer.database) == before


async def test_an_editor_resolves_also_what_others_met(owner: Context, editor: Context, workflow: str) -> None:
    conflict = await collide(editor, owner, THEIRS, YOURS)
    answer = await resolve(editor, conflict, Side.THEIRS)
    assert (answer.status, answer.version) == (Status.SAVED, 4)
    assert answer.head is not None
    assert (answer.head.role, answer.head.saved_by) == (Role.EDITOR, "editor")
    assert await stores.document(owner, workflow) == THEIRS


# A value


@pytest.mark.parametrize(
    ("take", "x", "status"),
    [(Side.YOURS, 3, Status.UNCHANGED), (Side.THEIRS, 2, Status.SAVED), (Side.BASE, 1, Status.SAVED)],
)
async def test_the_value_of_any_side_can_be_taken(
    owner: Context, conflict: Conflict, take: Side, x: int, status: Status
) -> None:
    answer = await resolve(owner, conflict, take)
    written = () if x == 3 else (Change(("blocks", "a", "x"), value=x, before=3),)
    assert (answer.status, answer.changes, answer.conflicts) == (status, written, ())
    assert answer.version == (3 if x == 3 else 4)
    assert await stores.document(owner) == {"blocks": {"a": {"x": x}}, "edges": []}
    assert await opened(owner) == []


async def test_resolving_is_a_save_that_is_in_the_journal_and_announced(
    owner: Context, editor: Context, conflict: Conflict
) -> None:
    heard = subscriptions.saves(editor, "w", since=3, except_client=None)
    answer = await conflicts.resolve(owner, str(conflict.id), Side.THEIRS, "other tab")
    async with asyncio.timeout(20):
        entry = await anext(heard)
    await heard.aclose()
    assert (entry.version, entry.reason, entry.saved_by) == (4, Reason.RESOLVE, "owner")
    assert (entry.client_id, entry.saved_at) == ("other tab", answer.saved_at)
    assert entry.changes == [{"path": ["blocks", "a", "x"], "value": 2, "before": 3}]


async def test_what_came_since_stays_beside_the_side_that_is_taken(
    owner: Context, editor: Context, conflict: Conflict
) -> None:
    await save(editor, {"blocks": {"a": {"x": 9, "y": 9}, "b": {}}, "edges": []}, 3)
    answer = await resolve(owner, conflict, Side.THEIRS)
    assert answer.changes == (Change(("blocks", "a", "x"), value=2, before=9),)
    assert await stores.document(owner) == {"blocks": {"a": {"x": 2, "y": 9}, "b": {}}, "edges": []}


async def test_a_side_that_no_longer_has_a_place_is_rejected_and_stays_open(owner: Context, conflict: Conflict) -> None:
    await sync.sync(owner, Save("w", {"blocks": {"b": {}}, "edges": []}, base_version=3, allow_empty=True))
    answer = await resolve(owner, conflict, Side.THEIRS)
    assert (answer.status, [problem.code for problem in answer.problems]) == (Status.REJECTED, ["PATH"])
    assert conflict in await opened(owner)


@pytest.mark.parametrize(
    ("take", "block"), [(Side.YOURS, None), (Side.THEIRS, {"x": 2}), (Side.BASE, {"x": 1})], ids=str
)
async def test_a_removal_that_met_an_edit_can_be_taken_either_way(
    owner: Context, editor: Context, workflow: str, take: Side, block: Document | None
) -> None:
    conflict = await removed_and_edited(owner, editor)
    assert (conflict.path, conflict.sides) == (("blocks", "a"), {"base": {"x": 1}, "theirs": {"x": 2}})
    assert (await stores.document(owner, workflow))["blocks"] == {"a": {"x": 2}, "b": {}}
    await resolve(owner, conflict, take)
    assert (await stores.document(owner))["blocks"] == {"b": {}} | ({} if block is None else {"a": block})
    assert await opened(owner) == []


async def test_a_removal_of_what_is_gone_by_now_only_closes(owner: Context, editor: Context, workflow: str) -> None:
    conflict = await removed_and_edited(owner, editor)
    await save(owner, REDUCED, 3)
    answer = await resolve(owner, conflict, Side.YOURS)
    assert (answer.status, answer.version, answer.changes) == (Status.UNCHANGED, 4, ())
    assert await opened(owner) == []
    assert await stores.document(owner, workflow) == REDUCED


@pytest.mark.parametrize(
    ("take", "edges"),
    [
        (Side.YOURS, [{"id": "e", "source": "a", "kind": 2}]),
        (Side.THEIRS, [{"id": "e", "source": "a", "kind": 1}]),
        (Side.BASE, [{"id": "e", "source": "a"}]),
    ],
    ids=str,
)
async def test_what_both_added_to_one_item_of_a_list_can_be_taken_either_way(
    owner: Context, editor: Context, workflow: str, take: Side, edges: list[Document]
) -> None:
    theirs, yours = ({**FIRST, "edges": [{"id": "e", "source": "a", "kind": kind}]} for kind in (1, 2))
    conflict = await collide(editor, owner, theirs, yours)
    assert (conflict.path, conflict.sides) == (("edges", "e", "kind"), {"theirs": 1, "yours": 2})
    await resolve(owner, conflict, take)
    assert await stores.document(owner, workflow) == FIRST | {"edges": edges}


async def test_a_removed_item_that_was_edited_can_be_removed_after_all(
    owner: Context, editor: Context, workflow: str
) -> None:
    await save(owner, FIRST | {"edges": [{"id": "e", "kind": 1}, {"id": "f"}]}, 1)
    theirs: Document = FIRST | {"edges": [{"id": "f"}]}
    conflict = await collide(editor, owner, theirs, FIRST | {"edges": [{"id": "e", "kind": 2}, {"id": "f"}]}, base=2)
    assert (conflict.path, conflict.winner) == (("edges", "e"), Side.YOURS)
    assert len((await stores.document(owner, workflow))["edges"]) == 2
    await resolve(owner, conflict, Side.THEIRS)
    assert await stores.document(owner) == theirs


# A whole payload


@pytest.fixture
async def stale(owner: Context, editor: Context, workflow: str) -> Document:
    """What the owner sent on version 1 to overwrite what the editor had saved as version 2."""
    await save(editor, THEIRS, 1)
    sent: Document = {"blocks": {"a": {"x": 1}, "b": {}}, "edges": [], "n": workflow}
    assert (await save(owner, sent, 1, Mode.OVERWRITE)).status is Status.CONFLICT
    return sent


async def whole(context: Context) -> Conflict:
    """Give the only conflict that is open, which is about a whole payload."""
    (conflict,) = await opened(context)
    assert (conflict.path, list(conflict.sides), conflict.winner) == ((), ["yours"], "THEIRS")
    return conflict


async def test_a_whole_payload_tells_who_sent_it_and_what_stood(owner: Context, stale: Document) -> None:
    conflict = await whole(owner)
    head = await workflows.visible(owner, "w")
    assert conflict.sides == {"yours": stale}
    assert (conflict.yours_by, conflict.theirs_by, conflict.theirs_version) == ("owner", "editor", 2)
    assert conflict.theirs_at == head.saved_at


async def test_a_whole_payload_is_merged_on_its_own_base(owner: Context, stale: Document) -> None:
    answer = await resolve(owner, await whole(owner), Side.YOURS)
    assert (answer.version, answer.conflicts) == (3, ())
    assert await stores.document(owner) == stale | {"blocks": {"a": {"x": 2}, "b": {}}}
    assert apply.apply(THEIRS, answer.changes) == await stores.document(owner)
    assert await opened(owner) == []


async def test_a_whole_payload_that_collides_is_merged_and_leaves_the_values_to_choose_from(
    owner: Context, editor: Context, workflow: str
) -> None:
    await save(editor, THEIRS, 1)
    answer = await save(owner, YOURS, 1, Mode.STRICT)
    assert answer.status is Status.CONFLICT
    resolved = await resolve(editor, await whole(owner), Side.YOURS)
    assert await stores.document(owner, workflow) == YOURS
    (conflict,) = resolved.conflicts
    assert (conflict.path, conflict.sides) == (("blocks", "a", "x"), {"base": 1, "theirs": 2, "yours": 3})
    assert await opened(owner) == [conflict]


@pytest.mark.usefixtures("stale")
async def test_a_whole_payload_can_be_let_go(owner: Context) -> None:
    answer = await resolve(owner, await whole(owner), Side.THEIRS)
    assert (answer.status, answer.version, answer.changes) == (Status.UNCHANGED, 2, ())
    assert await stores.document(owner) == THEIRS
    assert await opened(owner) == []


@pytest.mark.usefixtures("stale")
async def test_the_base_of_a_whole_payload_can_be_taken(owner: Context) -> None:
    answer = await resolve(owner, await whole(owner), Side.BASE)
    assert (answer.status, answer.version) == (Status.SAVED, 3)
    assert await stores.document(owner) == FIRST
    assert await opened(owner) == []


async def test_changes_that_were_kept_are_merged_on_their_base(owner: Context, editor: Context, workflow: str) -> None:
    """In the trash nobody looked at what they were made on."""
    await save(editor, THEIRS | {"n": 1}, 1)
    await workflows.delete(owner, workflow)
    edit = Save(workflow, changes=(Change(("blocks", "b"), value={}),), base_version=1, client_id="tab")
    assert (await sync.sync(editor, edit)).status is Status.REJECTED
    await workflows.undelete(owner, workflow)
    conflict = await whole(owner)
    assert conflict.sides == {"yours": [{"path": ["blocks", "b"], "value": {}}]}
    await resolve(owner, conflict, Side.YOURS)
    assert await stores.document(owner) == {"blocks": {"a": {"x": 2}, "b": {}}, "edges": [], "n": 1}
    assert await opened(owner) == []


@pytest.mark.parametrize("form", ["state", "changes"])
async def test_a_payload_whose_base_nobody_knows_is_saved_on_what_stands(
    owner: Context, editor: Context, workflow: str, form: str
) -> None:
    await save(editor, THEIRS | {"n": 1}, 1)
    edit = Save("w", YOURS) if form == "state" else Save("w", changes=tuple(diff.diff(FIRST, YOURS)))
    sent = replace(edit, base_version=9, client_id="tab")
    assert (await sync.sync(owner, sent)).status is Status.RESYNC
    conflict = await whole(owner)
    with pytest.raises(errors.ResyncRequiredError):
        await resolve(owner, conflict, Side.BASE)
    answer = await resolve(owner, conflict, Side.YOURS)
    assert answer.status is Status.SAVED
    assert await stores.document(owner, workflow) == (YOURS if form == "state" else YOURS | {"n": 1})
    assert await opened(owner) == []


async def test_a_payload_without_a_base_has_none_to_take(owner: Context, workflow: str) -> None:
    await workflows.delete(owner, workflow)
    await sync.sync(owner, Save(workflow, YOURS))
    await workflows.undelete(owner, workflow)
    conflict = await whole(owner)
    with pytest.raises(errors.BadUserInputError, match="no base"):
        await resolve(owner, conflict, Side.BASE)
    await resolve(owner, conflict, Side.YOURS)
    assert await stores.document(owner) == YOURS


async def test_a_payload_whose_base_is_forgotten_meanwhile_stays_open(
    owner: Context, stale: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_reached = standings.is_reached

    async def forgotten(*_: object) -> bool:
        await stores.prune(owner, 2)
        monkeypatch.setattr(standings, "is_reached", is_reached)
        return True

    monkeypatch.setattr(standings, "is_reached", forgotten)
    conflict = await whole(owner)
    assert (await resolve(owner, conflict, Side.YOURS)).status is Status.RESYNC
    assert await opened(owner) == [conflict]
    assert conflict.sides == {"yours": stale}


async def test_a_payload_counts_what_its_own_tab_had_saved_before_into_its_base(
    owner: Context, editor: Context, workflow: str
) -> None:
    await sync.sync(owner, Save(workflow, {"blocks": {"a": {"x": 2}}, "edges": []}, base_version=1, client_id="tab"))
    await sync.sync(editor, Save(workflow, {"blocks": {"a": {"x": 2}, "b": {}}, "edges": []}, base_version=2))
    back: Document = {"blocks": {"a": {"x": 1}}, "edges": []}
    refused = await sync.sync(owner, Save(workflow, back, base_version=1, client_id="tab", mode=Mode.OVERWRITE))
    assert refused.status is Status.CONFLICT

    answer = await resolve(owner, await whole(owner), Side.YOURS)
    assert (answer.status, answer.conflicts) == (Status.MERGED, ())
    assert await stores.document(owner) == {"blocks": {"a": {"x": 1}, "b": {}}, "edges": []}


async def test_what_an_unload_would_have_wiped_can_still_be_wiped(owner: Context, workflow: str) -> None:
    empty: Document = {"blocks": {}, "edges": []}
    answer = await sync.sync(owner, Save(workflow, empty, base_version=1, client_id="tab", reason=Reason.UNLOAD))
    assert answer.status is Status.REJECTED
    await resolve(owner, await whole(owner), Side.YOURS)
    assert await stores.document(owner) == empty


# Several


async def test_conflicts_are_listed_newest_first(owner: Context, editor: Context, conflict: Conflict) -> None:
    second = await collide(owner, editor, YOURS | {"n": 1}, YOURS | {"n": 2}, base=3)
    assert await opened(owner) == [second, conflict]
    await resolve(owner, second, Side.YOURS)
    assert await opened(owner) == [conflict]


async def test_a_closed_conflict_is_not_there_any_more(owner: Context, editor: Context, conflict: Conflict) -> None:
    await resolve(owner, conflict, Side.THEIRS)
    before = await stores.everything(owner.database)
    for side in Side:
        with pytest.raises(errors.NoConflictError):
            await resolve(editor, conflict, side)
    assert await stores.everything(owner.database) == before


async def test_of_many_who_close_a_conflict_at_once_one_does(
    owner: Context, editor: Context, conflict: Conflict
) -> None:
    async def close(context: Context, side: Side) -> str:
        try:
            return (await resolve(context, conflict, side)).status
        except errors.NoConflictError as error:
            return error.code

    outcomes = await asyncio.gather(
        *(close(context, side) for context in (owner, editor) for side in (Side.THEIRS, Side.BASE) for _ in range(5))
    )
    assert Counter(outcomes) == {"SAVED": 1, "NOT_FOUND": 19}
    assert await stores.versions(owner.database) == [1, 2, 3, 4]
    assert await opened(owner) == []


async def test_a_conflict_of_a_workflow_in_the_trash_stays_open(owner: Context, conflict: Conflict) -> None:
    await workflows.delete(owner, "w")
    answer = await resolve(owner, conflict, Side.THEIRS)
    assert (answer.status, [problem.code for problem in answer.problems]) == (Status.REJECTED, ["DELETED"])
    assert await opened(owner) == [conflict]
    await workflows.undelete(owner, "w")
    assert (await resolve(owner, conflict, Side.THEIRS)).status is Status.SAVED
    assert await history.state(owner, "w", 4) == THEIRS


async def test_a_purge_takes_the_conflicts_along(owner: Context, conflict: Conflict) -> None:
    await workflows.purge(owner, "w")
    with pytest.raises(errors.NoConflictError):
        await resolve(owner, conflict, Side.THEIRS)
    assert await stores.rows(owner.database, "workflow_conflicts") == []
