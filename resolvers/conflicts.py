"""Conflicts that are kept: looked at, and closed by taking one of their sides."""

import uuid
from dataclasses import replace

from db import conflicts, workflows
from db.conflicts import Conflict, Kept
from db.database import Connection
from db.workflows import Head
from merge import apply, changes
from merge.changes import ABSENT, Change
from merge.three_way import Side
from resolvers import documents, errors, standings, sync
from resolvers.answers import Answer
from resolvers.context import Context
from resolvers.saves import Reason, Save
from resolvers.submissions import Ground


async def read_open(context: Context, head: Head) -> list[Conflict]:
    """List the conflicts of a workflow that nobody has closed, newest first."""
    async with context.database.connection() as connection:
        return await conflicts.read_open(connection, head.id)


async def resolve(context: Context, conflict_id: str, take: Side, client_id: str | None) -> Answer:
    """Close a conflict by a save that puts one of its sides where it belongs (owner, editor).

    Raises NoConflictError, also for one that somebody else has closed by now.
    """
    viewer = context.known_viewer()
    async with context.database.transaction() as connection:
        kept = await conflicts.find(connection, _id(conflict_id))
        head = await workflows.read(connection, kept.workflow_id, viewer.id) if kept is not None else None
        if kept is None or head is None:
            raise errors.NoConflictError
        if not head.role.may_save:
            raise errors.ForbiddenError
        side = _value if kept.conflict.path else _payload
        save, ground = await side(connection, kept, take, head)
    save = replace(save, client_id=client_id, reason=Reason.RESOLVE, allow_empty=True)
    return await sync.sync(context, save, ground=ground, resolves=kept)


def _id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise errors.NoConflictError from None


async def _value(connection: Connection, kept: Kept, take: Side, head: Head) -> tuple[Save, Ground]:
    """Put a single value where it belongs, unless it stands there."""
    path, value = kept.conflict.path, kept.conflict.sides.get(take.lower(), ABSENT)
    stands = apply.find(await documents.state_at(connection, head.id, head.version), path)
    change = Change(path, value=value, removal=value is ABSENT)
    return Save(head.id, changes=() if value is stands is ABSENT else (change,)), Ground.HEAD


async def _payload(connection: Connection, kept: Kept, take: Side, head: Head) -> tuple[Save, Ground]:
    """Merge a whole payload on its own base, or on what stands where nobody knows that base any more."""
    base = kept.base_version
    if take is Side.THEIRS:
        return Save(head.id, changes=()), Ground.HEAD
    if take is Side.BASE:
        if base is None:
            raise errors.BadUserInputError("What was sent had no base: take YOURS or THEIRS.")
        return Save(head.id, await documents.state_at(connection, head.id, base)), Ground.HEAD
    sent = kept.conflict.sides["yours"]
    is_document = isinstance(sent, dict)
    save = Save(
        head.id,
        sent if is_document else ABSENT,
        None if is_document else tuple(map(changes.from_json, sent)),
        base_version=base,
    )
    is_reached = base is not None and await standings.is_reached(connection, head, base)
    return save, Ground.VERSION if is_reached else Ground.HEAD
