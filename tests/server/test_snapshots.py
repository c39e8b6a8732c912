"""`fold`: the column that people read with SQL shows what was saved last, whether a server runs or not."""

import asyncio
from pathlib import Path

import pytest

from db import journal, snapshots, workflows
from db.database import Database
from server.postgres import Postgres
from server.snapshots import fold_one, lagging
from server.transfer import Outcome
from tests.db import stories
from tests.facts import somebody_waits, until
from tests.server import processes

SAVE = "mutation Save($input: SyncWorkflowInput!) { syncWorkflow(input: $input) { status } }"


async def leave_behind(database: Database, workflow_id: str, *, versions: int = 1) -> None:
    """Store saves that the snapshot does not show."""
    for _ in range(versions):
        async with database.transaction() as connection:
            head = await workflows.read(connection, workflow_id, "owner")
            assert head is not None
            assert await workflows.write(connection, workflow_id, "owner", expected=head.version, state=None)
            await journal.append(connection, stories.entry(head.version + 1, workflow_id), stories.receipt())


async def shown(database: Database, workflow_id: str) -> object:
    """Read with SQL what a snapshot shows."""
    async with database.connection() as connection:
        return await connection.fetchval("SELECT state -> 'n' FROM workflows WHERE id = $1", workflow_id)


async def test_a_snapshot_that_lags_is_brought_up_to_date(database: Database) -> None:
    await stories.create(database, "w")
    await leave_behind(database, "w", versions=3)
    assert await lagging(database) == ["w"]
    assert await shown(database, "w") == 1
    assert await fold_one(database, "w") == Outcome("w", "Brought up to date.", done=True)
    assert await shown(database, "w") == 4
    assert await lagging(database) == []


async def test_a_snapshot_that_does_not_lag_is_left_alone(database: Database) -> None:
    await stories.create(database, "w")
    assert await fold_one(database, "w") == Outcome("w", "It was up to date.", done=True)


async def test_a_snapshot_in_the_trash_is_brought_up_too_and_a_purged_workflow_is_none(database: Database) -> None:
    await stories.create(database, "w")
    await leave_behind(database, "w")
    async with database.transaction() as connection:
        await workflows.trash(connection, "w", "owner")
    assert (await fold_one(database, "w")).text == "Brought up to date."
    async with database.transaction() as connection:
        assert await workflows.purge(connection, "w", "owner")
    assert await fold_one(database, "w") == Outcome("w", "There is no such workflow.", done=False)


@pytest.mark.parametrize("workflow_id", ["nowhere", "", "nul\0", "half\ud800"])
async def test_a_workflow_that_does_not_exist_is_named(database: Database, workflow_id: str) -> None:
    assert await fold_one(database, workflow_id) == Outcome(workflow_id, "There is no such workflow.", done=False)


async def test_a_fold_waits_for_a_server_that_is_at_it(database: Database) -> None:
    await stories.create(database, "w")
    await leave_behind(database, "w")
    async with database.connection() as watching:
        async with database.transaction() as connection:
            assert await snapshots.claim(connection, "w") == (2, 1)
            folding = asyncio.create_task(fold_one(database, "w"))
            await until(lambda: somebody_waits(watching))
            await snapshots.write(connection, "w", 2, b'{"n": 2}')
        assert (await folding).text == "It was up to date."


async def test_the_command_folds_those_named_and_says_which_are_none(database: Database) -> None:
    for workflow_id in ("one", "two"):
        await stories.create(database, workflow_id)
        await leave_behind(database, workflow_id)
    folded = await processes.run("fold", "one", "none", DATABASE_URL=database.url)
    assert (folded.code, folded.stdout) == (1, "one: Brought up to date.\n")
    assert folded.stderr.endswith("none: There is no such workflow.\n")
    assert await lagging(database) == ["two"]


async def test_the_command_folds_all_that_lag(database: Database) -> None:
    for workflow_id in ("one", "two", "three"):
        await stories.create(database, workflow_id)
    for workflow_id in ("one", "two"):
        await leave_behind(database, workflow_id)
    folded = await processes.run("fold", DATABASE_URL=database.url)
    assert (folded.code, folded.stdout) == (0, "Brought 2 snapshots up to date.\n")
    assert await lagging(database) == []
    again = await processes.run("fold", DATABASE_URL=database.url)
    assert (again.code, again.stdout) == (0, "All snapshots were up to date.\n")


async def test_the_command_works_while_no_server_runs_and_leaves_no_postgres_behind(data: Path) -> None:
    folded = await processes.run("fold", "--data", data)
    assert (folded.code, folded.stdout) == (0, "All snapshots were up to date.\n")
    assert Postgres(data).process() is None


async def test_the_command_works_while_a_server_runs(data: Path) -> None:
    async with processes.serving(data) as server, server.client("ann") as client:
        for number in range(1, 4):
            save = {"query": SAVE, "variables": {"input": {"id": "w", "state": {"n": number}}}}
            assert (await client.post("/graphql", json=save)).status_code == 200
        assert (await processes.run("fold", "w", "--data", data)).code == 0
        async with Database.open(Postgres(data).url, pool_size=1) as database:
            assert await shown(database, "w") == 3
        assert (await server.stop()).code == 0
