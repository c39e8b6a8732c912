"""Workflows as a whole: who may do what with them, and what is left afterwards."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from db import conflicts
from db.conflicts import Conflict
from db.workflows import Head, Role
from resolvers import errors, sync, workflows
from resolvers.context import Context
from resolvers.saves import Mode, Save, Status
from resolvers.submissions import Ground
from resolvers.workflows import HeadPage
from tests.facts import somebody_waits, until
from tests.resolvers import stores

Operation = Callable[[Context, str], Awaitable[Any]]


async def rename(context: Context, workflow_id: str) -> Head:
    return await workflows.rename(context, workflow_id, "Other")


async def duplicate(context: Context, workflow_id: str) -> Head:
    return await workflows.duplicate(context, workflow_id, "copy", None)


async def share(context: Context, workflow_id: str) -> Head:
    return await workflows.share(context, workflow_id, "friend", Role.VIEWER)


async def unshare(context: Context, workflow_id: str) -> Head:
    return await workflows.unshare(context, workflow_id, "friend")


OPERATIONS: list[Operation] = [
    workflows.visible,
    rename,
    duplicate,
    workflows.delete,
    workflows.undelete,
    share,
    unshare,
    workflows.purge,
]
by_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.__name__)


async def refusal(attempt: Awaitable[Any]) -> errors.OperationError:
    with pytest.raises(errors.OperationError) as caught:
        await attempt
    return caught.value


async def ids(page: Awaitable[HeadPage]) -> list[str]:
    return [head.id for head in (await page).heads]


async def row(context: Context, workflow_id: str) -> dict[str, Any]:
    """Read what is stored of a workflow's head."""
    async with context.database.connection() as connection:
        return dict(await connection.fetchrow("SELECT * FROM workflows WHERE id = $1", workflow_id) or {})


async def count(context: Context, table: str) -> int:
    async with context.database.connection() as connection:
        counted = await connection.fetchval(f"SELECT count(*) FROM {table}")
    assert isinstance(counted, int)
    return counted


@by_operation
async def test_nobody_may_do_anything(nobody: Context, workflow: str, operation: Operation) -> None:
    assert isinstance(await refusal(operation(nobody, workflow)), errors.UnauthenticatedError)
    assert isinstance(await refusal(operation(nobody, "missing")), errors.UnauthenticatedError)


@by_operation
async def test_somebody_elses_workflow_and_a_missing_one_get_the_same_answer(
    owner: Context, stranger: Context, workflow: str, operation: Operation
) -> None:
    before = await row(owner, workflow)
    answers = [
        await refusal(operation(stranger, key)) for key in (workflow, "missing", "", "\0", "\ud800", "x" * 9_999)
    ]
    assert {(type(answer), str(answer)) for answer in answers} == {(errors.NotFoundError, str(errors.NotFoundError()))}
    assert await row(owner, workflow) == before
    assert await count(owner, "workflow_members") == 2
    assert await count(owner, "workflows") == 1


@by_operation
async def test_a_purged_workflow_is_gone_for_everybody(
    owner: Context, editor: Context, workflow: str, operation: Operation
) -> None:
    await workflows.purge(owner, workflow)
    tombstone = await row(owner, workflow)
    for context in (owner, editor):
        assert isinstance(await refusal(operation(context, workflow)), errors.NotFoundError)
    assert await row(owner, workflow) == tombstone


@pytest.mark.parametrize(
    ("operation", "least"),
    [
        (workflows.visible, Role.VIEWER),
        (duplicate, Role.VIEWER),
        (rename, Role.EDITOR),
        (workflows.delete, Role.OWNER),
        (workflows.undelete, Role.OWNER),
        (share, Role.OWNER),
        (unshare, Role.OWNER),
        (workflows.purge, Role.OWNER),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
async def test_each_role_may_do_its_part(
    owner: Context, editor: Context, viewer: Context, workflow: str, operation: Operation, least: Role
) -> None:
    by_role = {Role.VIEWER: viewer, Role.EDITOR: editor, Role.OWNER: owner}
    lesser = list(by_role)[: list(by_role).index(least)]
    before = await row(owner, workflow)
    for role in lesser:
        assert isinstance(await refusal(operation(by_role[role], workflow)), errors.ForbiddenError)
    assert await row(owner, workflow) == before
    await operation(by_role[least], workflow)


async def test_everybody_sees_their_role(owner: Context, editor: Context, viewer: Context, workflow: str) -> None:
    heads = [await workflows.visible(context, workflow) for context in (owner, editor, viewer)]
    assert [head.role for head in heads] == [Role.OWNER, Role.EDITOR, Role.VIEWER]
    assert {(head.id, head.owner_id, head.name, head.version, head.saved_by) for head in heads} == {
        ("w", "owner", "Plan", 1, "owner")
    }


async def test_a_name_is_what_was_typed_without_its_margins(owner: Context, editor: Context, workflow: str) -> None:
    head = await workflows.rename(editor, workflow, "  Ünïcode 🦊 %_\\ \n")
    assert head.name == "Ünïcode 🦊 %_\\"
    assert await workflows.visible(owner, workflow) == replace(head, role=Role.OWNER)


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "nul \0", "half \ud800"])
async def test_what_is_no_name_is_refused(owner: Context, workflow: str, name: str) -> None:
    assert isinstance(await refusal(workflows.rename(owner, workflow, name)), errors.BadUserInputError)
    assert (await workflows.visible(owner, workflow)).name == "Plan"


