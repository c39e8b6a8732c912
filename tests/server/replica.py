"""A client that holds confirmed, sent and unsent edits apart, on a network that loses, delays and repeats."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

from merge import apply
from merge.apply import PathError
from merge.changes import ABSENT, Change
from merge.values import Document
from tests.server.live import Running, Socket

SAVE = """
mutation Save($input: SyncWorkflowInput!) {
  syncWorkflow(input: $input) { status version problems { path code message } changes { path value remove order } }
}
"""
HEAR = """
subscription Hear($id: ID!, $since: Int!, $client: ID!) {
  workflowSaved(id: $id, sinceVersion: $since, exceptClient: $client) {
    version changes { path value remove order }
  }
}
"""


def decoded(change: dict[str, Any]) -> Change:
    """Read a change as the server shows it."""
    order = change["order"] and tuple(change["order"])
    has_value = not change["remove"] and order is None
    value = change["value"] if has_value else ABSENT
    return Change(tuple(change["path"]), value=value, removal=change["remove"], order=order)


def encoded(change: Change) -> dict[str, Any]:
    """Write a change as the server takes it."""
    if change.removal:
        return {"path": change.path, "remove": True}
    return {"path": change.path, **({"order": change.order} if change.order else {"value": change.value})}


@dataclass(slots=True)
class Replica:
    """One tab. It shows `confirmed` with `sent` and `unsent` on top; the queue waits while a save is unanswered."""

    server: Running
    user: str
    workflow: str
    client: str
    random: Random
    version: int
    confirmed: Document
    sent: list[Change] = field(default_factory=list)
    unsent: list[Change] = field(default_factory=list)
    sequence: int = 0
    is_waiting: bool = False  # for the answer to a save
    acknowledged: dict[int, int | None] = field(default_factory=dict)  # the version that each sequence made
    queue: dict[int, list[Change]] = field(default_factory=dict)

    @property
    def shown(self) -> Document:
        return apply.fitting(self.confirmed, [*self.sent, *self.unsent])

    def edit(self, change: Change) -> None:
        """Make an edit, if it fits what is shown."""
        with suppress(PathError):
            apply.apply(self.shown, [change])
            self.unsent.append(change)

    async def save(self) -> None:
        """Send what is unsent, again and again until an answer gets through, and take that in."""
        fitting, document = [], self.confirmed
        for change in self.unsent:
            with suppress(PathError):
                document = apply.apply(document, [change])
                fitting.append(change)
        self.sent, self.unsent = fitting, []
        self.sequence, self.is_waiting = self.sequence + 1, True
        answer = await self._answer()
        assert answer["status"] in {"SAVED", "MERGED", "UNCHANGED"}, answer
        wrote = answer["status"] != "UNCHANGED"
        self.acknowledged[self.sequence] = answer["version"] if wrote else None
        changes = [decoded(change) for change in answer["changes"]]
        self.confirmed = apply.apply(self.confirmed, [*self.sent, *changes])
        self.version, self.sent, self.is_waiting = answer["version"], [], False
        self._take_queue()

    async def _answer(self) -> dict[str, Any]:
        save = {
            "id": self.workflow,
            "changes": [encoded(change) for change in self.sent],
            "baseVersion": self.version,
            "clientId": self.client,
            "sequence": self.sequence,
            "allowEmpty": True,
            "reason": "DEBOUNCED",
        }
        async with self.server.http(self.user) as http:
            while True:
                fate = self.random.random()
                await asyncio.sleep(self.random.uniform(0, 0.004))  # the network
                if fate < 0.1:
                    continue  # lost on the way there
                copies = 2 if fate < 0.2 else 1
                body = {"query": SAVE, "variables": {"input": save}}
                answers = await asyncio.gather(*(http.post("/graphql", json=body) for _ in range(copies)))
                if fate > 0.9:
                    continue  # lost on the way back
                answer = answers[-1].json()["data"]["syncWorkflow"]
                assert isinstance(answer, dict)
                return answer

    async def listen(self) -> None:
        """Hear of everybody else's saves until this is cancelled, over sockets that break."""
        while True:
            async with self.server.socket(self.user) as socket:
                await self._listen(socket, self.random.randint(5, 60))

    async def _listen(self, socket: Socket, until: int) -> None:
        await socket.subscribe("saves", HEAR, id=self.workflow, since=self.version, client=self.client)
        for _ in range(until):
            save = (await socket.next("saves"))["data"]["workflowSaved"]
            self.queue[save["version"]] = [decoded(change) for change in save["changes"]]
            if not self.is_waiting:
                self._take_queue()

    def _take_queue(self) -> None:
        for version in sorted(self.queue):
            changes = self.queue.pop(version)
            if version > self.version:
                assert version == self.version + 1, "a save was not announced"
                self.confirmed, self.version = apply.apply(self.confirmed, changes), version
