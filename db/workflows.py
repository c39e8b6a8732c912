"""The heads of workflows: who may see them, what they are called, at which version they stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, assert_never

import asyncpg

from db.database import Connection


class Role(StrEnum):
    """What somebody may do with a workflow: see it, also save it, also share and delete it."""

    OWNER = "OWNER"
    EDITOR = "EDITOR"
    VIEWER = "VIEWER"

    @property
    def may_save(self) -> bool:
        """Whether this role may change the document."""
        match self:
            case Role.OWNER | Role.EDITOR:
                return True
            case Role.VIEWER:
                return False
            case _:
                assert_never(self)


@dataclass(frozen=True, slots=True)
class Head:
    """A workflow without its document, as one user sees it."""

    id: str
    owner_id: str
    name: str
    version: int
    role: Role
    saved_by: str
    saved_at: datetime
    created_at: datetime
    deleted_at: datetime | None


# $1 is always the user who asks.
_HEAD = """
    w.id, w.owner_id, w.name, w.version, w.saved_by, w.saved_at, w.created_at, w.deleted_at,
    CASE WHEN w.owner_id = $1 THEN 'OWNER' ELSE m.role END AS role
"""
_VISIBLE = """
    FROM workflows w LEFT JOIN workflow_members m ON m.workflow_id = w.id AND m.user_id = $1
    WHERE w.purged_at IS NULL AND (w.owner_id = $1 OR m.user_id IS NOT NULL)
"""
_MAY_SAVE = """
    (w.owner_id = $2 OR EXISTS (
        SELECT FROM workflow_members m WHERE m.workflow_id = w.id AND m.user_id = $2 AND m.role = 'EDITOR'))
"""


def _head(row: asyncpg.Record) -> Head:
    return Head(**{**row, "role": Role(row["role"])})


async def read(connection: Connection, workflow_id: str, user: str) -> Head | None:
    """Read the head of a workflow that `user` may see, in the trash or not."""
    row = await connection.fetchrow(f"SELECT {_HEAD} {_VISIBLE} AND w.id = $2", user, workflow_id)
    return row and _head(row)


async def is_taken(connection: Connection, workflow_id: str) -> bool:
    """Say whether an id belongs to any workflow, somebody else's and purged ones included."""
    return await connection.fetchval("SELECT EXISTS (SELECT FROM workflows WHERE id = $1)", workflow_id)  # type: ignore[no-any-return]


async def snapshot(connection: Connection, workflow_id: str) -> tuple[int, dict[str, Any]]:
    """Read the snapshot and the version that it shows."""
    row = await connection.fetchrow("SELECT state_version, state FROM workflows WHERE id = $1", workflow_id)
    assert row is not None, "heads are never removed"
    return row["state_version"], row["state"]


async def create(
    connection: Connection, workflow_id: str, owner: str, *, name: str, state: dict[str, Any]
) -> datetime | None:
    """Insert version 1 of a new workflow. Returns when it was saved, or None where the id is taken."""
    return await connection.fetchval(  # type: ignore[no-any-return]
        """
        INSERT INTO workflows (id, owner_id, name, version, state, state_version, saved_by, revised_by)
        VALUES ($1, $2, $3, 1, $4, 1, $2, $2)
        ON CONFLICT (id) DO NOTHING RETURNING saved_at
        """,
        workflow_id,
        owner,
        name,
        state,
    )


async def write(
    connection: Connection, workflow_id: str, user: str, *, expected: int, state: dict[str, Any]
) -> datetime | None:
    """Replace version `expected` by the next one: the one statement that decides who was first.

    Returns when it was saved, or None where the version is another by now, the workflow is in the trash,
    or `user` may not save it.
    """
    return await connection.fetchval(  # type: ignore[no-any-return]
        f"""
        UPDATE workflows w
        SET version = w.version + 1, state = $4, state_version = w.version + 1, saved_by = $2, saved_at = now()
        WHERE w.id = $1 AND w.version = $3 AND w.deleted_at IS NULL AND w.purged_at IS NULL AND {_MAY_SAVE}
        RETURNING w.saved_at
        """,
        workflow_id,
        user,
        expected,
        state,
    )


