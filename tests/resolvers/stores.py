"""What is stored, as it lies in the tables."""

from typing import Any

from db.database import Database
from resolvers import history, workflows
from resolvers.context import Context
from tests.documents import Document

TABLES = {
    "workflows": "id",
    "workflow_changes": "workflow_id, version",
    "workflow_checkpoints": "workflow_id, version",
    "workflow_clients": "workflow_id, user_id, client_id",
    "workflow_conflicts": "workflow_id, user_id, client_id, kept_at, path",
    "workflow_members": "workflow_id, user_id",
}
Rows = list[dict[str, Any]]


async def rows(database: Database, table: str, workflow_id: str | None = None) -> Rows:
    """Read a whole table, or what it has of one workflow, in the order of its key."""
    key = TABLES[table]
    where = "" if workflow_id is None else f"WHERE {key.split(',')[0]} = $1"
    arguments = () if workflow_id is None else (workflow_id,)
    async with database.connection() as connection:
        found = await connection.fetch(f"SELECT * FROM {table} {where} ORDER BY {key}", *arguments)
    return [dict(row) for row in found]


async def everything(database: Database, workflow_id: str | None = None) -> dict[str, Rows]:
    """Read all tables, of one workflow or of all, to see whether anything was written."""
    return {table: await rows(database, table, workflow_id) for table in TABLES}


async def versions(database: Database, workflow_id: str = "w") -> list[int]:
    """List the versions in the journal of a workflow."""
    return [row["version"] for row in await rows(database, "workflow_changes") if row["workflow_id"] == workflow_id]


async def document(context: Context, workflow_id: str = "w") -> Document:
    """Read a document at its current version."""
    head = await workflows.visible(context, workflow_id)
    return await history.state(context, workflow_id, head.version)


async def kept(database: Database) -> list[tuple[str, str | None, int | None, Document]]:
    """List the payloads that were kept whole: whose, from which client, on which base, and what."""
    found = [row for row in await rows(database, "workflow_conflicts") if not row["path"]]
    return [(row["user_id"], row["client_id"], row["base_version"], row["sides"]["yours"]) for row in found]


async def told(database: Database) -> list[tuple[list[str], Document, str]]:
    """List the values that are kept because somebody else's won: where, on which sides what, and whose stands."""
    found = [row for row in await rows(database, "workflow_conflicts") if row["path"]]
    return [(row["path"], row["sides"], row["winner"]) for row in found]
