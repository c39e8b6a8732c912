"""Documents as editors make them, all the way: saved and read over HTTP, heard of over WebSockets on every process."""

import copy
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.documents import EVERY_DOCUMENT
from tests.server import processes
from tests.server.live import Socket

SAVE = "mutation ($input: SyncWorkflowInput!) { syncWorkflow(input: $input) { status version } }"
READ = "query ($id: ID!) { workflow(id: $id) { version state } }"
DIFF = "query ($id: ID!) { workflow(id: $id) { diff(from: 1) { path value remove order } } }"
FAR = 4242  # where nothing of an editor is

HEAR = "subscription ($id: ID!) { workflowSaved(id: $id, sinceVersion: 0) { version changes { path } } }"


@dataclass(frozen=True, slots=True)
class Editor:
    """Somebody who saves over HTTP, and listens on a socket of each process of the server."""

    http: httpx.AsyncClient
    sockets: list[Socket]

    async def ask(self, query: str, **variables: object) -> Any:  # noqa: ANN401 -- JSON
        response = await self.http.post("/graphql", json={"query": query, "variables": variables})
        (answer,) = response.json()["data"].values()
        return answer

    async def save(self, workflow: str, document: dict[str, Any]) -> tuple[str, int]:
        answer = await self.ask(SAVE, input={"id": workflow, "state": document})
        return answer["status"], answer["version"]


@pytest.fixture(scope="module")
async def editor(migrated_data: Path) -> AsyncIterator[Editor]:
    """An editor on a server with two processes."""
    with tempfile.TemporaryDirectory(prefix="workflow-sync-") as folder:
        subprocess.run(["cp", "-a", f"{migrated_data}/.", folder], check=True)  # noqa: ASYNC221 -- before anything runs
        async with processes.serving(Path(folder), "--workers=2") as server, AsyncExitStack() as opened:
            sockets = await processes.sockets_of_each_worker(server, opened)
            yield Editor(await opened.enter_async_context(server.client("ann")), [found[0] for found in sockets])
            await server.stop()


@pytest.mark.parametrize("document", EVERY_DOCUMENT)
async def test_a_document_is_saved_read_back_changed_and_heard_of(
    editor: Editor, document: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    workflow = request.node.callspec.id
    changed = copy.deepcopy(document)
    path = move(changed)

    assert await editor.save(workflow, document) == ("CREATED", 1)
    assert await editor.ask(READ, id=workflow) == {"version": 1, "state": document}
    for socket in editor.sockets:
        await socket.subscribe(workflow, HEAR, id=workflow)

    assert await editor.save(workflow, changed) == ("SAVED", 2)
    (change,) = (await editor.ask(DIFF, id=workflow))["diff"]
    assert change == {"path": path, "value": FAR, "remove": False, "order": None}
    assert await editor.save(workflow, changed) == ("UNCHANGED", 2)
    assert await editor.ask(READ, id=workflow) == {"version": 2, "state": changed}

    for socket in editor.sockets:
        first, second = [(await socket.next(workflow))["data"]["workflowSaved"] for _ in range(2)]
        assert (first["version"], second["version"]) == (1, 2)
        assert second["changes"] == [{"path": path}]
        await socket.complete(workflow)
        await socket.subscribe("end", "{ viewer { id } }")
        await socket.next("end")  # and nothing else came before it
        await socket.completed("end")


def move(document: dict[str, Any]) -> list[str]:
    """Move the first block or node, and give the path of what that changed."""
    owner, at = (document["data"], ["data"]) if "data" in document else (document, [])
    if "blocks" in owner:
        key, block = next(iter(owner["blocks"].items()))
        at += ["blocks", key]
    else:
        block = owner["nodes"][0]
        at += ["nodes", block["id"]]
    block["position"]["x"] = FAR
    return [*at, "position", "x"]
