"""What a workflow was: any version of it, what led there, who set what, and going back."""

from dataclasses import dataclass

from db import journal, retention, workflows
from db.database import Connection
from db.journal import Entry
from db.workflows import Head
from merge import changes, diff, values
from merge.changes import Change
from merge.touched import Touched
from merge.values import Document
from resolvers import documents, errors, inputs, sync
from resolvers.answers import Answer
from resolvers.context import Context
from resolvers.saves import Reason, Save, Text
from resolvers.submissions import Ground

BLAME_SAVES = 100  # journal rows that are read at once


@dataclass(frozen=True, slots=True)
class VersionPage:
    """Some versions, newest first, and whether older ones follow."""

    entries: list[Entry]
    has_next: bool


async def state(context: Context, workflow_id: str, version: int) -> Document:
    """Read the document of a workflow that the caller was already shown, at `version`."""
    async with context.database.transaction() as connection:
        return await documents.state_at(connection, workflow_id, version)


async def text(context: Context, workflow_id: str, version: int) -> Text:
    """Read the same, as JSON: from memory, or unread where the snapshot shows this version."""
    states = context.saver.states
    if (known := states.text_at(workflow_id, version)) is not None:
        return Text(known)
    async with context.database.connection() as connection:
        data = await workflows.snapshot_text(connection, workflow_id, version)
    if data is None or values.has_long_numbers(data):
        return Text(values.dump(await state(context, workflow_id, version)))
    states.put_text(workflow_id, version, data)
    return Text(data)


async def versions(context: Context, head: Head, *, first: int | None, before: int | None) -> VersionPage:
    """List versions, newest first, from the one below `before` on, or from the current one."""
    size = inputs.page_size(first)
    before = head.version + 1 if before is None else max(0, min(before, head.version + 1))
    async with context.database.connection() as connection:
        entries = await journal.latest(connection, head.id, before=before, limit=size + 1)
    return VersionPage(entries[:size], has_next=len(entries) > size)


async def version(context: Context, head: Head, number: int) -> Entry | None:
    """Read one version; None where there is no such version, or not any more."""
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


async def blame(context: Context, head: Head, path: list[str]) -> Entry | None:
    """Find the version that last set the value at a path, something inside it, or what it is part of.

    None where no version that the journal still has did.
    """
    if not path:
        raise errors.BadUserInputError("`path` must name something in the document.")
    before = head.version + 1
    async with context.database.connection() as connection:
        while page := await journal.latest(connection, head.id, before=before, limit=BLAME_SAVES):
            last = Touched([documents.changes_of(entry) for entry in reversed(page)]).last(tuple(path))
            if last is not None:
                return page[-1 - last]
            before = page[-1].version
    return None


async def label(context: Context, workflow_id: str, number: int, text: str | None) -> Entry:
    """Name a version, or take its name away (owner, editor). A version with a name is never pruned."""
    viewer = context.known_viewer()
    if text is not None:
        text = inputs.text("label", text.strip(), most=inputs.NAME_CHARACTERS)

    async def work(connection: Connection) -> Entry:
        await retention.hold(connection)
        await _savable(connection, workflow_id, viewer.id)
        entry = await journal.label(connection, workflow_id, number, text)
        if entry is None:
            raise errors.NotFoundError("There is no such version, or not any more.")
        if text is not None:
            document = await documents.state_at(connection, workflow_id, number)
            await journal.put_checkpoint(connection, workflow_id, number, document)
        return entry

    return await context.database.transact(work)


async def restore(context: Context, workflow_id: str, number: int, client_id: str | None) -> Answer:
    """Save an old version again, on top of what stands (owner, editor)."""
    viewer = context.known_viewer()
    async with context.database.transaction() as connection:
        head = await _savable(connection, workflow_id, viewer.id)
        _check_number(head, number)
        document = await documents.state_at(connection, workflow_id, number)
    save = Save(workflow_id, document, client_id=client_id, reason=Reason.RESTORE, allow_empty=True)
    return await sync.sync(context, save, ground=Ground.HEAD)


async def undo(context: Context, workflow_id: str, number: int, client_id: str | None) -> Answer:
    """Take one version back by its inverse changes, merged with everything since (owner, editor)."""
    viewer = context.known_viewer()
    async with context.database.transaction() as connection:
        head = await _savable(connection, workflow_id, viewer.id)
        _check_number(head, number)
        entry = await journal.entry(connection, workflow_id, number)
    if entry is None:
        raise errors.ResyncRequiredError("The journal no longer reaches back to this version.")
    save = Save(
        workflow_id,
        changes=tuple(changes.inverse(documents.changes_of(entry))),
        base_version=number,
        client_id=client_id,
        reason=Reason.UNDO,
        allow_empty=True,
    )
    return await sync.sync(context, save, ground=Ground.VERSION)


async def _savable(connection: Connection, workflow_id: str, user: str) -> Head:
    head = await workflows.read(connection, workflow_id, user) if inputs.is_storable(workflow_id) else None
    if head is None:
        raise errors.NotFoundError
    if not head.role.may_save:
        raise errors.ForbiddenError
    return head


def _check_number(head: Head, number: int) -> None:
    if not 1 <= number <= head.version:
        raise errors.BadUserInputError(f"`version` must be one from 1 to {head.version}.")
