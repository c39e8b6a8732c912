"""Snapshots brought up to date by hand, for whoever reads the documents with SQL."""

from db import snapshots, workflows
from db.database import Database
from resolvers import inputs
from resolvers.snapshots import fold
from resolvers.states import States
from server.transfer import Outcome


async def lagging(database: Database) -> list[str]:
    """Name the workflows whose snapshot lags."""
    async with database.connection() as connection:
        return await snapshots.lagging(connection)


async def fold_one(database: Database, workflow_id: str) -> Outcome:
    """Bring the snapshot of a workflow up to date, whoever owns it, also where a server is at it in this moment."""
    if not await _exists(database, workflow_id):
        return Outcome(workflow_id, "There is no such workflow.", done=False)
    folded = await fold(database, States(most_bytes=0), workflow_id, wait=True)
    return Outcome(workflow_id, "Brought up to date." if folded else "It was up to date.", done=True)


async def _exists(database: Database, workflow_id: str) -> bool:
    if not inputs.is_storable(workflow_id):
        return False
    async with database.connection() as connection:
        return await workflows.owner(connection, workflow_id) is not None
