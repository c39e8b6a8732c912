"""The `state` of workflows: which ones lag behind their version, and bringing them up to it."""

from dataclasses import dataclass
from typing import Any

from db.database import Connection, Text

CHECKPOINT_FACTOR = 4  # the journal may outweigh the document so often before its state is kept beside it
CHECKPOINT_BYTES = 16 * 1024  # of journal at least, however small the document
CHECKPOINT_SAVES = 1_000  # of journal at most
ADVISORY_LOCKS = 0x666F6C64  # "fold" in ASCII: the locks of those who bring a snapshot up, one for each workflow


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the snapshots are behind: of how many workflows, by how many versions, for how long at most."""

    workflows: int
    versions: int
    seconds: float


async def claim(connection: Connection, workflow_id: str) -> tuple[int, int] | None:
    """Give the version, and the one that the snapshot shows, where nobody else is about to bring it up.

    The claim holds until the transaction ends.
    """
    row = await connection.fetchrow(
        """
        SELECT version, state_version FROM workflows
        WHERE id = $2 AND purged_at IS NULL AND pg_try_advisory_xact_lock($1, hashtext($2))
        """,
        ADVISORY_LOCKS,
        workflow_id,
    )
    return tuple(row) if row else None


async def wait(connection: Connection, workflow_id: str) -> None:
    """Wait until the claims of all others have ended, and keep them from new ones until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock($1, hashtext($2))", ADVISORY_LOCKS, workflow_id)


async def write(connection: Connection, workflow_id: str, version: int, state: bytes) -> None:
    """Have the snapshot show `version`, and keep the state as a checkpoint too where much was saved since the last."""
    await connection.execute(
        """
        WITH shown AS (
            UPDATE workflows SET state = $3, state_version = $2
            WHERE id = $1 AND state_version < $2 AND purged_at IS NULL RETURNING id
        ),
        since AS (
            SELECT count(*) AS saves, sum(pg_column_size(changes)) AS bytes FROM workflow_changes
            WHERE workflow_id = $1 AND version <= $2 AND version > coalesce(
                (SELECT max(version) FROM workflow_checkpoints WHERE workflow_id = $1), 0)
        )
        INSERT INTO workflow_checkpoints (workflow_id, version, state)
        SELECT id, $2, $3 FROM shown, since WHERE since.bytes > $4 OR since.saves >= $5
        ON CONFLICT (workflow_id, version) DO NOTHING
        """,
        workflow_id,
        version,
        Text(state),
        max(CHECKPOINT_FACTOR * len(state), CHECKPOINT_BYTES),
        CHECKPOINT_SAVES,
    )


async def lagging(connection: Connection, *, quiet_seconds: float = 0.0, limit: int | None = None) -> list[str]:
    """Name workflows whose snapshot lags, and that nobody has saved for so long; those not saved for longest first."""
    rows = await connection.fetch(
        """
        SELECT id FROM workflows
        WHERE state_version < version AND purged_at IS NULL AND saved_at <= now() - make_interval(secs => $1)
        ORDER BY saved_at LIMIT $2
        """,
        quiet_seconds,
        limit,
    )
    return [row["id"] for row in rows]


async def lagging_of(connection: Connection, user: str) -> list[str]:
    """Name the workflows that a user may see and whose snapshot lags."""
    rows = await connection.fetch(
        """
        SELECT w.id FROM workflows w WHERE w.state_version < w.version AND w.purged_at IS NULL AND (
            w.owner_id = $1 OR w.id IN (SELECT m.workflow_id FROM workflow_members m WHERE m.user_id = $1))
        """,
        user,
    )
    return [row["id"] for row in rows]


async def lag(connection: Connection) -> Lag:
    """Measure how far the snapshots are behind."""
    row: Any = await connection.fetchrow(
        """
        SELECT count(*), coalesce(sum(version - state_version), 0),
               coalesce(extract(epoch FROM now() - min(saved_at)), 0)::float8
        FROM workflows WHERE state_version < version AND purged_at IS NULL
        """
    )
    return Lag(*row)
