"""A road to Postgres on which connections are lost at the worst moment."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum

import asyncpg

from tests.db.proxy import Proxy, Streams
from tests.facts import somebody_waits, until


class Loss(Enum):
    """How a connection is lost that sends a certain request."""

    BEFORE = "before Postgres hears of it"
    AFTER = "after Postgres did it, but before its answer is here"
    MEANWHILE = "while Postgres is at it, so that the next attempt has to wait for it"


@dataclass(slots=True)
class LossyProxy(Proxy):
    """Loses the next connections that send `request`, one for each of `losses`."""

    losses: list[Loss] = field(default_factory=list)
    request: bytes = b"COMMIT"

    async def _join(self, client: Streams, server: Streams) -> None:
        answers = asyncio.create_task(_carry(server[0], client[1]))
        try:
            while request := await client[0].read(65_536):
                if self.losses and self.request in request:
                    await _ended(answers)
                    await self._lose(self.losses.pop(0), request, client, server)
                    break
                server[1].write(request)
                await server[1].drain()
        except ConnectionError:
            pass
        finally:
            await _ended(answers)
            client[1].close()
            server[1].close()

    async def _lose(self, loss: Loss, request: bytes, client: Streams, server: Streams) -> None:
        if loss is Loss.MEANWHILE:
            client[1].close()
            await self._somebody_waits()
        if loss is not Loss.BEFORE:
            server[1].write(request)
            await server[0].readuntil(b"COMMIT\0")

    async def _somebody_waits(self) -> None:
        connection = await asyncpg.connect(self.upstream)
        try:
            await until(lambda: somebody_waits(connection))
        finally:
            await connection.close()


async def _carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while answer := await source.read(65_536):
            target.write(answer)
            await target.drain()
    target.close()


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