async def test_the_same_name_again_is_no_change(owner: Context, workflow: str) -> None:
    before = await row(owner, workflow)
    await workflows.rename(owner, workflow, "Plan")
    assert await row(owner, workflow) == before


async def test_a_new_name_is_no_new_version(owner: Context, editor: Context, workflow: str) -> None:
    before = await workflows.visible(owner, workflow)
    after = await workflows.rename(editor, workflow, "Other")
    assert (after.version, after.saved_by, after.saved_at) == (before.version, before.saved_by, before.saved_at)
    stored = await row(owner, workflow)
    assert stored["revised_by"] == "editor"


@pytest.mark.parametrize("operation", [rename, share], ids=lambda operation: operation.__name__)
async def test_what_lies_in_the_trash_is_left_as_it_is(owner: Context, workflow: str, operation: Operation) -> None:
    await workflows.delete(owner, workflow)
    answer = await refusal(operation(owner, workflow))
    assert isinstance(answer, errors.BadUserInputError)
    assert "undelete it first" in str(answer)


async def test_the_trash_gives_back_what_was_put_there(owner: Context, viewer: Context, workflow: str) -> None:
    before = await workflows.visible(viewer, workflow)
    trashed = await workflows.delete(owner, workflow)
    assert trashed.deleted_at is not None
    assert await workflows.visible(viewer, workflow) == replace(
        before, deleted_at=trashed.deleted_at, revision=before.revision + 1
    )
    assert await workflows.delete(owner, workflow) == trashed
    await workflows.undelete(owner, workflow)
    assert await workflows.visible(viewer, workflow) == replace(before, revision=before.revision + 2)
    assert (await workflows.undelete(owner, workflow)).deleted_at is None


async def test_a_purge_leaves_an_id_and_nothing_of_the_content(owner: Context, editor: Context, workflow: str) -> None:
    await workflows.rename(owner, workflow, "a secret")
    secret = {"blocks": {"a": {"x": "a secret"}}, "edges": []}
    await sync.sync(owner, Save("w", secret, base_version=1, client_id="tab", sequence=1))
    lost = Save("w", secret | {"note": "a secret"}, base_version=1, client_id="a secret", mode=Mode.OVERWRITE)
    assert (await sync.sync(editor, lost)).status is Status.CONFLICT
    over = await sync.sync(editor, Save("w", {"blocks": {"a": {"x": "other"}}, "edges": []}, base_version=1))
    assert [conflict.sides["theirs"] for conflict in over.conflicts] == ["a secret"]
    await stores.keep(owner, 2)
    assert await workflows.purge(owner, workflow) == workflow
    for table in ("changes", "checkpoints", "clients", "conflicts", "members"):
        assert await count(owner, f"workflow_{table}") == 0
    assert "secret" not in str(await row(owner, workflow))
    assert (await row(owner, workflow))["state"] == {}


async def test_what_is_kept_while_a_purge_begins_is_purged_too(owner: Context, workflow: str) -> None:
    async def is_waiting() -> bool:
        async with owner.database.connection() as connection:
            return await somebody_waits(connection)

    lost = Conflict(uuid.uuid4(), (), {"yours": {"secret": 1}}, "THEIRS", "editor", "owner", datetime.now(UTC), 1)
    async with owner.database.transaction() as keeping:
        await conflicts.keep(keeping, workflow, "tab", [lost], base=1)
        purging = asyncio.create_task(workflows.purge(owner, workflow))
        await until(is_waiting)
    await purging
    assert await count(owner, "workflow_conflicts") == 0


