"""Hearing of what happens: every save of one workflow, or whatever happens to all that one may see."""

from collections.abc import AsyncGenerator

from db import journal
from db.feeds import Event
from db.journal import Entry
from db.topics import Topic
from resolvers import errors, inputs, workflows
from resolvers.context import Context

PAGE_SAVES = 100  # journal rows read at once for a subscriber that is behind


async def saves(
    context: Context, workflow_id: str, *, since: int | None, except_client: str | None
) -> AsyncGenerator[Entry]:
    """Give every save above version `since` (None: the current one), in order, without gaps or doubles.

    Saves of the caller's own client `except_client` are left out. Raises NotFoundError at the start,
    ResyncRequiredError where the journal does not reach back to `since`, AccessRevokedError when the caller may no
    longer see the workflow.
    """
    viewer = context.known_viewer()
    with context.hub.topic(workflow_id, viewer.id) as topic:
        version = await _start(context, workflow_id, since)
        while True:
            changed = topic.changed
            if viewer.id in topic.revoked:
                raise errors.AccessRevokedError
            entries = await _after(context, topic, version)
            for entry in entries:
                version = entry.version
                if except_client is None or (entry.client_id, entry.saved_by) != (except_client, viewer.id):
                    yield entry
            if not entries:
                await changed.wait()


async def _start(context: Context, workflow_id: str, since: int | None) -> int:
    head = await workflows.visible(context, workflow_id)
    if since is None:
        return head.version
    if inputs.version("sinceVersion", since) > head.version:
        raise errors.ResyncRequiredError(f"The workflow stands at version {head.version} only: read it again.")
    return since


async def _after(context: Context, topic: Topic, version: int) -> list[Entry]:
    entries = topic.after(version)
    if entries is None:
        upto = min(topic.version, version + PAGE_SAVES)
        async with context.database.connection() as connection:
            entries = await journal.between(connection, topic.workflow_id, version, upto)
        if len(entries) != upto - version:
            raise errors.ResyncRequiredError
    return entries


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