async def rename(connection: Connection, workflow_id: str, user: str, name: str) -> bool:
    """Give a workflow another name; False where `user` may not save it (any more) or it is in the trash."""
    return await _changed(
        connection,
        f"""
        UPDATE workflows w SET name = $3, {_REVISED}
        WHERE w.id = $1 AND w.deleted_at IS NULL AND w.purged_at IS NULL AND {_MAY_SAVE}
        """,
        workflow_id,
        user,
        name,
    )


async def trash(connection: Connection, workflow_id: str, owner: str) -> bool:
    """Put a workflow into the trash; False where it is not the owner's or lies there already."""
    return await _changed(
        connection,
        f"UPDATE workflows w SET deleted_at = now(), {_REVISED} WHERE {_OWNED} AND w.deleted_at IS NULL",
        workflow_id,
        owner,
    )


async def untrash(connection: Connection, workflow_id: str, owner: str) -> bool:
    """Take a workflow out of the trash; False where it is not the owner's or does not lie there."""
    return await _changed(
        connection,
        f"UPDATE workflows w SET deleted_at = NULL, {_REVISED} WHERE {_OWNED} AND w.deleted_at IS NOT NULL",
        workflow_id,
        owner,
    )


async def purge(connection: Connection, workflow_id: str, owner: str) -> bool:
    """Remove a workflow for good, with its history; only the id stays, as a tombstone."""
    purged = await _changed(
        connection,
        f"""
        UPDATE workflows w SET purged_at = now(), name = '', state = '{{}}', {_REVISED} WHERE {_OWNED}
        """,
        workflow_id,
        owner,
    )
    if purged:
        for table in ("changes", "checkpoints", "clients", "conflicts", "members"):
            await connection.execute(f"DELETE FROM workflow_{table} WHERE workflow_id = $1", workflow_id)
    return purged


async def revise(connection: Connection, workflow_id: str, owner: str) -> bool:
    """Note that the owner changed something that stands in another table, and lock the row until the commit."""
    return await _changed(connection, f"UPDATE workflows w SET {_REVISED} WHERE {_OWNED}", workflow_id, owner)


_REVISED = "revision = w.revision + 1, revised_by = $2, revised_at = now()"
_OWNED = "w.id = $1 AND w.owner_id = $2 AND w.purged_at IS NULL"


async def _changed(connection: Connection, statement: str, *arguments: object) -> bool:
    return await connection.execute(statement, *arguments) != "UPDATE 0"


async def page(
    connection: Connection,
    user: str,
    *,
    limit: int,
    after: tuple[datetime, str] | None,
    search: str | None,
    containing: dict[str, Any] | None,
    deleted: bool,
) -> list[Head]:
    """List heads that `user` may see, newest saved first, from the one after `(saved_at, id)` on."""
    statement, arguments = page_statement(
        user, limit=limit, after=after, search=search, containing=containing, deleted=deleted
    )
    return [_head(row) for row in await connection.fetch(statement, *arguments)]


def page_statement(
    user: str,
    *,
    limit: int,
    after: tuple[datetime, str] | None,
    search: str | None,
    containing: dict[str, Any] | None,
    deleted: bool,
) -> tuple[str, Sequence[object]]:
    """Build the statement of `page`: only the filters that are asked for, so that each can use its index."""
    arguments: list[object] = [user, limit]

    def bind(value: object) -> str:
        arguments.append(value)
        return f"${len(arguments)}"

    filters = [f"w.deleted_at IS {'NOT ' if deleted else ''}NULL"]
    if search:
        filters.append(f"strpos(lower(w.name), lower({bind(search)})) > 0")
    if containing is not None:
        filters.append(f"w.state @> {bind(containing)}")
    if after is not None:
        saved_at, workflow_id = after
        filters.append(f"(w.saved_at, w.id) < ({bind(saved_at)}, {bind(workflow_id)})")
    where = " AND ".join(filters)
    return f"SELECT {_HEAD} {_VISIBLE} AND {where} ORDER BY w.saved_at DESC, w.id DESC LIMIT $2", arguments
