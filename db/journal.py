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
TRACED_SAVES = 1_000  # how far back it is known whose values a save replaces that names no base


@dataclass(frozen=True, slots=True)
class Entry:
    """One save. Its lists are encoded by `merge.changes`, `db.conflicts` and `merge.repair`."""

    workflow_id: str
    version: int
    changes: list[dict[str, Any]]
    conflicts: list[dict[str, Any]]
    repairs: list[dict[str, Any]]
    saved_by: str
    saved_at: datetime
    client_id: str | None
    reason: str
    label: str | None

    def at(self, saved_at: datetime) -> "Entry":
        """Give the same save, now that it is known when it was written."""
        return Entry(
            self.workflow_id,
            self.version,
            self.changes,
            self.conflicts,
            self.repairs,
            self.saved_by,
            saved_at,
            self.client_id,
            self.reason,
            self.label,
        )


ENTRY = "workflow_id, version, changes, conflicts, repairs, saved_by, saved_at, client_id, reason, label"


def _entries(rows: Sequence[asyncpg.Record]) -> list[Entry]:
    return [Entry(**row) for row in rows]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a retry of a save is answered from: `digest` is the SHA-256 of what was sent, in hexadecimal digits.

    `sequence` is None for a save without one; then nobody asks for the rest.
    """

    save_id: UUID
    status: str
    sequence: int | None
    digest: str
    base_version: int


async def append(connection: Connection, entry: Entry, receipt: Receipt) -> None:
    """Write one save down."""
    counted = receipt.sequence is not None
    await connection.execute(
        """
        INSERT INTO workflow_changes
            (workflow_id, version, save_id, changes, conflicts, repairs, saved_by, saved_at, client_id, reason,
             status, sequence, digest, base_version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        """,
        entry.workflow_id,
        entry.version,
        receipt.save_id,
        entry.changes,
        entry.conflicts,
        entry.repairs,
        entry.saved_by,
        entry.saved_at,
        entry.client_id,
        entry.reason,
        receipt.status,
        receipt.sequence,
        bytes.fromhex(receipt.digest) if counted else None,
        receipt.base_version if counted else None,
    )


async def put_checkpoint(connection: Connection, workflow_id: str, version: int, state: dict[str, Any]) -> None:
    """Keep the whole state at a version, if that is not done already."""
    await connection.execute(
        """
        INSERT INTO workflow_checkpoints (workflow_id, version, state) VALUES ($1, $2, $3)
        ON CONFLICT (workflow_id, version) DO NOTHING
        """,
        workflow_id,
        version,
        state,
    )


async def saved_at(connection: Connection, workflow_id: str, save_id: UUID) -> datetime | None:
    """Say when a save was committed, by the id that the server gave it; None where it was not."""
    return await connection.fetchval(  # type: ignore[no-any-return]
        "SELECT saved_at FROM workflow_changes WHERE workflow_id = $1 AND save_id = $2", workflow_id, save_id
    )


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
            SELECT {ENTRY} FROM workflow_changes
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
            SELECT {ENTRY} FROM (
                SELECT *, sum(pg_column_size(changes) + pg_column_size(conflicts)) OVER (ORDER BY version) AS stored
                FROM workflow_changes
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
            SELECT {ENTRY} FROM workflow_changes
            WHERE workflow_id = $1 AND version < $2 ORDER BY version DESC LIMIT $3
            """,
            workflow_id,
            before,
            limit,
        )
    )


async def weigh(connection: Connection, workflow_id: str, after: int, to: int) -> int | None:
    """Measure the saves from version `after` (without it) to `to`, in bytes as stored; None where some are gone."""
    count, size = await connection.fetchrow(  # type: ignore[misc]  # an aggregate always gives a row
        """
        SELECT count(*), coalesce(sum(pg_column_size(changes)), 0) FROM workflow_changes
        WHERE workflow_id = $1 AND version > $2 AND version <= $3
        """,
        workflow_id,
        after,
        to,
    )
    return int(size) if count == to - after else None


async def label(connection: Connection, workflow_id: str, version: int, text: str | None) -> Entry | None:
    """Name a version, or take its name away; None where there is no such version."""
    rows = await connection.fetch(
        f"UPDATE workflow_changes SET label = $3 WHERE workflow_id = $1 AND version = $2 RETURNING {ENTRY}",
        workflow_id,
        version,
        text,
    )
    return next(iter(_entries(rows)), None)


async def trace(connection: Connection, workflow_id: str, version: int, *, unless_all_by: str) -> list[Entry]:
    """Read the newest saves up to a version, oldest first; none where one user made all of them."""
    return _entries(
        await connection.fetch(
            f"""
            SELECT {ENTRY} FROM workflow_changes
            WHERE workflow_id = $1 AND version > $2 AND version <= $3 AND EXISTS (
                SELECT FROM workflow_changes
                WHERE workflow_id = $1 AND version > $2 AND version <= $3 AND saved_by <> $4)
            ORDER BY version
            """,
            workflow_id,
            version - TRACED_SAVES,
            version,
            unless_all_by,
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
