"""Workflows with a history, written straight into the tables."""

import uuid
from datetime import UTC, datetime
from typing import Any

from db import journal, members, workflows
from db.database import Connection, Database
from db.journal import Entry, Receipt
from db.workflows import Role

CROWD_WORKFLOWS = 5_000
CROWD_OWNERS = 500


def entry(version: int, workflow_id: str = "w", *, text: str = "") -> Entry:
    """Make the journal entry of a save that sets `n` to the version it makes."""
    changes: list[dict[str, Any]] = [{"path": ["n"], "value": version}, {"path": ["text"], "value": text}]
    return Entry(workflow_id, version, changes, [], [], "owner", datetime.now(UTC), "tab", "MANUAL", None)


def receipt() -> Receipt:
    """Make the receipt of a save without a sequence."""
    return Receipt(uuid.uuid4(), "SAVED", None, "", 0)


async def create(database: Database, workflow_id: str = "w", *, owner: str = "owner") -> None:
    """Store version 1 of a workflow."""
    async with database.transaction() as connection:
        assert await workflows.create(connection, workflow_id, owner, name="Plan", state={"n": 1})
        await journal.append(connection, entry(1, workflow_id), receipt())


async def save(database: Database, workflow_id: str = "w", *, owner: str = "owner", text: str = "") -> int:
    """Store the next version of a workflow, and give its number."""
    async with database.transaction() as connection:
        head = await workflows.read(connection, workflow_id, owner)
        assert head is not None
        saved = entry(head.version + 1, workflow_id, text=text)
        state = {"n": saved.version, "text": text}
        assert await workflows.write(connection, workflow_id, owner, expected=head.version, state=state)
        await journal.append(connection, saved, receipt())
    return saved.version


async def share(database: Database, user: str, role: Role = Role.VIEWER, workflow_id: str = "w") -> None:
    """Share a workflow."""
    async with database.transaction() as connection:
        await members.put(connection, workflow_id, user, role)
        await workflows.revise(connection, workflow_id, "owner")


async def unshare(database: Database, user: str, workflow_id: str = "w") -> None:
    """Take a share away."""
    async with database.transaction() as connection:
        await members.remove(connection, workflow_id, user)
        await workflows.revise(connection, workflow_id, "owner")


async def crowd(connection: Connection) -> None:
    """Store the workflows of many owners, each also shared with somebody else."""
    await connection.execute(
        """
        INSERT INTO workflows (id, owner_id, name, version, state, state_version, saved_by, revised_by, saved_at)
        SELECT 'w' || n, 'u' || n % $2::int, 'Plan ' || n, 1,
               jsonb_build_object('tag', 't' || n, 'blocks', '{}'::jsonb), 1, 'u', 'u', now() - n * interval '1 second'
        FROM generate_series(1, $1::int) AS n
        """,
        CROWD_WORKFLOWS,
        CROWD_OWNERS,
    )
    await connection.execute(
        "INSERT INTO workflow_members SELECT id, 'm' || substr(owner_id, 2), 'VIEWER' FROM workflows"
    )
    await connection.execute("VACUUM ANALYZE workflows, workflow_members")
