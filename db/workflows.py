"""The heads of workflows: who may see them, what they are called, at which version they stand."""

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
    """A workflow without its document, as one user sees it. `revision` counts what happened to it besides saves."""

    id: str
    owner_id: str
    name: str
    version: int
    role: Role
    saved_by: str
    saved_at: datetime
    created_at: datetime
    deleted_at: datetime | None
    revision: int = 0

    def seen_as(self, role: Role) -> "Head":
        """Show the same to somebody with that role."""
        if role is self.role:
            return self
        return self._with(self.version, role, self.saved_by, self.saved_at)

    def moved(self, version: int, by: str, at: datetime) -> "Head":
        """Give the head after a save."""
        return self._with(version, self.role, by, at)

    def _with(self, version: int, role: Role, saved_by: str, saved_at: datetime) -> "Head":
        """Do what `dataclasses.replace` does, in a tenth of its time: this is done several times for each save."""
        return Head(
            self.id,
            self.owner_id,
            self.name,
            version,
            role,
            saved_by,
            saved_at,
            self.created_at,
            self.deleted_at,
            self.revision,
        )


_COLUMNS = "w.id, w.owner_id, w.name, w.version, w.saved_by, w.saved_at, w.created_at, w.deleted_at, w.revision"

# One workflow as the user $1 sees it: `role` is NULL where they do not.
_HEAD = f"""
    SELECT {_COLUMNS}, CASE WHEN w.owner_id = $1 THEN 'OWNER' ELSE m.role END AS role, w.purged_at
    FROM workflows w LEFT JOIN workflow_members m ON m.workflow_id = w.id AND m.user_id = $1
"""

# All workflows that the user $1 sees, in two arms, so that each uses its index.
_OWN = f"SELECT {_COLUMNS}, 'OWNER' AS role FROM workflows w WHERE w.owner_id = $1"
_SHARED = f"""
    SELECT {_COLUMNS}, m.role FROM workflow_members m JOIN workflows w ON w.id = m.workflow_id
    WHERE m.user_id = $1 AND w.owner_id <> $1
"""
_MAY_SAVE = """
    (w.owner_id = $2 OR EXISTS (
        SELECT FROM workflow_members m WHERE m.workflow_id = w.id AND m.user_id = $2 AND m.role = 'EDITOR'))
"""


def _head(row: asyncpg.Record) -> Head:
    names = ("id", "owner_id", "name", "version", "saved_by", "saved_at", "created_at", "deleted_at", "revision")
    return Head(**{name: row[name] for name in names}, role=Role(row["role"]))


async def read(connection: Connection, workflow_id: str, user: str) -> Head | None:
    """Read the head of a workflow that `user` may see, in the trash or not."""
    _, head = await claim(connection, workflow_id, user)
    return head


async def claim(connection: Connection, workflow_id: str, user: str) -> tuple[bool, Head | None]:
    """Say whether an id is taken, by whomever, and give the head if it is one that `user` may see."""
    row = await connection.fetchrow(f"{_HEAD} WHERE w.id = $2", user, workflow_id)
    if row is None:
        return False, None
    is_visible = row["purged_at"] is None and row["role"] is not None
    return True, _head(row) if is_visible else None


async def owner(connection: Connection, workflow_id: str) -> str | None:
    """Name the owner of a workflow, in the trash or not; None where there is none or it was purged."""
    return await connection.fetchval(  # type: ignore[no-any-return]
        "SELECT owner_id FROM workflows WHERE id = $1 AND purged_at IS NULL", workflow_id
    )


async def snapshot(connection: Connection, workflow_id: str) -> tuple[int, dict[str, Any]]:
    """Read the snapshot and the version that it shows."""
    row = await connection.fetchrow("SELECT state_version, state FROM workflows WHERE id = $1", workflow_id)
    assert row is not None, "heads are never removed"
    return row["state_version"], row["state"]


