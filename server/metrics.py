"""Numbers for Prometheus: each process counts for itself, and any of them tells the sum.

saves, streams, requests --plain numbers--> Metrics --each second--> files that the workers share
|
whoever is asked <--the sum of all workers-----------+
"""

import asyncio
import logging
import os
from collections import Counter as Counts
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from db import snapshots
from db.database import STATEMENT_ERRORS, Database, UnavailableError
from db.hub import Hub
from db.snapshots import Lag
from resolvers.saver import Saver
from resolvers.tally import SAVES, SECONDS, Spread

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # where the library reads which folder the workers share
NAMESPACE = "workflow_sync"
UPDATE_SECONDS = 1.0  # the longest that the numbers of the other workers are late
LAG_SECONDS = 10.0  # between two looks for snapshots that lag, which read the head of every workflow
ANSWER_SECONDS = 2.0  # a database that takes longer is not waited for

logger = logging.getLogger(__name__)


@contextmanager
def shared() -> Iterator[Path]:
    """Make an empty folder that workers share until the block ends."""
    with TemporaryDirectory(prefix="workflow-sync-metrics-") as folder:
        yield Path(folder)


def environment(folder: Path) -> dict[str, str]:
    """Give the environment of a worker."""
    return os.environ | {FOLDER: str(folder)}


def forget(folder: Path, pid: int) -> None:
    """Leave out what a worker that has ended held open; what it counted stays."""
    mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]


class _Total(Counter):
    """A counter of what is counted elsewhere."""

    def set(self, total: float) -> None:
        """Tell how many there are by now."""
        self._value.set(total)


class _Histogram(Histogram):
    """A histogram of what is counted elsewhere."""

    def set(self, spread: Spread) -> None:
        """Tell how values are spread by now."""
        for bucket, count in zip(self._buckets, spread.counts, strict=True):
            bucket.set(count)
        self._sum.set(spread.total)


Reading: TypeAlias = Callable[["Metrics"], float]

TOTALS: Mapping[str, tuple[str, Reading]] = {
    "replays": ("Saves that were sent again and answered as before.", lambda it: it.saver.tally.replays),
    "conflicts": ("Conflicts that saves were answered with.", lambda it: it.saver.tally.conflicts),
    "repairs": ("Repairs of graphs that saves were answered with.", lambda it: it.saver.tally.repairs),
    "deliveries": ("Events that were sent to subscribers.", lambda it: it.delivered),
    "folds": ("Snapshots that were brought up to date.", lambda it: it.saver.snapshots.folded),
    "state_cache_evictions": (
        "Workflows that made room for others in the state caches.",
        lambda it: it.saver.states.evicted,
    ),
}
GAUGES: Mapping[str, tuple[str, Reading]] = {
    "subscribers": ("Subscriptions that are open.", lambda it: it.hub.listeners),
    "state_cache_bytes": ("Memory that the state caches use.", lambda it: it.saver.states.used),
    "state_cache_limit_bytes": ("Memory that the state caches may use.", lambda it: it.saver.states.most_bytes),
    "database_connections_in_use": ("Connections of the pools that are lent.", lambda it: it.database.lent),
    "database_connections_limit": ("Connections that the pools may have.", lambda it: it.database.pool.get_max_size()),
}


class Metrics:
    """What one process counts. `requests` are by route and outcome, `delivered` are events sent to subscribers."""

    def __init__(self, database: Database, hub: Hub, saver: Saver) -> None:
        self.database: Database = database
        self.hub: Hub = hub
        self.saver: Saver = saver
        self.requests: Counts[tuple[str, str]] = Counts()
        self.delivered: int = 0
        self._lag: Lag | None = None
        self._looked_at = -LAG_SECONDS
        self._own = own = CollectorRegistry()
        self._requests = _Total(
            "requests", "HTTP requests, by what came of them.", ["route", "outcome"], NAMESPACE, registry=own
        )
        self._saves = _Total("saves", "Saves, by how they were decided.", ["status"], NAMESPACE, registry=own)
        self._seconds = _Histogram(
            "save_seconds", "Time from a save's arrival to its answer.", (), NAMESPACE, registry=own, buckets=SECONDS
        )
        self._batches = _Histogram(
            "batch_saves", "Saves that were written by one statement.", (), NAMESPACE, registry=own, buckets=SAVES
        )
        self._totals = [
            (_Total(name, text, (), NAMESPACE, registry=own), read) for name, (text, read) in TOTALS.items()
        ]
        self._gauges = [
            (Gauge(name, text, (), NAMESPACE, registry=own, multiprocess_mode="livesum"), read)
            for name, (text, read) in GAUGES.items()
        ]

    @classmethod
    @asynccontextmanager
    async def open(cls, database: Database, hub: Hub, saver: Saver) -> "AsyncIterator[Metrics]":
        """Share what this process counts until the block ends."""
        metrics = cls(database, hub, saver)
        task = asyncio.create_task(metrics._run(), name="metrics")
        try:
            yield metrics
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                self._update()
            except OSError as error:
                logger.warning("Could not write metrics to the folder that the workers share: %r", error)
            await asyncio.sleep(UPDATE_SECONDS)

    def _update(self) -> None:
        tally = self.saver.tally
        for status, saves in tally.statuses.items():
            self._saves.labels(status).set(saves)
        for labels, requests in self.requests.items():
            self._requests.labels(*labels).set(requests)
        self._seconds.set(tally.seconds)
        self._batches.set(tally.batches)
        for total, read in self._totals:
            total.set(read(self))
        for gauge, read in self._gauges:
            gauge.set(read(self))

    async def text(self) -> bytes:
        """Tell what all workers have counted, in the text format of Prometheus."""
        self._update()
        await self._look()
        return generate_latest(self)

    async def _look(self) -> None:
        """Look in the database how far snapshots lag, unless that was done just now."""
        now = asyncio.get_running_loop().time()
        if now - self._looked_at < LAG_SECONDS:
            return
        self._looked_at = now
        try:
            async with asyncio.timeout(ANSWER_SECONDS), self.database.connection() as connection:
                self._lag = await snapshots.lag(connection)
        except (UnavailableError, *STATEMENT_ERRORS) as error:
            self._lag = None
            logger.warning("Could not find out how far snapshots lag (%r); the metrics leave it out.", error)

    def collect(self) -> Iterator[Metric]:
        """Give every metric to the library: of all workers, where there is a folder that they share."""
        workers = MultiProcessCollector(None) if FOLDER in os.environ else self._own  # type: ignore[no-untyped-call]
        yield from workers.collect()
        if self._lag is not None:
            yield _lagging("", "Workflows whose snapshot lags.", self._lag.workflows)
            yield _lagging("_versions", "Versions that snapshots lag behind.", self._lag.versions)
            yield _lagging("_seconds", "Time since the oldest save that a snapshot lacks.", self._lag.seconds)


def _lagging(suffix: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{NAMESPACE}_snapshots_lagging{suffix}", text, value)
