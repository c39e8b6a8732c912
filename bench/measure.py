"""One run: a system driven for some seconds, and what that cost."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg

from bench import accounts, load, savers
from bench.databases import Cluster
from bench.documents import Subject
from bench.load import Load, LoadError
from bench.servers import Server
from bench.systems import System

WARM_UP_SECONDS = 4.0
PAUSE_SECONDS = 0.2
MOST_PAUSES = 150  # half a minute: something else than saves is going on
QUIET = 0.1  # of a processor's time
WRITES = frozenset(("whole", "delta"))
LEAST_READ = 0.9  # of a document's bytes: JSONB may write it shorter


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run showed."""

    system: str
    workload: str
    size: str
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run cost, server and Postgres together."""

    cpu_seconds: float
    wal_bytes: int
    wal_bytes_without_pages: int

    def each(self, times: int) -> dict[str, float]:
        """Share it out among what was done."""
        return {
            "cpu_us": self.cpu_seconds / times * 1e6,
            "wal_bytes": self.wal_bytes / times,
            "wal_bytes_without_pages": self.wal_bytes_without_pages / times,
        }


@dataclass(frozen=True, slots=True)
class Meter:
    """The readings when a run begins."""

    server: Server
    cluster: Cluster
    cpu_seconds: float
    position: int

    @classmethod
    async def start(cls, server: Server, cluster: Cluster) -> "Meter":
        """Read the clocks, after a checkpoint, so that each run meets the same state of the log."""
        position = await cluster.checkpoint()
        return cls(server, cluster, accounts.seconds(server.root, cluster.process), position)

    async def stop(self) -> Cost:
        """Read them again."""
        spent = accounts.seconds(self.server.root, self.cluster.process) - self.cpu_seconds
        wal = await self.cluster.wal(self.position, await self.cluster.position())
        return Cost(spent, wal.bytes, wal.bytes_without_pages)


@dataclass(frozen=True, slots=True)
class Bench:
    """A system that runs on its database, and who drives it."""

    system: System
    server: Server
    cluster: Cluster
    database: "asyncpg.Connection[asyncpg.Record]"
    token: str
    connections: int

    async def seed(self, subject: Subject) -> None:
        """Save every workflow once, where that was not done yet."""
        present = await self.versions(subject)
        missing = [workflow for workflow in load.workflow_ids(subject.size) if workflow not in present]
        if not missing or not self.system.asks.get("whole") or not self.system.http:
            return
        request = self.system.asks["whole"](subject)[0]
        first = dict.fromkeys(missing, 0)
        async with savers.over_http(self.server.host, self.token, request.taken(), "seed", first) as saver:
            for workflow in missing:
                await saver.save(workflow, next(load.NUMBERS))

    async def versions(self, subject: Subject) -> dict[str, int]:
        """Read which version each workflow has, where there are versions."""
        if self.system.table is None:
            return dict.fromkeys(load.workflow_ids(subject.size), 1)
        rows = await self.database.fetch(
            f"SELECT id, version FROM {self.system.table} WHERE id = ANY($1)",  # noqa: S608 -- a constant
            load.workflow_ids(subject.size),
        )
        return {row["id"]: row["version"] for row in rows}

    async def settled(self, subject: Subject) -> dict[str, int]:
        """Read the versions when nothing is on its way any more: server and Postgres have gone quiet."""
        spent = self._spent()
        for _ in range(MOST_PAUSES):
            await asyncio.sleep(PAUSE_SECONDS)
            before, spent = spent, self._spent()
            if spent - before < PAUSE_SECONDS * QUIET:
                break
        return await self.versions(subject)

    def _spent(self) -> float:
        return accounts.seconds(self.server.root, self.cluster.process)

    async def warm_up(self, workload: str, subject: Subject) -> None:
        """Drive the system until it is at speed."""
        await self._drive(workload, subject, await self.settled(subject), WARM_UP_SECONDS)

    async def run(self, workload: str, subject: Subject, seconds: float) -> Sample:
        """Drive the system, and account for it. Raises LoadError."""
        before = await self.settled(subject)
        meter = await Meter.start(self.server, self.cluster)
        done = await self._drive(workload, subject, before, seconds)
        cost = await meter.stop()
        after = await self.settled(subject)
        self._check(workload, subject, done, sum(after.values()) - sum(before.values()))
        figures = {"rate": done.rate, "p50_ms": done.p50_ms, "p99_ms": done.p99_ms, **cost.each(done.requests)}
        return Sample(self.system.name, workload, subject.size, figures)

    async def _drive(self, workload: str, subject: Subject, versions: Mapping[str, int], seconds: float) -> Load:
        if not self.system.http:
            return await self.server.run(subject.size, seconds)
        requests = self.system.asks[workload](subject)
        return await load.drive(
            self.server.host, self.token, requests, versions, seconds=seconds, connections=self.connections
        )

    def _check(self, workload: str, subject: Subject, done: Load, stored: int) -> None:
        """Compare what was acknowledged with what is stored; when time is up, each connection has one on its way."""
        if workload in WRITES and not done.requests <= stored <= done.requests + self.connections:
            raise LoadError(f"{self.system.title} acknowledged {done.requests} saves and stored {stored}.")
        if workload == "read" and done.bytes < done.requests * len(subject.text) * LEAST_READ:
            raise LoadError(f"{self.system.title} answers with less than the documents.")