async def snapshot_text(connection: Connection, workflow_id: str, version: int) -> bytes | None:
    """Read the snapshot as JSON that nobody has read, None where it shows another version.

    It is as Postgres writes it: of numbers, all digits.
    """
    return await connection.fetchval(  # type: ignore[no-any-return]
        "SELECT convert_to(state::text, 'UTF8') FROM workflows WHERE id = $1 AND state_version = $2",
        workflow_id,
        version,
    )


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
    connection: Connection, workflow_id: str, user: str, *, expected: int, state: dict[str, Any] | None
) -> datetime | None:
    """Move the head from version `expected` to the next one: the one statement that decides who was first.

    The snapshot becomes `state`, or stays as it is (None). Returns when it was saved, or None where the version is
    another by now, the workflow is in the trash, or `user` may not save it.
    """
    snapshot = "" if state is None else ", state = $4, state_version = w.version + 1"
    return await connection.fetchval(  # type: ignore[no-any-return]
        f"""
        UPDATE workflows w SET version = w.version + 1, saved_by = $2, saved_at = now(){snapshot}
        WHERE w.id = $1 AND w.version = $3 AND w.deleted_at IS NULL AND w.purged_at IS NULL AND {_MAY_SAVE}
        RETURNING w.saved_at
        """,
        *(workflow_id, user, expected),
        *(() if state is None else (state,)),
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
    """Remove a workflow for good, with its history: only the id stays, as a tombstone. False where it is not theirs.

    Takes a transaction that is read committed: it waits for those who are just writing something of the workflow
    down, and must see that to remove it.
    """
    await connection.execute("SELECT FROM workflows WHERE id = $1 FOR UPDATE", workflow_id)
    purged = await _changed(
        connection,
        f"""
        UPDATE workflows w SET purged_at = now(), name = '', state = '{{}}', state_version = 0, {_REVISED}
        WHERE {_OWNED}
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


@dataclass(frozen=True, slots=True)
class Filter:
    """Which heads a page shows: `limit` of them, from the one after `(saved_at, id)` on."""

    limit: int
    after: tuple[datetime, str] | None = None
    search: str | None = None
    containing: dict[str, Any] | None = None
    deleted: bool = False


async def page(connection: Connection, user: str, wanted: Filter) -> list[Head]:
    """List heads that `user` may see, newest saved first."""
    statement, arguments = page_statement(user, wanted)
    return [_head(row) for row in await connection.fetch(statement, *arguments)]


def page_statement(user: str, wanted: Filter) -> tuple[str, list[object]]:
    """Build the statement of `page`: only the filters that are asked for, so that each can use its index."""
    arguments: list[object] = [user, wanted.limit]

    def bind(value: object) -> str:
        arguments.append(value)
        return f"${len(arguments)}"

    filters = ["w.purged_at IS NULL", f"w.deleted_at IS {'NOT ' if wanted.deleted else ''}NULL"]
    if wanted.search:
        filters.append(f"strpos(lower(w.name), lower({bind(wanted.search)})) > 0")
    if wanted.containing is not None:
        contains = f"w.state @> {bind(wanted.containing)}"
        filters.append(contains if _has_leaf(wanted.containing) else f"({contains}) IS TRUE")
    if wanted.after is not None:
        saved_at, workflow_id = wanted.after
        filters.append(f"(w.saved_at, w.id) < ({bind(saved_at)}, {bind(workflow_id)})")
    where = " AND ".join(filters)
    visible = f"{_OWN} AND {where} UNION ALL {_SHARED} AND {where}"
    return f"SELECT * FROM ({visible}) AS w ORDER BY w.saved_at DESC, w.id DESC LIMIT $2", arguments


def _has_leaf(part: object) -> bool:
    """Say whether the index can find a part: it knows leaves alone, and without one it is read from end to end."""
    if isinstance(part, dict):
        return any(map(_has_leaf, part.values()))
    if isinstance(part, list):
        return any(map(_has_leaf, part))
    return True
