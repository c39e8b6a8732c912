"""Bringing snapshots up to the journal: not with each save, but when that is due.

A snapshot is due when the journal since then outweighs the document, when its workflow is quiet, before its state is
searched by SQL, and when the server stops. Several processes share the work; one that was killed leaves it to the rest.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from db import snapshots
from db.database import CONNECTION_ERRORS, Connection, Database, UnavailableError
from merge import values
from resolvers import documents
from resolvers.states import States

OUTWEIGHED = 4  # times its document may the journal since a snapshot weigh
LEAST_BYTES = 256 * 1024  # of journal, for the sake of small documents
QUIET_SECONDS = 30.0  # since the last save: longer than editors wait between two
TICK_SECONDS = 1.0
SWEEP_SECONDS = 60.0  # between looks for what a process that was killed has left behind
SWEPT = 500  # workflows that one look takes
CLOSE_SECONDS = 5.0  # for what is still behind when the server stops; the next one does the rest

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Lag:
    """How far one snapshot is behind: bytes of journal since, of the document, and when that was saved last."""

    journal: int
    document: int
    saved_at: float

    def is_due(self, now: float) -> bool:
        """Say whether the snapshot should be brought up."""
        return self.journal > max(OUTWEIGHED * self.document, LEAST_BYTES) or now - self.saved_at > QUIET_SECONDS


@dataclass(slots=True)
class Snapshots:
    """The snapshots that this process has left behind, and how many it has `folded`.

    With `every` n, each n-th version is shown by its save.
    """

    database: Database
    states: States
    every: int = 0
    folded: int = 0
    lags: dict[str, Lag] = field(default_factory=dict)

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Bring up what is due until the block ends, and then the rest."""
        loop = asyncio.create_task(self._run(), name="snapshots")
        try:
            yield
        finally:
            loop.cancel()
            await asyncio.gather(loop, return_exceptions=True)
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._fold(list(self.lags))

    def is_shown(self, before: int, version: int) -> bool:
        """Say whether a save that leads from one version to another writes the snapshot too."""
        return self.every > 0 and version // self.every > before // self.every

    def note(self, workflow_id: str, *, journal: int, document: int, shown: bool) -> None:
        """Take in that a workflow was saved."""
        if shown:
            self.lags.pop(workflow_id, None)
            return
        before = self.lags.get(workflow_id)
        journal += before.journal if before else 0
        self.lags[workflow_id] = Lag(journal, document, asyncio.get_running_loop().time())

    async def fold_visible(self, user: str) -> None:
        """Bring up whatever a user may see, before it is searched."""
        async with self.database.connection() as connection:
            behind = await snapshots.lagging_of(connection, user)
        for workflow_id in behind:
            await self._bring_up(workflow_id, wait=True)

    async def _run(self) -> None:
        swept = asyncio.get_running_loop().time()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = asyncio.get_running_loop().time()
            await self._fold([key for key, lag in self.lags.items() if lag.is_due(now)])
            if now - swept > SWEEP_SECONDS:
                swept = now
                await self._fold(await self._left_behind())

    async def _left_behind(self) -> list[str]:
        try:
            async with self.database.connection() as connection:
                return await snapshots.lagging(connection, quiet_seconds=SWEEP_SECONDS, limit=SWEPT)
        except (UnavailableError, *CONNECTION_ERRORS) as error:
            logger.warning("Could not look for snapshots that lag (%r); trying again later.", error)
            return []

    async def _fold(self, workflow_ids: Iterable[str]) -> None:
        for workflow_id in workflow_ids:
            lag = self.lags.pop(workflow_id, None)
            try:
                await self._bring_up(workflow_id)
            except (UnavailableError, *CONNECTION_ERRORS) as error:
                logger.warning("Could not bring up the snapshot of %s (%r); trying again later.", workflow_id, error)
            except Exception:
                logger.exception("Could not bring up the snapshot of %s; trying again later.", workflow_id)
            else:
                continue
            if lag is not None:  # tried again when it would be for being quiet
                again = Lag(0, lag.document, asyncio.get_running_loop().time())
                self.lags.setdefault(workflow_id, again)

    async def _bring_up(self, workflow_id: str, *, wait: bool = False) -> None:
        if await fold(self.database, self.states, workflow_id, wait=wait):
            self.folded += 1


async def fold(database: Database, states: States, workflow_id: str, *, wait: bool = False) -> bool:
    """Bring the snapshot of a workflow up to its version; False where it is, or somebody else is at it.

    Whoever means to `wait` for the others finds it up to date in any case.
    """
    async with database.transaction(isolation="read_committed") as connection:
        if wait:
            await snapshots.wait(connection, workflow_id)
        claimed = await snapshots.claim(connection, workflow_id)
        if claimed is None or claimed[0] == claimed[1]:
            return False
        state = await _state(connection, states, workflow_id, claimed[0])
        await snapshots.write(connection, workflow_id, claimed[0], state)
    return True


async def _state(connection: Connection, states: States, workflow_id: str, version: int) -> bytes:
    known = states.find(workflow_id)
    if known is not None and known.head.version == version:
        text = values.dump(known.state)
        states.weigh(known, len(text))
        return text
    return values.dump(await documents.state_at(connection, workflow_id, version))