async def test_the_id_of_a_purged_workflow_is_never_given_out_again(
    owner: Context, stranger: Context, workflow: str
) -> None:
    await workflows.delete(owner, workflow)
    await workflows.purge(owner, workflow)
    await sync.sync(stranger, Save("mine", {"n": 1}))
    for context in (owner, stranger):
        assert isinstance(await refusal(sync.sync(context, Save("w", {"n": 1}))), errors.ForbiddenError)
    assert isinstance(await refusal(workflows.duplicate(stranger, "mine", "w", None)), errors.ForbiddenError)


async def test_a_copy_is_a_workflow_of_ones_own(owner: Context, viewer: Context, workflow: str) -> None:
    await sync.sync(owner, Save("w", {"blocks": {"b": {"é": [1, 2.5, None]}}}), ground=Ground.HEAD)
    copy = await workflows.duplicate(viewer, workflow, "copy", None)
    assert (copy.id, copy.owner_id, copy.name, copy.version, copy.role) == ("copy", "viewer", "Plan (copy)", 1, "OWNER")
    stored, original = await row(owner, "copy"), await row(owner, workflow)
    assert stored["state"] == original["state"]
    assert isinstance(await refusal(workflows.visible(owner, "copy")), errors.NotFoundError)
    assert await workflows.list_members(viewer, copy) == []


async def test_a_copy_may_have_a_name_of_its_own(owner: Context, workflow: str) -> None:
    assert (await workflows.duplicate(owner, workflow, "a", " Mine ")).name == "Mine"
    await workflows.rename(owner, workflow, "x" * 200)
    assert (await workflows.duplicate(owner, workflow, "b", None)).name == "x" * 193 + " (copy)"
    for name in ("", "x" * 201, "\0"):
        assert isinstance(await refusal(workflows.duplicate(owner, workflow, "c", name)), errors.BadUserInputError)
    assert isinstance(await refusal(workflows.visible(owner, "c")), errors.NotFoundError)


async def test_a_trashed_workflow_can_be_copied(owner: Context, workflow: str) -> None:
    await workflows.delete(owner, workflow)
    assert (await workflows.duplicate(owner, workflow, "copy", None)).deleted_at is None


@pytest.mark.parametrize("new_id", ["", "x" * 129, "\0", "\ud800"])
async def test_a_copy_needs_an_id_that_can_be_stored(owner: Context, workflow: str, new_id: str) -> None:
    answer = await refusal(workflows.duplicate(owner, workflow, new_id, None))
    assert isinstance(answer, errors.BadUserInputError)
    assert "`newId`" in str(answer)


async def test_a_copy_never_touches_what_has_its_id(owner: Context, stranger: Context, workflow: str) -> None:
    await sync.sync(owner, Save("mine", {"n": 1}))
    await sync.sync(stranger, Save("theirs", {"n": 1}))
    before = [await row(owner, key) for key in ("w", "mine", "theirs")]
    for new_id in ("w", "mine", "theirs"):
        answer = await refusal(workflows.duplicate(owner, workflow, new_id, None))
        assert isinstance(answer, errors.ForbiddenError)
        assert "`newId` is taken" in str(answer) or "This id is taken" in str(answer)
    assert [await row(owner, key) for key in ("w", "mine", "theirs")] == before
    assert await count(owner, "workflow_conflicts") == 0


async def test_a_copy_that_is_too_large_by_now_says_so(owner: Context, workflow: str) -> None:
    owner.limits = replace(owner.limits, document_bytes=10)
    answer = await refusal(workflows.duplicate(owner, workflow, "copy", None))
    assert isinstance(answer, errors.BadUserInputError)
    assert "more than 10 bytes" in str(answer)


async def test_members_are_listed_with_their_roles(owner: Context, viewer: Context, workflow: str) -> None:
    await workflows.share(owner, workflow, "a friend", Role.EDITOR)
    head = await workflows.visible(viewer, workflow)
    assert [(member.user_id, member.role) for member in await workflows.list_members(viewer, head)] == [
        ("a friend", Role.EDITOR),
        ("editor", Role.EDITOR),
        ("viewer", Role.VIEWER),
    ]


async def test_a_role_can_be_changed_and_taken_away(owner: Context, viewer: Context, workflow: str) -> None:
    await workflows.share(owner, workflow, "viewer", Role.EDITOR)
    assert (await workflows.rename(viewer, workflow, "Mine")).role is Role.EDITOR
    await workflows.share(owner, workflow, "viewer", Role.VIEWER)
    assert isinstance(await refusal(workflows.rename(viewer, workflow, "Again")), errors.ForbiddenError)
    await workflows.unshare(owner, workflow, "viewer")
    assert await workflows.find(viewer, workflow) is None


