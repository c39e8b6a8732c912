"""Who saves while others listen: a tab of an editor that sends one save after the other."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import pycrdt
from websockets.asyncio.client import ClientConnection, connect

from bench import feeds
from bench.load import LoadError
from bench.requests import WIDTHS, Request, filled, message

IDLE_SECONDS = 1.0  # servers wait for five
LENGTH = b"content-length:"


class Saver(Protocol):
    """Saves workflows, one save at a time."""

    async def save(self, workflow: str, number: int) -> None:
        """Move a block to a place where it was never before."""


@dataclass(slots=True)
class HttpSaver:
    """Saves by requests on one connection, opened again before the server closes it for being idle."""

    host: str
    template: bytes
    expected: bytes
    client: str
    versions: dict[str, int]
    sequences: dict[str, int] = field(default_factory=dict)
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    used: float = 0.0

    async def save(self, workflow: str, number: int) -> None:
        """Send a save. Raises LoadError where it is not taken."""
        self.sequences[workflow] = self.sequences.get(workflow, 0) + 1
        answer = await self._ask(filled(self.template, self._holes(workflow, number)))
        if not re.search(self.expected, answer):
            raise LoadError(f"A save is answered: {answer.decode(errors='replace')}")
        self.versions[workflow] = int(answer.partition(b'"version":')[2].split(b",")[0].split(b"}")[0])

    def _holes(self, workflow: str, number: int) -> dict[str, str]:
        return {
            **dict.fromkeys(("x0", "x1", "x2", "x3"), str(number)),
            "id": workflow,
            "client": self.client.ljust(WIDTHS["client"], "-"),
            "base": str(self.versions[workflow]).ljust(WIDTHS["base"]),
            "sequence": str(self.sequences[workflow]).ljust(WIDTHS["sequence"]),
        }

    async def _ask(self, request: bytes) -> bytes:
        if self.streams is None or time.monotonic() - self.used > IDLE_SECONDS:
            self.close()
            self.streams = await asyncio.open_connection(*self.host.split(":"))
        self.used = time.monotonic()
        reader, writer = self.streams
        writer.write(request)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if LENGTH in head:
                return await reader.readexactly(int(head.partition(LENGTH)[2].split(b"\r\n")[0]))
            return await reader.readuntil(b"\r\n0\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            raise LoadError("The server closed the connection of a save.") from error

    def close(self) -> None:
        """Leave."""
        if self.streams:
            self.streams[1].close()


@asynccontextmanager
async def over_http(
    host: str, token: str, request: Request, client: str, versions: dict[str, int]
) -> AsyncIterator[HttpSaver]:
    """Be a tab until the block ends."""
    saver = HttpSaver(host, message(request, host, token), request.expected.encode(), client, dict(versions))
    try:
        yield saver
    finally:
        saver.close()


@dataclass(slots=True)
class YjsSaver:
    """Edits replicas of documents, and sends each edit."""

    host: str
    token: str
    text: str
    client: str
    replicas: dict[str, tuple[pycrdt.Doc[Any], ClientConnection]] = field(default_factory=dict)

    async def open(self, workflow: str) -> None:
        """Take part in a document, and fill it."""
        socket = await connect(f"ws://{self.host}/", max_size=None, compression=None)
        feed = feeds.Yjs()
        await socket.send(feed.hello(workflow, self.token))
        await socket.recv()
        doc: pycrdt.Doc[Any] = pycrdt.Doc()
        doc[self.client] = pycrdt.Map({"document": self.text, "x": 0})
        self.replicas[workflow] = doc, socket
        await self._send(workflow, doc.get_update())

    async def save(self, workflow: str, number: int) -> None:
        """Send an edit, and wait until the server has it."""
        doc, _ = self.replicas[workflow]
        before = doc.get_state()
        doc[self.client]["x"] = number
        await self._send(workflow, doc.get_update(before))

    async def _send(self, workflow: str, update: bytes) -> None:
        _, socket = self.replicas[workflow]
        await socket.send(feeds.name(workflow) + b"\x00\x02" + feeds.length(len(update)) + update)
        acknowledged = feeds.name(workflow) + b"\x08\x01"
        while not bytes(await socket.recv(decode=False)).startswith(acknowledged):
            pass  # awareness, and edits of others

    async def close(self) -> None:
        """Leave every document."""
        await asyncio.gather(*(socket.close() for _, socket in self.replicas.values()))


@asynccontextmanager
async def over_yjs(host: str, token: str, text: str, client: str, workflows: list[str]) -> AsyncIterator[YjsSaver]:
    """Open replicas of documents until the block ends."""
    saver = YjsSaver(host, token, text, client)
    try:
        for workflow in workflows:
            await saver.open(workflow)
        yield saver
    finally:
        await saver.close()
