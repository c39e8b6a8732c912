"""What is forgotten in the end: old versions that nobody named, conflicts that nobody looked at, tabs long closed."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from db.database import CONNECTION_ERRORS, Connection, Database, UnavailableError

ADVISORY_LOCK = 0x666F72676574  # "forget" in ASCII; one process at a time
WORKFLOWS_AT_ONCE = 200  # in one transaction
PAUSE_SECONDS = 600.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Retention:
    """How long what happened is kept.

    A version goes when it is neither among the newest `versions` of its workflow nor younger than `days`, and a
    checkpoint above it tells all that follow. Conflicts, and what clients were answered, go after `days`.
    """

    versions: int
    days: int

    @asynccontextmanager
    async def kept(self, database: Database) -> AsyncIterator[None]:
        """Forget from time to time what need not be kept any more, until the block ends."""
        loop = asyncio.create_task(self._run(database), name="retention")
        try:
            yield
        finally:
            loop.cancel()
            await asyncio.gather(loop, return_exceptions=True)

    async def _run(self, database: Database) -> None:
        while True:
            await asyncio.sleep(PAUSE_SECONDS)
            try:
                await self.forget(database)
            except (UnavailableError, *CONNECTION_ERRORS) as error:
                logger.warning("Could not forget what is old (%r); trying again later.", error)
            except Exception:
                logger.exception("Could not forget what is old; trying again later.")

    async def forget(self, database: Database) -> None:
        """Forget what need not be kept, unless another process is at it. No save waits for this, nor this for one."""
        after: str | None = ""
        while after is not None:
            async with database.transaction(isolation="read_committed") as connection:
                if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", ADVISORY_LOCK):
                    return
                after = await self._forget_versions(connection, after)
        async with database.connection() as connection:
            for table, time in (("workflow_conflicts", "kept_at"), ("workflow_clients", "seen_at")):
                await connection.execute(
                    f"""
                    DELETE FROM {table} WHERE ctid = ANY(ARRAY(
                        SELECT ctid FROM {table} WHERE {time} < now() - make_interval(days => $1)
                        FOR UPDATE SKIP LOCKED))
                    """,
                    self.days,
                )

    async def _forget_versions(self, connection: Connection, after: str) -> str | None:
        """Prune the journals of some workflows, in the order of their ids; give the last id, None at the end."""
        return await connection.fetchval(  # type: ignore[no-any-return]
            """
            WITH ids AS (SELECT id FROM workflows WHERE id > $1 ORDER BY id LIMIT $4),
            floors AS (
                SELECT k.workflow_id AS id, max(k.version) AS floor
                FROM ids JOIN workflows w USING (id) JOIN workflow_checkpoints k ON k.workflow_id = w.id
                WHERE k.version <= least(w.version - $2, w.state_version) AND NOT EXISTS (
                    SELECT FROM workflow_changes c WHERE c.workflow_id = w.id AND c.version <= k.version
                    AND c.label IS NULL AND c.saved_at >= now() - make_interval(days => $3))
                GROUP BY k.workflow_id
            ),
            versions AS (
                DELETE FROM workflow_changes c USING floors f
                WHERE c.workflow_id = f.id AND c.version <= f.floor AND c.label IS NULL
            ),
            checkpoints AS (
                DELETE FROM workflow_checkpoints k USING floors f
                WHERE k.workflow_id = f.id AND k.version < f.floor AND NOT EXISTS (
                    SELECT FROM workflow_changes c
                    WHERE c.workflow_id = k.workflow_id AND c.version = k.version AND c.label IS NOT NULL)
            )
            SELECT max(id) FROM ids
            """,
            after,
            self.versions,
            self.days,
            WORKFLOWS_AT_ONCE,
        )


async def hold(connection: Connection) -> None:
    """Keep versions from being forgotten until this transaction ends: one of them is about to get a name."""
    await connection.execute("SELECT pg_advisory_xact_lock_shared($1)", ADVISORY_LOCK)