async def test_a_share_that_changes_nothing_is_no_revision(owner: Context, workflow: str) -> None:
    before = await row(owner, workflow)
    await workflows.share(owner, workflow, "viewer", Role.VIEWER)
    await workflows.unshare(owner, workflow, "nobody in particular")
    assert await row(owner, workflow) == before


async def test_a_share_in_the_trash_can_be_taken_away(owner: Context, viewer: Context, workflow: str) -> None:
    await workflows.delete(owner, workflow)
    await workflows.unshare(owner, workflow, "viewer")
    assert await workflows.find(viewer, workflow) is None


async def test_a_workflow_has_one_owner(owner: Context, workflow: str) -> None:
    for user, role in (("friend", Role.OWNER), ("owner", Role.VIEWER), ("owner", Role.OWNER)):
        assert isinstance(await refusal(workflows.share(owner, workflow, user, role)), errors.BadUserInputError)
    assert await count(owner, "workflow_members") == 2


@pytest.mark.parametrize("user_id", ["", "x" * 256, "\0", "\ud800"])
async def test_who_cannot_be_a_user_is_refused(owner: Context, workflow: str, user_id: str) -> None:
    for attempt in (
        workflows.share(owner, workflow, user_id, Role.VIEWER),
        workflows.unshare(owner, workflow, user_id),
    ):
        assert isinstance(await refusal(attempt), errors.BadUserInputError)


async def test_the_newest_saved_comes_first(owner: Context) -> None:
    for workflow_id in ("a", "c", "b"):
        await sync.sync(owner, Save(workflow_id, {"n": 1}))
    assert await ids(workflows.page(owner)) == ["b", "c", "a"]
    await sync.sync(owner, Save("a", {"n": 2}))
    await workflows.rename(owner, "c", "Other")
    assert await ids(workflows.page(owner)) == ["a", "b", "c"]


async def pages(context: Context, size: int) -> list[str]:
    """Read a whole list page by page."""
    read: list[str] = []
    page = await workflows.page(context, first=size)
    while True:
        read += [head.id for head in page.heads]
        assert len(page.heads) == size or not page.has_next
        if not page.has_next:
            return read
        page = await workflows.page(context, first=size, after=(page.heads[-1].saved_at, page.heads[-1].id))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
async def test_pages_give_everything_once_even_what_was_saved_at_the_same_time(owner: Context, size: int) -> None:
    everything = [f"w{n}" for n in range(7)]
    for workflow_id in everything:
        await sync.sync(owner, Save(workflow_id, {"n": 1}))
    async with owner.database.connection() as connection:
        await connection.execute("UPDATE workflows SET saved_at = '2026-01-01 12:00:00.123456+00'")
    assert await pages(owner, size) == everything[::-1]


async def test_a_page_stands_where_it_stood_while_others_save(owner: Context) -> None:
    for n in range(6):
        await sync.sync(owner, Save(f"w{n}", {"n": 1}))
    first = await workflows.page(owner, first=2)
    assert [head.id for head in first.heads] == ["w5", "w4"]
    await sync.sync(owner, Save("w4", {"n": 2}))
    await sync.sync(owner, Save("new", {"n": 1}))
    last = first.heads[-1]
    assert await ids(workflows.page(owner, after=(last.saved_at, last.id))) == ["w3", "w2", "w1", "w0"]


async def test_an_empty_list_is_a_page(stranger: Context, workflow: str) -> None:
    assert workflow == "w"
    assert await workflows.page(stranger) == HeadPage([], has_next=False)


@pytest.mark.parametrize("first", [0, -1, 101, 2**31 - 1])
async def test_a_page_of_no_or_too_many_is_refused(owner: Context, first: int) -> None:
    assert isinstance(await refusal(workflows.page(owner, first=first)), errors.BadUserInputError)


async def test_nobody_has_a_list(nobody: Context) -> None:
    assert isinstance(await refusal(workflows.page(nobody)), errors.UnauthenticatedError)


async def test_a_list_shows_what_one_owns_and_what_is_shared(owner: Context, viewer: Context, workflow: str) -> None:
    await sync.sync(viewer, Save("own", {"n": 1}))
    heads = (await workflows.page(viewer)).heads
    assert [(head.id, head.role) for head in heads] == [("own", Role.OWNER), (workflow, Role.VIEWER)]
    assert await ids(workflows.page(owner)) == [workflow]


