"""The Postgres of the measurements: an embedded one that forgets nothing, with a database for each system."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import psutil

from server import postgres, postgres_tools
from server.postgres import Postgres

# No checkpoint in the middle of a run, and none of its log reused before it is read. Durability stays as it comes.
OPTIONS = {"max_wal_size": "8GB", "min_wal_size": "2GB", "checkpoint_timeout": "1h"}
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


@dataclass(frozen=True, slots=True)
class Wal:
    """How much log was written: with and without whole pages, which follow each checkpoint."""

    bytes: int
    bytes_without_pages: int


@contextmanager
def started(folder: Path) -> Iterator[Postgres]:
    """Run a Postgres in a folder until the block ends; not in the caller's loop, since uvloop starts none as root."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        server = runner.run(stack.enter_async_context(postgres.embedded(folder)))
        try:
            yield server
        finally:
            runner.run(stack.aclose())


@asynccontextmanager
async def connected(server: Postgres) -> AsyncIterator["Cluster"]:
    """Prepare a Postgres for measuring, and stay connected until the block ends."""
    connection = await asyncpg.connect(server.url)
    try:
        for name, value in OPTIONS.items():
            await connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        await connection.execute("SELECT pg_reload_conf()")
        assert all([await connection.fetchval(f"SHOW {name}") == "on" for name in DURABLE])
        yield Cluster(server, connection)
    finally:
        await connection.close()


@dataclass(frozen=True, slots=True)
class Cluster:
    """A Postgres that runs."""

    server: Postgres
    connection: "asyncpg.Connection[asyncpg.Record]"

    @property
    def process(self) -> psutil.Process:
        """The process from which all others of this Postgres come."""
        process = self.server.process()
        assert process is not None, "Postgres has ended"
        return process

    async def create(self, name: str) -> str:
        """Make an empty database, and give its URL."""
        await self.connection.execute(f'CREATE DATABASE "{name}"')
        return urlunsplit(urlsplit(self.server.url)._replace(path=f"/{name}"))

    async def checkpoint(self) -> int:
        """Have everything written, and give the place in the log."""
        await self.connection.execute("CHECKPOINT")
        return await self.position()

    async def position(self) -> int:
        """Give the place in the log up to which there is something."""
        return int(await self.connection.fetchval("SELECT pg_current_wal_flush_lsn()"))

    async def wal(self, start: int, end: int) -> Wal:
        """Say how much log lies between two places."""
        if start == end:
            return Wal(0, 0)
        stats = await asyncio.create_subprocess_exec(
            postgres_tools.PROGRAMS[postgres_tools.NEWEST] / "pg_waldump",
            "--stats",
            f"--path={self.server.cluster / 'pg_wal'}",
            f"--start={_lsn(start)}",
            f"--end={_lsn(end)}",
            stdout=asyncio.subprocess.PIPE,
        )
        told, _ = await stats.communicate()
        assert stats.returncode == 0, "the log cannot be read"
        return Wal(end - start, record_bytes(told.decode()))


def _lsn(position: int) -> str:
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"


def record_bytes(stats: str) -> int:
    """Read from `pg_waldump --stats` how many bytes all records have without whole pages."""
    total = re.search(r"^Total\s+\d+\s+(\d+)\s", stats, re.MULTILINE)
    return int(total[1]) if total else 0
