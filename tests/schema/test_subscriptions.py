"""Subscriptions as clients see them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

from db.workflows import Role
from resolvers import sync, workflows
from resolvers.context import Context
from resolvers.saves import Reason, Save
from resolvers.submissions import Ground
from schema import failures
from tests.facts import until
from tests.schema.running import stream

SAVED = """
subscription Saved($id: ID!, $since: Int, $except: ID) {
  workflowSaved(id: $id, sinceVersion: $since, exceptClient: $except) {
    id version savedBy clientId reason state
    changes { path value remove order } conflicts { id } repairs { path } workflow { name version role }
  }
}
"""
CHANGED = "subscription { workflowsChanged { id kind version by workflow { name role } } }"


class Results(asyncio.Queue[dict[str, Any]]):
    """What a subscription gives."""

    async def data(self) -> dict[str, Any]:
        """Take the next result, which must be one."""
        async with asyncio.timeout(20):
            return await self.get()


@asynccontextmanager
async def subscribed(context: Context, text: str, **variables: object) -> AsyncIterator[Results]:
    """Run a subscription that has begun."""
    results = Results()

    async def read() -> None:
        async with aclosing(await stream(context, text, **variables)) as given:
            async for result in given:
                assert not result.errors, result.errors
                results.put_nowait(result.data or {})

    reading = asyncio.create_task(read())
    hub = context.hub
    await until(
        lambda: (
            reading.done()
            or any(listener.checked.is_set() for topic in hub.topics.values() for listener in topic.listeners)
            or any(feed.filled.is_set() for feed in hub.feeds.values())
        )
    )
    yield results
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)


async def refused(context: Context, text: str, **variables: object) -> str | None:
    async with aclosing(await stream(context, text, **variables)) as given:
        result = await anext(given)
    assert result.errors is not None
    (error,) = result.errors
    return failures.code(error)


async def test_a_save_tells_everything_about_itself(owner: Context, viewer: Context, workflow: str) -> None:
    document = {"blocks": {"a": {"x": None}}, "edges": []}
    async with subscribed(viewer, SAVED, id=workflow) as results:
        await sync.sync(owner, Save("w", document, client_id="tab", reason=Reason.DEBOUNCED), ground=Ground.HEAD)
        assert await results.data() == {
            "workflowSaved": {
                "id": "w",
                "version": 2,
                "savedBy": "owner",
                "clientId": "tab",
                "reason": "DEBOUNCED",
                "state": document,
                "changes": [{"path": ["blocks", "a", "x"], "value": None, "remove": False, "order": None}],
                "conflicts": [],
                "repairs": [],
                "workflow": {"name": "Plan", "version": 2, "role": "VIEWER"},
            }
        }


async def test_each_save_shows_the_document_that_it_made(owner: Context, workflow: str) -> None:
    documents = [{"blocks": {"a": {"x": n}}, "edges": []} for n in range(1, 5)]
    for document in documents[1:]:
        await sync.sync(owner, Save("w", document), ground=Ground.HEAD)
    async with subscribed(owner, SAVED, id=workflow, since=0) as results:
        for version, document in enumerate(documents, start=1):
            saved = (await results.data())["workflowSaved"]
            assert (saved["version"], saved["state"], saved["workflow"]["version"]) == (version, document, 4)


async def test_a_merged_save_tells_whom_it_overwrote_and_what_it_repaired(
    owner: Context, editor: Context, workflow: str
) -> None:
    text = """
    subscription Saved($id: ID!) {
      workflowSaved(id: $id) {
        version changes { path value remove } conflicts { id path theirs yours yoursBy theirsBy winner }
        repairs { path reason removed }
      }
    }
    """
    edge = {"id": "e", "source": "b", "target": "a"}
    await sync.sync(owner, Save(workflow, {"blocks": {"a": {"x": 1}, "b": {}}, "edges": []}, base_version=1))
    async with subscribed(owner, text, id=workflow) as results:
        await sync.sync(owner, Save(workflow, {"blocks": {"a": {"x": 2}}, "edges": []}, base_version=2))
        await results.data()
        sent = Save(workflow, {"blocks": {"a": {"x": 3}, "b": {}}, "edges": [edge]}, base_version=2)
        answer = await sync.sync(editor, sent)
        assert (await results.data())["workflowSaved"] == {
            "version": 4,
            "changes": [{"path": ["blocks", "a", "x"], "value": 3, "remove": False}],
            "conflicts": [
                {
                    "id": str(answer.conflicts[0].id),
                    "path": ["blocks", "a", "x"],
                    "theirs": 2,
                    "yours": 3,
                    "yoursBy": "editor",
                    "theirsBy": "owner",
                    "winner": "YOURS",
                }
            ],
            "repairs": [{"path": ["edges", "e"], "reason": "END_MISSING", "removed": edge}],
        }


async def test_ones_own_saves_can_be_left_out(owner: Context, workflow: str) -> None:
    async with subscribed(owner, SAVED, **{"id": workflow, "except": "tab"}) as results:
        for n, client in ((2, "tab"), (3, "other")):
            await sync.sync(owner, Save("w", {"blocks": {"a": {"x": n}}}, client_id=client), ground=Ground.HEAD)
        assert (await results.data())["workflowSaved"]["version"] == 3


async def test_what_happens_to_a_list_tells_what_became_of_it(owner: Context, viewer: Context, workflow: str) -> None:
    async with subscribed(viewer, CHANGED) as results:
        await workflows.rename(owner, workflow, "Other")
        assert await results.data() == {
            "workflowsChanged": {
                "id": "w",
                "kind": "RENAMED",
                "version": 1,
                "by": "owner",
                "workflow": {"name": "Other", "role": "VIEWER"},
            }
        }
        await workflows.unshare(owner, workflow, "viewer")
        assert await results.data() == {
            "workflowsChanged": {"id": "w", "kind": "UNSHARED", "version": None, "by": "owner", "workflow": None}
        }
        await workflows.share(owner, workflow, "viewer", Role.EDITOR)
        shown = (await results.data())["workflowsChanged"]
        assert (shown["kind"], shown["workflow"]["role"]) == ("SHARED", "EDITOR")


async def test_who_may_not_listen_is_told_why(
    nobody: Context, stranger: Context, owner: Context, workflow: str
) -> None:
    assert await refused(nobody, SAVED, id=workflow) == "UNAUTHENTICATED"
    assert await refused(nobody, CHANGED) == "UNAUTHENTICATED"
    assert await refused(stranger, SAVED, id=workflow) == "NOT_FOUND"
    assert await refused(stranger, SAVED, id="missing") == "NOT_FOUND"
    assert await refused(owner, SAVED, id=workflow, since=-1) == "BAD_USER_INPUT"
    assert await refused(owner, SAVED, id=workflow, since=99) == "RESYNC_REQUIRED"
