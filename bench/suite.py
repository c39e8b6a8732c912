"""The whole of it: Postgres, the databases, and one session after the other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from bench import databases, documents, fanout, servers
from bench.databases import Cluster
from bench.measure import Bench, Sample
from bench.plan import Session
from bench.servers import StartError
from bench.systems import OURS, System
from server.postgres import Postgres

DATA = Path(".data")  # on a real disk, which a folder for temporary files may not be
LOG = DATA / "bench.log"  # what the systems complain about


@dataclass(frozen=True, slots=True)
class Suite:
    """The Postgres that every system uses, and who drives them."""

    cluster: Cluster
    log: Path
    connections: int
    urls: dict[str, str] = field(default_factory=dict)  # of each system's database

    @classmethod
    @asynccontextmanager
    async def opened(cls, server: Postgres, log: Path, connections: int) -> "AsyncIterator[Suite]":
        """Use a Postgres until the block ends. `log` is where the systems complain."""
        async with databases.connected(server) as cluster:
            yield cls(cluster, log, connections)

    async def measure(self, session: Session, seconds: float) -> AsyncIterator[Sample]:
        """Start a system, and measure what is asked. Raises StartError and LoadError."""
        subject = documents.subject(session.size)
        async with self.running(session.system) as bench:
            await bench.seed(subject)
            for workload in session.workloads:
                if workload == "fanout":
                    async for sample in fanout.samples(bench, subject, seconds):
                        yield sample
                else:
                    await bench.warm_up(workload, subject)
                    yield await bench.run(workload, subject, seconds)

    @asynccontextmanager
    async def running(self, system: System) -> AsyncIterator[Bench]:
        """Run a system until the block ends, on the database that it had before."""
        if system.name not in self.urls:
            self.urls[system.name] = await self._prepare(system)
        url = self.urls[system.name]
        async with servers.started(system, url, self.log) as server:
            connection = await asyncpg.connect(url)
            try:
                yield Bench(system, server, self.cluster, connection, servers.token(), self.connections)
            finally:
                await connection.close()

    async def _prepare(self, system: System) -> str:
        """Make a database with the system's tables."""
        url = await self.cluster.create(f"bench_{system.name}")
        connection = await asyncpg.connect(url)
        for script in system.scripts:
            await connection.execute(script.read_text())
        await connection.close()
        if system is OURS:
            await self._migrate(url)
        return url

    async def _migrate(self, url: str) -> None:
        migrating = await asyncio.create_subprocess_exec(
            OURS.command[0],
            "migrate",
            env=servers.environment({"DATABASE_URL": url}),
            stdout=asyncio.subprocess.DEVNULL,
        )
        if await migrating.wait():
            raise StartError("`workflow-sync migrate` fails; what it wrote above says why.")