async def test_the_trash_is_a_list_of_its_own(owner: Context, viewer: Context, workflow: str) -> None:
    await sync.sync(owner, Save("kept", {"n": 1}))
    await sync.sync(owner, Save("purged", {"n": 1}))
    await workflows.delete(owner, workflow)
    await workflows.purge(owner, "purged")
    assert await ids(workflows.page(owner)) == ["kept"]
    assert await ids(workflows.page(owner, deleted=True)) == [workflow]
    assert await ids(workflows.page(viewer, deleted=True)) == [workflow]
    assert await ids(workflows.page(viewer)) == []


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("plan", ["c", "b", "a"]),
        ("PLAN", ["c", "b", "a"]),
        ("100%", ["a"]),
        ("%", ["a"]),
        ("_", ["b"]),
        ("\\", ["c"]),
        ("ÄRGER", ["b"]),
        ("σίγμα", ["c"]),
        ("🦊", ["c"]),
        ("'; DROP TABLE workflows; --", []),
        ("", ["d", "c", "b", "a"]),
        (None, ["d", "c", "b", "a"]),
    ],
)
async def test_a_search_finds_parts_of_names_as_they_are_written(
    owner: Context, search: str | None, found: list[str]
) -> None:
    names = {"a": "Plan 100%", "b": "plan_ärger", "c": "PLAN \\ Σίγμα 🦊", "d": "Other"}
    for workflow_id, name in names.items():
        await sync.sync(owner, Save(workflow_id, {"n": 1}, name=name))
    assert await ids(workflows.page(owner, search=search)) == found


@pytest.mark.parametrize("search", ["x" * 201, "\0", "\ud800"])
async def test_what_no_name_can_hold_cannot_be_searched_for(owner: Context, search: str) -> None:
    assert isinstance(await refusal(workflows.page(owner, search=search)), errors.BadUserInputError)


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ({"blocks": {"a": {"type": "agent"}}}, ["b", "a"]),
        ({"blocks": {"a": {"type": "agent", "x": 1.0}}}, ["a"]),
        ({"edges": [{"source": "a"}]}, ["b"]),
        ({"blocks": {"a": {"type": None}}}, []),
        ({"blocks": {}}, ["b", "a"]),
        ({}, ["c", "b", "a"]),
        (None, ["c", "b", "a"]),
        ({"__proto__": "'; --", "é": "\u0001🦊"}, ["c"]),
    ],
)
async def test_a_search_finds_parts_of_documents(owner: Context, part: object, found: list[str]) -> None:
    documents: dict[str, dict[str, Any]] = {
        "a": {"blocks": {"a": {"type": "agent", "x": 1}}},
        "b": {"blocks": {"a": {"type": "agent"}, "b": {}}, "edges": [{"id": "e", "source": "a", "target": "b"}]},
        "c": {"__proto__": "'; --", "é": "\u0001🦊"},
    }
    for workflow_id, document in documents.items():
        await sync.sync(owner, Save(workflow_id, document))
    assert await ids(workflows.page(owner, containing=part)) == found


def nested(depth: int) -> object:
    return {"a": nested(depth - 1)} if depth else {}


@pytest.mark.parametrize(
    "part",
    [
        [],
        "text",
        1,
        False,
        {"a": "\0"},
        {"\ud800": 1},
        {"a": 2**64},
        {"a": float("inf")},
        nested(201),
        {"a": "x" * workflows.PART_BYTES},
    ],
    ids=lambda part: f"{part!r:.20}",
)
async def test_what_no_document_can_hold_cannot_be_searched_for(owner: Context, part: object) -> None:
    answer = await refusal(workflows.page(owner, containing=part))
    assert isinstance(answer, errors.BadUserInputError)
    assert "`containing`" in str(answer)


async def test_filters_work_together(owner: Context, viewer: Context) -> None:
    for n in range(10):
        await sync.sync(owner, Save(f"w{n}", {"parity": n % 2}, name=f"Plan {n % 3}"))
        await workflows.share(owner, f"w{n}", "viewer", Role.VIEWER)
    await workflows.delete(owner, "w4")
    wanted: dict[str, Any] = {"search": "plan 1", "containing": {"parity": 0}}
    for context in (owner, viewer):
        assert await ids(workflows.page(context, **wanted, deleted=True)) == ["w4"]
        assert await ids(workflows.page(context, **wanted)) == []
        assert await ids(workflows.page(context, search="plan 1", containing={"parity": 1})) == ["w7", "w1"]
        before = (datetime.now(UTC), "")
        assert await ids(workflows.page(context, search="PLAN 1", after=before, first=1)) == ["w7"]
