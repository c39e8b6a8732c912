"""The values that lost, and whole payloads that could not be written: kept until somebody looks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from db.database import Connection

OPEN_CONFLICTS = 1_000  # of one workflow that are listed; older ones wait until some of these are closed


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two values for one path; the whole document where the path is empty.

    `sides` has what stood or was meant there under "base", "theirs" and "yours"; what was absent has no key. "yours" is
    the side of the save that met the conflict; of a payload that only had changes, it is the list of those. One that is
    only told, and not kept, has no id.
    """

    id: UUID | None
    path: tuple[str, ...]
    sides: Mapping[str, Any]
    winner: str
    yours_by: str
    theirs_by: str
    theirs_at: datetime
    theirs_version: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A conflict that is kept, with the workflow it is about, and who sent a whole payload, made on which base."""

    workflow_id: str
    client_id: str | None
    base_version: int | None
    conflict: Conflict


_CONFLICT = "id, path, sides, winner, user_id AS yours_by, theirs_by, theirs_at, theirs_version"


def _conflict(columns: Iterable[Any]) -> Conflict:
    key, path, *others = columns
    return Conflict(key, tuple(path), *others)


async def keep(
    connection: Connection, workflow_id: str, client_id: str | None, conflicts: Sequence[Conflict], base: int | None
) -> None:
    """Keep what a save met. Of the whole payloads of one client, the newest replaces the one before."""
    await connection.executemany(
        """
        INSERT INTO workflow_conflicts AS c
            (id, workflow_id, client_id, path, sides, winner, user_id, theirs_by, theirs_at, theirs_version,
             base_version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (workflow_id, user_id, client_id) WHERE path = '{}'::text[] DO UPDATE
        SET id = excluded.id, sides = excluded.sides, theirs_by = excluded.theirs_by, theirs_at = excluded.theirs_at,
            theirs_version = excluded.theirs_version, base_version = excluded.base_version, kept_at = now()
        """,
        [
            (
                conflict.id,
                workflow_id,
                client_id,
                conflict.path,
                conflict.sides,
                conflict.winner,
                conflict.yours_by,
                conflict.theirs_by,
                conflict.theirs_at,
                conflict.theirs_version,
                base,
            )
            for conflict in conflicts
        ],
    )


async def read_open(connection: Connection, workflow_id: str) -> list[Conflict]:
    """List the conflicts of a workflow that nobody has closed, newest first."""
    rows = await connection.fetch(
        f"SELECT {_CONFLICT} FROM workflow_conflicts WHERE workflow_id = $1 ORDER BY kept_at DESC, id LIMIT $2",
        workflow_id,
        OPEN_CONFLICTS,
    )
    return [_conflict(row.values()) for row in rows]


async def find(connection: Connection, conflict_id: UUID) -> Kept | None:
    """Look a conflict up; None where there is none, or none any more."""
    row = await connection.fetchrow(
        f"SELECT workflow_id, client_id, base_version, {_CONFLICT} FROM workflow_conflicts WHERE id = $1", conflict_id
    )
    if row is None:
        return None
    workflow_id, client_id, base_version, *columns = row.values()
    return Kept(workflow_id, client_id, base_version, _conflict(columns))


async def close(connection: Connection, conflict: Conflict) -> bool:
    """Forget a conflict that somebody has dealt with; false where somebody else did so before."""
    return await connection.execute("DELETE FROM workflow_conflicts WHERE id = $1", conflict.id) == "DELETE 1"


def to_json(conflict: Conflict) -> dict[str, Any]:
    """Write a conflict for the journal."""
    return {field.name: getattr(conflict, field.name) for field in fields(conflict)}


def from_json(encoded: Mapping[str, Any]) -> Conflict:
    """Read a conflict that `to_json` wrote."""
    return Conflict(
        **{
            **encoded,
            "id": UUID(encoded["id"]),
            "path": tuple(encoded["path"]),
            "theirs_at": datetime.fromisoformat(encoded["theirs_at"]),
        }
    )
