"""Hearing of what happens: every save of one workflow, or whatever happens to all that one may see."""

from collections.abc import AsyncGenerator
from itertools import takewhile

from db import journal
from db.feeds import Event
from db.journal import Entry
from db.topics import Topic
from db.workflows import Head
from resolvers import errors, inputs, workflows
from resolvers.context import Context


async def saves(
    context: Context, workflow_id: str, *, since: int | None, except_client: str | None
) -> AsyncGenerator[Entry]:
    """Give every save above version `since` (None: the current one), in order, without gaps or doubles.

    Saves of the caller's own client `except_client` are left out. Raises NotFoundError at the start,
    ResyncRequiredError where the journal does not reach back to `since`, AccessRevokedError when the caller may no
    longer see the workflow.
    """
    viewer = context.known_viewer()
    version = _start(await workflows.visible(context, workflow_id), since)
    async with context.hub.listen(workflow_id, viewer.id) as listener:
        while not listener.revoked:
            changed = listener.topic.changed
            entries = await _after(context, listener.topic, version)
            for entry in takewhile(lambda _: not listener.revoked, entries):
                version = entry.version
                if except_client is None or (entry.client_id, entry.saved_by) != (except_client, viewer.id):
                    yield entry
            if not entries:
                await changed.wait()
    raise errors.AccessRevokedError


def _start(head: Head, since: int | None) -> int:
    if since is None:
        return head.version
    if inputs.version("sinceVersion", since) > head.version:
        raise errors.ResyncRequiredError(f"The workflow stands at version {head.version} only: read it again.")
    return since


async def _after(context: Context, topic: Topic, version: int) -> list[Entry]:
    """Give the next saves after a version, from memory or a page of the journal; none where there are no newer ones."""
    entries = topic.after(version)
    if entries is not None:
        return entries
    async with context.database.connection() as connection:
        entries = await journal.page(connection, topic.workflow_id, version, topic.version)
    if not entries or entries[0].version != version + 1:
        raise await _gap(context, topic.workflow_id)
    return entries


async def _gap(context: Context, workflow_id: str) -> errors.OperationError:
    """Say why saves are missing from the journal: the old ones were pruned, or the whole workflow was purged."""
    head = await workflows.find(context, workflow_id)
    return errors.ResyncRequiredError() if head else errors.AccessRevokedError()


async def changes(context: Context) -> AsyncGenerator[Event]:
    """Give whatever happens, from now on, to any workflow that the caller may see.

    Raises ResyncRequiredError for a caller that is too far behind: it must read its list again.
    """
    viewer = context.known_viewer()
    async with context.hub.feed(viewer.id) as feed:
        position = feed.position
        while True:
            changed = feed.changed
            events = feed.after(position)
            if events is None:
                raise errors.ResyncRequiredError
            for event in events:
                position += 1
                yield event
            if not events:
                await changed.wait()
