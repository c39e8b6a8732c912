"""How one hears of saves: what a subscriber says to each system, and how it knows what it hears."""

import json
from dataclasses import dataclass
from typing import Protocol

BEHIND = 3  # versions that a subscriber missed while it was away


@dataclass(frozen=True, slots=True)
class Marks:
    """What certain messages have near their beginning, and no others do."""

    event: bytes  # a save is announced
    catch_up: bytes  # what was missed is told
    catch_ups: int  # how many messages tell that


class Feed(Protocol):
    """What a subscriber says and hears on its socket."""

    @property
    def path(self) -> str:
        """Where the socket is opened."""

    @property
    def subprotocol(self) -> str:
        """What is spoken there, "" for what has no name."""

    def hello(self, workflow: str, token: str) -> bytes:
        """Say who one is; the first answer means: welcome."""

    def subscribe(self, workflow: str, version: int) -> list[bytes]:
        """Ask for the saves of a workflow, whose current version is given."""

    def marks(self, workflow: str) -> Marks:
        """Say how announcements are told from the rest."""


@dataclass(frozen=True, slots=True)
class GraphQL:
    """A subscription by graphql-transport-ws, with a query where it does not bring its subscriber up to date."""

    subscription: str
    query: str | None = None
    path: str = "/graphql"
    subprotocol: str = "graphql-transport-ws"

    def hello(self, workflow: str, token: str) -> bytes:
        """Initialise the connection."""
        del workflow
        return _text({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}})

    def subscribe(self, workflow: str, version: int) -> list[bytes]:
        """Subscribe, and query."""
        variables = {"id": workflow} if self.query else {"id": workflow, "since": version - BEHIND}
        operations = [(self.subscription, variables)] + ([(self.query, {"id": workflow})] if self.query else [])
        return [
            _text({"type": "subscribe", "id": str(number), "payload": {"query": query, "variables": values}})
            for number, (query, values) in enumerate(operations, 1)
        ]

    def marks(self, workflow: str) -> Marks:
        """Look for the field; what was missed comes as the query's answer, or as one event for each version."""
        del workflow
        event = b'"workflowSaved"'
        return Marks(event, b'"workflow"', 1) if self.query else Marks(event, event, BEHIND)


def _text(message: object) -> bytes:
    return json.dumps(message).encode()


@dataclass(frozen=True, slots=True)
class Yjs:
    """A replica of a document, as Hocuspocus serves it. Each message names the document, then its own kind."""

    path: str = "/"
    subprotocol: str = ""

    def hello(self, workflow: str, token: str) -> bytes:
        """Send the token."""
        return name(workflow) + b"\x02\x00" + _length(len(token)) + token.encode()

    def subscribe(self, workflow: str, version: int) -> list[bytes]:
        """Ask for everything, as a replica that holds nothing."""
        del version
        return [name(workflow) + b"\x00\x00\x01\x00"]

    def marks(self, workflow: str) -> Marks:
        """Look for updates, and for the answer to the question."""
        return Marks(name(workflow) + b"\x00\x02", name(workflow) + b"\x00\x01", 1)


def name(workflow: str) -> bytes:
    """Write a document's name as every message of Hocuspocus begins."""
    return _length(len(workflow)) + workflow.encode()


def _length(number: int) -> bytes:
    """Write a number in groups of seven bits, the last group first."""
    groups = []
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    return bytes([*groups, number])


length = _length
