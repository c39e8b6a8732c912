"""Workflows as a whole: find, rename, duplicate, throw away and bring back."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from db import members, workflows
from db.database import Connection
from db.members import Member
from db.workflows import Filter, Head, Role
from merge import values
from merge.values import Document
from resolvers import documents, errors, inputs, sync
from resolvers.context import Context, UserId
from resolvers.saves import Reason, Save, Status

PART_BYTES = 10_000  # of what a search looks for, as compact JSON; each of its values is a search of the index

Cursor = tuple[datetime, str]  # saved at, id


@dataclass(frozen=True, slots=True)
class HeadPage:
    """Some workflows, newest saved first, and whether more follow."""

    heads: list[Head]
    has_next: bool


async def find(context: Context, workflow_id: str) -> Head | None:
    """Read a workflow; None where there is none or the caller may not see it."""
    viewer = context.known_viewer()
    if not inputs.is_storable(workflow_id):
        return None
    async with context.database.connection() as connection:
        return await workflows.read(connection, workflow_id, viewer.id)


async def visible(context: Context, workflow_id: str) -> Head:
    """Read a workflow that the caller may see. Raises NotFoundError."""
    head = await find(context, workflow_id)
    if head is None:
        raise errors.NotFoundError
    return head


async def page(
    context: Context,
    *,
    first: int | None = None,
    after: Cursor | None = None,
    search: str | None = None,
    containing: object = None,
    deleted: bool = False,
) -> HeadPage:
    """List the workflows that the caller may see: by part of the name, by a part of the document, or the trash."""
    viewer = context.known_viewer()
    size = inputs.page_size(first)
    if search:
        inputs.text("search", search, most=inputs.SEARCH_CHARACTERS)
    part = None if containing is None else _part(context, containing)
    wanted = Filter(limit=size + 1, after=after, search=search, containing=part, deleted=deleted)
    if part is not None:
        await context.saver.snapshots.fold_visible(viewer.id)
    async with context.database.connection() as connection:
        heads = await workflows.page(connection, viewer.id, wanted)
    return HeadPage(heads[:size], has_next=len(heads) > size)


def _part(context: Context, value: object) -> Document:
    problems = values.problems(value, max_depth=context.limits.document_depth, max_bytes=PART_BYTES)
    if problems or not isinstance(value, dict):
        raise errors.BadUserInputError(f"`containing` must be a part of a document. {problems[0].message}")
    return value


async def rename(context: Context, workflow_id: str, name: str) -> Head:
    """Give a workflow another name (owner, editor)."""
    name = inputs.name(name)

    async def work(connection: Connection, head: Head, user: UserId) -> None:
        _require_saver(head)
        _require_kept(head)
        if head.name != name and not await workflows.rename(connection, head.id, user, name):
            raise errors.ForbiddenError

    return await _change(context, workflow_id, work)


async def delete(context: Context, workflow_id: str) -> Head:
    """Put a workflow into the trash (owner); one that lies there stays."""

    async def work(connection: Connection, head: Head, user: UserId) -> None:
        _require_owner(head)
        await workflows.trash(connection, head.id, user)

    return await _change(context, workflow_id, work)


async def undelete(context: Context, workflow_id: str) -> Head:
    """Take a workflow out of the trash (owner)."""

    async def work(connection: Connection, head: Head, user: UserId) -> None:
        _require_owner(head)
        await workflows.untrash(connection, head.id, user)

    return await _change(context, workflow_id, work)


async def purge(context: Context, workflow_id: str) -> str:
    """Remove a workflow for good (owner). Its id is never given out again."""
    viewer = context.known_viewer()

    async def work(connection: Connection) -> None:
        _require_owner(await _visible(connection, workflow_id, viewer.id))
        if not await workflows.purge(connection, workflow_id, viewer.id):
            raise errors.NotFoundError

    await context.database.transact(work, isolation="read_committed")
    await context.hub.announce(workflow_id)
    return workflow_id


async def duplicate(context: Context, workflow_id: str, new_id: str, name: str | None) -> Head:
    """Copy the document of a workflow, without its history, into a new one of the caller's own."""
    viewer = context.known_viewer()
    inputs.identifier("newId", new_id)
    async with context.database.transaction() as connection:
        head = await _visible(connection, workflow_id, viewer.id)
        state = await documents.state_at(connection, head.id, head.version)
        is_taken, _ = await workflows.claim(connection, new_id, viewer.id)
    if is_taken:
        raise _taken()
    title = name if name is not None else f"{head.name[: inputs.NAME_CHARACTERS - 7]} (copy)"
    answer = await sync.sync(context, Save(new_id, state, base_version=0, name=title, reason=Reason.IMPORT))
    if answer.problems:
        raise errors.BadUserInputError(answer.problems[0].message)
    if answer.status is not Status.CREATED or answer.head is None:
        raise _taken()
    return answer.head


def _taken() -> errors.ForbiddenError:
    return errors.ForbiddenError("`newId` is taken: choose another one, a random UUID.")


async def list_members(context: Context, head: Head) -> list[Member]:
    """List with whom a workflow is shared; the owner is not listed."""
    async with context.database.connection() as connection:
        return await members.read(connection, head.id)


async def share(context: Context, workflow_id: str, user_id: str, role: Role) -> Head:
    """Let somebody see (VIEWER) or also save (EDITOR) a workflow (owner)."""
    inputs.text("userId", user_id, most=inputs.USER_ID_CHARACTERS)
    if role is Role.OWNER:
        raise errors.BadUserInputError("A workflow has one owner: share it with the role EDITOR or VIEWER.")

    async def work(connection: Connection, head: Head, user: UserId) -> None:
        _require_owner(head)
        _require_kept(head)
        if user_id == head.owner_id:
            raise errors.BadUserInputError("You own this workflow: there is nobody to share it with here.")
        if await members.put(connection, head.id, user_id, role):
            await workflows.revise(connection, head.id, user)

    return await _change(context, workflow_id, work)


async def unshare(context: Context, workflow_id: str, user_id: str) -> Head:
    """Take somebody's role away again (owner); streams that they listen to end."""
    inputs.text("userId", user_id, most=inputs.USER_ID_CHARACTERS)

    async def work(connection: Connection, head: Head, user: UserId) -> None:
        _require_owner(head)
        if await members.remove(connection, head.id, user_id):
            await workflows.revise(connection, head.id, user)

    return await _change(context, workflow_id, work)


Work = Callable[[Connection, Head, UserId], Awaitable[None]]


async def _change(context: Context, workflow_id: str, work: Work) -> Head:
    """Do `work` to a workflow that the caller may see, tell everybody, and read how it looks now."""
    viewer = context.known_viewer()

    async def transaction(connection: Connection) -> Head:
        await work(connection, await _visible(connection, workflow_id, viewer.id), viewer.id)
        return await _visible(connection, workflow_id, viewer.id)

    head = await context.database.transact(transaction)
    await context.hub.announce(workflow_id)
    return head


async def _visible(connection: Connection, workflow_id: str, user: UserId) -> Head:
    head = await workflows.read(connection, workflow_id, user) if inputs.is_storable(workflow_id) else None
    if head is None:
        raise errors.NotFoundError
    return head


def _require_saver(head: Head) -> None:
    if not head.role.may_save:
        raise errors.ForbiddenError


def _require_owner(head: Head) -> None:
    if head.role is not Role.OWNER:
        raise errors.ForbiddenError("Only the owner may do this.")


def _require_kept(head: Head) -> None:
    if head.deleted_at is not None:
        raise errors.BadUserInputError("The workflow is in the trash: undelete it first.")
