"""The journal: every save, as the changes that it made."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from db.database import Connection

PAGE_SAVES = 100  # read at once for a subscriber that is behind
PAGE_BYTES = 256 * 1024  # the same, as stored: what waits in memory for each subscriber that reads slowly
CHECKPOINT_EVERY = 50  # versions; reading any version folds fewer journal rows than this


@dataclass(frozen=True, slots=True)
class Entry:
    """One save. `changes` is a list of journal-encoded changes (`merge.changes.to_json`)."""

    workflow_id: str
    version: int
    changes: list[dict[str, Any]]
    saved_by: str
    saved_at: datetime
    client_id: str | None
    reason: str
    label: str | None


_ENTRY = "workflow_id, version, changes, saved_by, saved_at, client_id, reason, label"


def _entries(rows: Sequence[asyncpg.Record]) -> list[Entry]:
    return [Entry(**row) for row in rows]


async def append(
    connection: Connection,
    entry: Entry,
    *,
    save_id: UUID,
    state: dict[str, Any],
) -> None:
    """Write one save down, and a checkpoint of `state` where one is due."""
    await connection.execute(
        """
        INSERT INTO workflow_changes (workflow_id, version, save_id, changes, saved_by, saved_at, client_id, reason)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        entry.workflow_id,
        entry.version,
        save_id,
        entry.changes,
        entry.saved_by,
        entry.saved_at,
        entry.client_id,
        entry.reason,
    )
    if entry.version % CHECKPOINT_EVERY == 0:
        await connection.execute(
            "INSERT INTO workflow_checkpoints (workflow_id, version, state) VALUES ($1, $2, $3)",
            entry.workflow_id,
            entry.version,
            state,
        )


async def find(connection: Connection, workflow_id: str, save_id: UUID) -> Entry | None:
    """Look a save up by the id that the server gave it, to know whether it was committed."""
    rows = await connection.fetch(
        f"SELECT {_ENTRY} FROM workflow_changes WHERE workflow_id = $1 AND save_id = $2", workflow_id, save_id
    )
    return next(iter(_entries(rows)), None)


async def entry(connection: Connection, workflow_id: str, version: int) -> Entry | None:
    """Read the save that made `version`."""
    return next(iter(await between(connection, workflow_id, version - 1, version)), None)


async def between(connection: Connection, workflow_id: str, after: int, to: int) -> list[Entry]:
    """Read the saves that lead from version `after` to version `to`, oldest first.

    Whoever needs all of them checks that there are `to - after`: older ones may have been pruned.
    """
    return _entries(
        await connection.fetch(
            f"""
            SELECT {_ENTRY} FROM workflow_changes
            WHERE workflow_id = $1 AND version > $2 AND version <= $3 ORDER BY version
            """,
            workflow_id,
            after,
            to,
        )
    )


async def page(connection: Connection, workflow_id: str, after: int, to: int) -> list[Entry]:
    """Read the next saves above version `after`, up to `to`: as many as PAGE_BYTES hold, one at least, oldest first.

    The first one is not `after + 1` where that was pruned.
    """
    return _entries(
        await connection.fetch(
            f"""
            SELECT {_ENTRY} FROM (
                SELECT *, sum(pg_column_size(changes)) OVER (ORDER BY version) AS stored FROM workflow_changes
                WHERE workflow_id = $1 AND version > $2 AND version <= least($2 + {PAGE_SAVES}, $3)
            ) AS next
            WHERE stored <= {PAGE_BYTES} OR version = $2 + 1 ORDER BY version
            """,
            workflow_id,
            after,
            to,
        )
    )


async def latest(connection: Connection, workflow_id: str, *, before: int, limit: int) -> list[Entry]:
    """Read saves, newest first, from the one below version `before` on."""
    return _entries(
        await connection.fetch(
            f"""
            SELECT {_ENTRY} FROM workflow_changes
            WHERE workflow_id = $1 AND version < $2 ORDER BY version DESC LIMIT $3
            """,
            workflow_id,
            before,
            limit,
        )
    )


async def checkpoint(connection: Connection, workflow_id: str, at_most: int) -> tuple[int, dict[str, Any]]:
    """Read the newest whole state at or below a version: (its version, the state). Version 0 is empty."""
    row = await connection.fetchrow(
        """
        SELECT version, state FROM workflow_checkpoints
        WHERE workflow_id = $1 AND version <= $2 ORDER BY version DESC LIMIT 1
        """,
        workflow_id,
        at_most,
    )
    return (row["version"], row["state"]) if row else (0, {})
