"""The `state` of workflows: what lags, who brings it up, and what is kept beside it on the way."""

import pytest

from db import journal, snapshots, workflows
from db.database import Connection, Database
from db.workflows import Role
from merge import values
from tests.db import stories


async def lag(database: Database, versions: int, workflow_id: str = "w", *, text: str = "") -> None:
    """Store a workflow whose snapshot shows the first of so many versions."""
    await stories.create(database, workflow_id)
    async with database.transaction() as connection:
        for version in range(2, versions + 1):
            await workflows.write(connection, workflow_id, "owner", expected=version - 1, state=None)
            await journal.append(connection, stories.entry(version, workflow_id, text=text), stories.receipt())


async def show(database: Database, version: int, **state: object) -> None:
    async with database.connection() as connection:
        await snapshots.write(connection, "w", version, values.dump({"n": version} | state))


async def shown(connection: Connection) -> tuple[int, object]:
    return await workflows.snapshot(connection, "w")


async def kept(database: Database) -> list[tuple[int, object]]:
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT version, state FROM workflow_checkpoints ORDER BY version")
    return [tuple(row) for row in rows]


async def test_a_snapshot_is_claimed_by_one_at_a_time(database: Database) -> None:
    await lag(database, 3)
    await lag(database, 2, "other")
    async with database.transaction() as first, database.transaction() as second:
        assert await snapshots.claim(first, "w") == (3, 1)
        assert await snapshots.claim(second, "w") is None
        assert await snapshots.claim(second, "other") == (2, 1)
    async with database.transaction() as third:
        assert await snapshots.claim(third, "w") == (3, 1)


async def test_there_is_nothing_to_claim_of_a_workflow_that_is_no_more(database: Database) -> None:
    await lag(database, 3)
    async with database.transaction() as connection:
        assert await snapshots.claim(connection, "missing") is None
        await workflows.purge(connection, "w", "owner")
        assert await snapshots.claim(connection, "w") is None


async def test_a_snapshot_goes_forward_only(database: Database) -> None:
    await lag(database, 9)
    for version, shows in ((5, 5), (3, 5), (5, 5), (9, 9), (8, 9)):
        await show(database, version, wrote=version)
        async with database.connection() as connection:
            assert await shown(connection) == (shows, {"n": shows, "wrote": shows})


async def test_a_purged_workflow_stays_empty(database: Database) -> None:
    await lag(database, 3)
    async with database.transaction() as connection:
        await workflows.purge(connection, "w", "owner")
    await show(database, 3)
    async with database.connection() as connection:
        assert await shown(connection) == (0, {})
    assert await kept(database) == []


async def test_a_snapshot_says_nothing_about_who_saved_and_when(database: Database) -> None:
    await lag(database, 3)
    async with database.connection() as connection:
        before = await workflows.read(connection, "w", "owner")
        await show(database, 3)
        assert await workflows.read(connection, "w", "owner") == before


async def test_a_state_is_kept_where_the_journal_since_the_last_one_outweighs_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "CHECKPOINT_BYTES", 1_000)
    await lag(database, 61, text="x" * 20)
    for version in range(5, 61, 5):
        await show(database, version)
    versions = [version for version, _ in await kept(database)]
    assert len(versions) >= 4
    gaps = [after - before for before, after in zip([0, *versions], versions, strict=False)]
    assert len(set(gaps)) == 1  # all saves weigh the same
    assert 5 < gaps[0] < 20
    assert all(state == {"n": version} for version, state in await kept(database))


async def test_a_large_document_is_kept_less_often(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "CHECKPOINT_BYTES", 100)
    await lag(database, 20)
    await show(database, 19, text="x" * 2_000)
    assert await kept(database) == []
    await show(database, 20)
    assert await kept(database) == [(20, {"n": 20})]


async def test_a_state_is_kept_after_many_saves_however_small(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "CHECKPOINT_SAVES", 10)
    await lag(database, 30)
    for version in (9, 10, 19, 20, 30):
        await show(database, version)
    assert [version for version, _ in await kept(database)] == [10, 20, 30]


async def test_a_state_that_is_kept_already_stays(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "CHECKPOINT_SAVES", 1)
    await lag(database, 3)
    async with database.connection() as connection:
        await journal.put_checkpoint(connection, "w", 3, {"n": 3})
    await show(database, 3, other=True)
    assert await kept(database) == [(3, {"n": 3})]


async def test_what_lags_is_named_those_first_that_were_saved_longest_ago(database: Database) -> None:
    for name, seconds in (("b", 20), ("a", 40), ("c", 0), ("up to date", 60), ("purged", 60)):
        await lag(database, 1 if name == "up to date" else 2, name)
        async with database.connection() as connection:
            await connection.execute(
                "UPDATE workflows SET saved_at = now() - make_interval(secs => $2) WHERE id = $1", name, seconds
            )
    async with database.transaction() as connection:
        await workflows.purge(connection, "purged", "owner")
        assert await snapshots.lagging(connection) == ["a", "b", "c"]
        assert await snapshots.lagging(connection, quiet_seconds=10) == ["a", "b"]
        assert await snapshots.lagging(connection, limit=1) == ["a"]


async def test_what_lags_is_told_of_those_who_may_see_it(database: Database) -> None:
    await lag(database, 2)
    await stories.create(database, "up to date")
    async with database.transaction() as connection:
        await connection.execute("INSERT INTO workflow_members VALUES ('w', 'viewer', $1)", Role.VIEWER)
        for user, names in (("owner", ["w"]), ("viewer", ["w"]), ("stranger", [])):
            assert await snapshots.lagging_of(connection, user) == names


async def test_how_far_snapshots_lag_is_measured(database: Database) -> None:
    async with database.connection() as connection:
        assert await snapshots.lag(connection) == snapshots.Lag(0, 0, 0.0)
        await lag(database, 3)
        await lag(database, 4, "other")
        await connection.execute("UPDATE workflows SET saved_at = now() - interval '90 seconds' WHERE id = 'w'")
        found = await snapshots.lag(connection)
    assert (found.workflows, found.versions) == (2, 5)
    assert 90 <= found.seconds < 900
