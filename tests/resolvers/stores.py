"""What is stored, as it lies in the tables."""

from typing import Any

from db import journal
from db.database import Connection, Database
from merge import values
from resolvers import documents, history, snapshots, workflows
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


async def fold(context: Context, workflow_id: str = "w") -> None:
    """Bring the snapshot of a workflow up to its version."""
    await snapshots.fold(context.database, context.saver.states, workflow_id, wait=True)


async def lagging(database: Database) -> list[str]:
    """Name the workflows whose column `state` is not the document at their version."""
    async with database.transaction() as connection:
        heads = await connection.fetch("SELECT * FROM workflows WHERE purged_at IS NULL")
        return [head["id"] for head in heads if not await _is_shown(connection, dict(head))]


async def _is_shown(connection: Connection, head: dict[str, Any]) -> bool:
    """Compare a snapshot with the whole journal, as far as it is there."""
    entries = await journal.between(connection, head["id"], 0, head["version"])
    is_whole = len(entries) == head["version"]
    is_equal = not is_whole or values.equal(head["state"], documents.fold({}, entries))
    return is_equal and head["state_version"] == head["version"]


async def prune(context: Context, through: int, workflow_id: str = "w") -> None:
    """Forget the versions up to one, as pruning does: under the snapshot. What is known here is forgotten, too."""
    await fold(context, workflow_id)
    async with context.database.connection() as connection:
        await connection.execute(
            "DELETE FROM workflow_changes WHERE workflow_id = $1 AND version <= $2", workflow_id, through
        )
    context.saver.states.forget(workflow_id)


async def keep(context: Context, *versions: int, workflow_id: str = "w") -> None:
    """Keep the whole document at some versions, which each are a checkpoint then."""
    async with context.database.transaction() as connection:
        for version in versions:
            state = await documents.state_at(connection, workflow_id, version)
            await journal.put_checkpoint(connection, workflow_id, version, state)


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
