"""A road to Postgres on which connections are lost at the worst moment."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum

import asyncpg

from tests.db.proxy import Proxy, Streams
from tests.facts import somebody_waits, until

COMMIT = b"COMMIT"
BATCH = b"WITH moves AS"  # how the statement begins that writes a batch, and commits by itself

Message = tuple[bytes, bytes]  # of the frontend: its type, and what follows its length

BIND, FLUSH, PARSE, QUERY, SYNC = b"B", b"H", b"P", b"Q", b"S"
LAST = frozenset((FLUSH, QUERY, SYNC, b"X", b"p"))  # a client waits for Postgres after these, or is gone
IDLE = b"Z\0\0\0\5I"  # Postgres is ready for the next request, and nothing is open


class Loss(Enum):
    """How a connection is lost that sends a certain request."""

    BEFORE = "before Postgres hears of it"
    AFTER = "after Postgres did it, but before its answer is here"
    MEANWHILE = "while Postgres is at it, so that the next attempt has to wait for it"


@dataclass(slots=True)
class LossyProxy(Proxy):
    """Loses the next connections that run a statement with `request` in its text, one for each of `losses`."""

    losses: list[Loss] = field(default_factory=list)
    request: bytes = COMMIT

    async def _join(self, client: Streams, server: Streams) -> None:
        answers = asyncio.create_task(_carry(server[0], client[1]))
        try:
            server[1].write(await _startup(client[0]))
            await self._hand_on(client, server, answers)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            await _ended(answers)
            client[1].close()
            server[1].close()

    async def _hand_on(self, client: Streams, server: Streams, answers: asyncio.Task[None]) -> None:
        statements: dict[bytes, bytes] = {}
        async for request in _requests(client[0]):
            if self.losses and self.request in _run_by(request, statements):
                await _ended(answers)
                return await self._lose(self.losses.pop(0), request, client, server)
            server[1].write(b"".join(map(_written, request)))
            await server[1].drain()
        return None

    async def _lose(self, loss: Loss, request: list[Message], client: Streams, server: Streams) -> None:
        *first, last = request
        if loss is Loss.MEANWHILE:
            server[1].write(b"".join(map(_written, [*first, (FLUSH, b"")])))  # what commits by itself does so at SYNC
            client[1].close()
            await self._somebody_waits()
            first = []
        if loss is not Loss.BEFORE:
            server[1].write(b"".join(map(_written, [*first, last])))
            await server[0].readuntil(IDLE)

    async def _somebody_waits(self) -> None:
        connection = await asyncpg.connect(self.upstream)
        try:
            await until(lambda: somebody_waits(connection))
        finally:
            await connection.close()


async def _startup(source: asyncio.StreamReader) -> bytes:
    length = await source.readexactly(4)
    return length + await source.readexactly(int.from_bytes(length) - 4)


async def _requests(source: asyncio.StreamReader) -> AsyncIterator[list[Message]]:
    """Give the messages that a client sends before it waits for Postgres, again and again."""
    request: list[Message] = []
    while True:
        kind = await source.readexactly(1)
        length = int.from_bytes(await source.readexactly(4))
        request.append((kind, await source.readexactly(length - 4)))
        if kind in LAST:
            yield request
            request = []


def _written(message: Message) -> bytes:
    kind, body = message
    return kind + (len(body) + 4).to_bytes(4) + body


def _run_by(request: list[Message], statements: dict[bytes, bytes]) -> bytes:
    """Give the text of the statements that a request runs; those that it prepares are noted in `statements`."""
    texts = []
    for kind, body in request:
        if kind == QUERY:
            texts.append(body)
        elif kind == PARSE:
            name, text, _ = body.split(b"\0", 2)
            statements[name] = text
        elif kind == BIND:
            texts.append(statements[body.split(b"\0", 2)[1]])
    return b"\n".join(texts)


async def _carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while answer := await source.read(65_536):
            target.write(answer)
            await target.drain()
    target.close()


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
