"""What a workflow was: any version of it, what led there, and going back."""

from dataclasses import dataclass

from db import journal
from db.journal import Entry
from db.workflows import Head
from merge import diff
from merge.changes import Change
from resolvers import documents, errors, inputs, sync, workflows
from resolvers.answers import Answer
from resolvers.context import Context
from resolvers.saves import Document, Reason, Save


@dataclass(frozen=True, slots=True)
class VersionPage:
    """Some versions, newest first, and whether older ones follow."""

    entries: list[Entry]
    has_next: bool


async def state(context: Context, workflow_id: str, version: int) -> Document:
    """Read the document of a workflow that the caller was already shown, at `version`."""
    async with context.database.transaction() as connection:
        return await documents.state_at(connection, workflow_id, version)


async def versions(context: Context, head: Head, *, first: int | None, before: int | None) -> VersionPage:
    """List versions, newest first, from the one below `before` on, or from the current one."""
    size = inputs.page_size(first)
    before = head.version + 1 if before is None else max(0, min(before, head.version + 1))
    async with context.database.connection() as connection:
        entries = await journal.latest(connection, head.id, before=before, limit=size + 1)
    return VersionPage(entries[:size], has_next=len(entries) > size)


async def version(context: Context, head: Head, number: int) -> Entry | None:
    """Read one version; None where there is no such version."""
    if not 1 <= number <= head.version:
        return None
    async with context.database.connection() as connection:
        return await journal.entry(connection, head.id, number)


async def difference(context: Context, head: Head, start: int, end: int | None) -> list[Change]:
    """Say what leads from version `start` (0: the empty document) to `end` (None: the current one), either way."""
    end = head.version if end is None else end
    for field, number in (("from", start), ("to", end)):
        if not 0 <= number <= head.version:
            raise errors.BadUserInputError(f"`{field}` must be a version from 0 to {head.version}.")
    async with context.database.transaction() as connection:
        before = await documents.state_at(connection, head.id, start)
        return diff.diff(before, await documents.state_at(connection, head.id, end))


async def restore(context: Context, workflow_id: str, number: int, client_id: str | None) -> Answer:
    """Save an old version again, on top of what stands."""
    head = await workflows.visible(context, workflow_id)
    if not 1 <= number <= head.version:
        raise errors.BadUserInputError(f"`version` must be one from 1 to {head.version}.")
    document = await state(context, head.id, number)
    save = Save(head.id, document, client_id=client_id, reason=Reason.RESTORE, allow_empty=True)
    return await sync.sync(context, save, on_top=True)
