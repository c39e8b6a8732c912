"""A road to Postgres that can be closed, to see what happens on both sides of a restart."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qs, urlsplit, urlunsplit

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(slots=True)
class Proxy:
    """Hands connections on to the Postgres behind `upstream`; `url` leads through here."""

    upstream: str
    url: str = ""
    refused: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    _is_open: bool = True
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _frozen: set[asyncio.StreamWriter] = field(default_factory=set)

    @classmethod
    @asynccontextmanager
    async def run(cls, upstream: str) -> AsyncIterator[Self]:
        """Take connections until the block ends."""
        proxy = cls(upstream)
        async with await asyncio.start_server(proxy._accept, "127.0.0.1") as server:
            port = server.sockets[0].getsockname()[1]
            parts = urlsplit(upstream)
            user = parts.netloc.rpartition("@")[0]
            proxy.url = urlunsplit(parts._replace(netloc=f"{user}@127.0.0.1:{port}", query="sslmode=disable"))
            yield proxy
            proxy.cut()

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._writers) // 2

    def cut(self) -> None:
        """Drop every connection, as a Postgres does that is killed."""
        for writer in self._writers:
            writer.close()

    def freeze(self) -> None:
        """Let every connection that is open now fall silent, as a cable does that is pulled."""
        self._frozen |= self._writers

    def stop(self) -> None:
        """Drop every connection and refuse new ones."""
        self._is_open = False
        self.cut()

    def start(self) -> None:
        """Take connections again."""
        self._is_open = True

    async def has_refused(self, times: int) -> None:
        """Wait until so many connections more were refused."""
        for _ in range(times):
            await self.refused.acquire()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_open:
            await self._join((reader, writer), await self._connect())
        else:
            self.refused.release()
        writer.close()

    async def _connect(self) -> Streams:
        parts = urlsplit(self.upstream)
        query = parse_qs(parts.query)
        if "host" in query:
            port = query.get("port", ["5432"])[0]
            return await asyncio.open_unix_connection(f"{query['host'][0]}/.s.PGSQL.{port}")
        return await asyncio.open_connection(parts.hostname, parts.port or 5432)

    async def _join(self, client: Streams, server: Streams) -> None:
        writers = {client[1], server[1]}
        self._writers |= writers
        await asyncio.gather(self._pump(client[0], server[1]), self._pump(server[0], client[1]))
        self._writers -= writers

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65_536):
                if target not in self._frozen:
                    target.write(data)
                    await target.drain()
        target.close()
