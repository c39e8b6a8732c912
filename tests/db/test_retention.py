"""What is old is forgotten, and nothing that anybody could still need; nobody waits for it."""

import asyncio
import logging
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from db import clients, conflicts, journal, retention, workflows
from db.conflicts import Conflict
from db.database import CONNECTION_ERRORS, Database
from db.retention import Retention
from tests.db import stories
from tests.facts import until

BRIEF = Retention(versions=10, days=30)


async def grow(database: Database, versions: int, workflow_id: str = "w") -> None:
    """Store a workflow with so many versions, all of today."""
    await stories.create(database, workflow_id)
    for _ in range(versions - 1):
        await stories.save(database, workflow_id)


async def age(database: Database, versions: Iterable[int], days: int = 31) -> None:
    """Make it so long ago that versions were saved."""
    async with database.connection() as connection:
        await connection.execute(
            "UPDATE workflow_changes SET saved_at = now() - make_interval(days => $1) WHERE version = ANY($2)",
            days,
            list(versions),
        )


async def keep(database: Database, *versions: int, workflow_id: str = "w") -> None:
    """Keep the whole state at some versions."""
    async with database.transaction() as connection:
        for version in versions:
            await journal.put_checkpoint(connection, workflow_id, version, {"n": version})


async def name(database: Database, version: int, text: str | None = "good") -> None:
    """Name a version, which then has a checkpoint."""
    async with database.transaction() as connection:
        assert await journal.label(connection, "w", version, text)
    await keep(database, version)


async def left(database: Database, table: str = "workflow_changes", workflow_id: str = "w") -> list[int]:
    async with database.connection() as connection:
        rows = await connection.fetch(
            f"SELECT version FROM {table} WHERE workflow_id = $1 ORDER BY version", workflow_id
        )
    return [row["version"] for row in rows]


async def checkpoints(database: Database) -> list[int]:
    return await left(database, "workflow_checkpoints")


@pytest.fixture
async def old(database: Database) -> Database:
    """A database with 120 versions, too old to be kept, of one workflow; its checkpoints are at 50 and 100."""
    await grow(database, 120)
    await age(database, range(1, 121))
    await keep(database, 50, 100)
    return database


async def test_old_versions_go_up_to_the_last_checkpoint_that_they_may(old: Database) -> None:
    await BRIEF.forget(old)
    assert await left(old) == list(range(101, 121))
    assert await checkpoints(old) == [100]
    await BRIEF.forget(old)
    assert await left(old) == list(range(101, 121))


@pytest.mark.parametrize(
    ("versions", "first"), [(20, 101), (21, 51), (70, 51), (71, 1), (120, 1), (1_000_000, 1), (0, 101)]
)
async def test_the_newest_versions_stay_however_old(old: Database, versions: int, first: int) -> None:
    await Retention(versions=versions, days=30).forget(old)
    assert await left(old) == list(range(first, 121))


@pytest.mark.parametrize(("youngest", "first"), [(101, 101), (100, 51), (51, 51), (50, 1), (1, 1)])
async def test_young_versions_stay_and_whatever_leads_to_them(old: Database, youngest: int, first: int) -> None:
    await age(old, range(youngest, 121), days=29)
    await BRIEF.forget(old)
    assert await left(old) == list(range(first, 121))


async def test_versions_without_a_checkpoint_above_stay(database: Database) -> None:
    await grow(database, 49)
    await age(database, range(1, 50))
    await BRIEF.forget(database)
    assert await left(database) == list(range(1, 50))


async def test_versions_that_the_snapshot_does_not_show_yet_stay(old: Database) -> None:
    async with old.connection() as connection:
        await connection.execute("UPDATE workflows SET state_version = 99")
    await BRIEF.forget(old)
    assert await left(old) == list(range(51, 121))
    assert await checkpoints(old) == [50, 100]


async def test_versions_with_a_name_stay_and_own_a_checkpoint(old: Database) -> None:
    for version in (7, 50, 60):
        await name(old, version)
    await BRIEF.forget(old)
    assert await left(old) == [7, 50, 60, *range(101, 121)]
    assert await checkpoints(old) == [7, 50, 60, 100]


async def test_a_young_version_with_a_name_holds_up_nothing(old: Database) -> None:
    await name(old, 7)
    await age(old, [7], days=0)
    await BRIEF.forget(old)
    assert await left(old) == [7, *range(101, 121)]


async def test_a_version_that_lost_its_name_goes_like_any_other(old: Database) -> None:
    await name(old, 7)
    await BRIEF.forget(old)
    await name(old, 7, None)
    await BRIEF.forget(old)
    assert await left(old) == list(range(101, 121))
    assert await checkpoints(old) == [100]


async def test_every_workflow_is_looked_at(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "WORKFLOWS_AT_ONCE", 2)
    for key in ("a", "b", "c", "d", "e"):
        await grow(database, 6, key)
        await keep(database, 2, 4, workflow_id=key)
    await age(database, range(1, 7))
    await Retention(versions=1, days=30).forget(database)
    for key in ("a", "b", "c", "d", "e"):
        assert await left(database, workflow_id=key) == [5, 6]


async def test_nothing_is_forgotten_where_there_is_nothing(database: Database) -> None:
    await BRIEF.forget(database)


async def test_conflicts_and_what_clients_were_answered_go_in_the_end(database: Database) -> None:
    await stories.create(database)
    async with database.connection() as connection:
        for days in (29, 31):
            await clients.write(connection, "w", "owner", f"tab {days}", clients.NEW)
            now = datetime.now(UTC)
            conflict = Conflict(uuid.uuid4(), ("a",), {"yours": days}, "YOURS", "owner", "other", now, 1)
            await conflicts.keep(connection, "w", f"tab {days}", [conflict], base=None)
            for table, time in (("conflicts", "kept_at"), ("clients", "seen_at")):
                await connection.execute(
                    f"UPDATE workflow_{table} SET {time} = now() - make_interval(days => $1) WHERE client_id = $2",
                    days,
                    f"tab {days}",
                )
    await BRIEF.forget(database)
    async with database.connection() as connection:
        for table in ("conflicts", "clients"):
            assert await connection.fetchval(f"SELECT array_agg(client_id) FROM workflow_{table}") == ["tab 29"]


async def test_forgetting_does_not_wait_for_a_save_under_way(old: Database) -> None:
    async with old.connection() as connection:
        await clients.write(connection, "w", "owner", "tab", clients.NEW)
        await connection.execute("UPDATE workflow_clients SET seen_at = now() - interval '31 days'")
    async with old.transaction() as saving:
        assert await workflows.write(saving, "w", "owner", expected=120, state={"n": 121})
        await journal.append(saving, stories.entry(121), stories.receipt())
        await clients.write(saving, "w", "owner", "tab", clients.NEW)
        async with asyncio.timeout(20):
            await BRIEF.forget(old)
        assert await left(old) == list(range(101, 121))
    assert await left(old) == list(range(101, 122))


async def test_a_save_does_not_wait_for_forgetting_under_way(old: Database) -> None:
    async with old.transaction(isolation="read_committed") as forgetting:
        await BRIEF._forget_versions(forgetting, "")
        async with asyncio.timeout(20):
            assert await stories.save(old) == 121
    assert await left(old) == list(range(101, 122))


async def test_of_two_processes_one_forgets(old: Database) -> None:
    async with old.transaction() as other:
        await other.execute("SELECT pg_advisory_xact_lock($1)", retention.ADVISORY_LOCK)
        await BRIEF.forget(old)
        assert await left(old) == list(range(1, 121))
    await asyncio.gather(*(BRIEF.forget(old) for _ in range(5)))
    assert await left(old) == list(range(101, 121))


async def test_nothing_is_forgotten_while_a_version_gets_its_name(old: Database) -> None:
    """Else the checkpoint that the name relies on could go at the same moment."""
    async with old.transaction() as naming:
        await retention.hold(naming)
        await journal.label(naming, "w", 50, "good")
        await journal.put_checkpoint(naming, "w", 50, {"n": 50})
        await BRIEF.forget(old)
    await BRIEF.forget(old)
    assert await left(old) == [50, *range(101, 121)]
    assert await checkpoints(old) == [50, 100]


async def test_versions_are_forgotten_from_time_to_time_whatever_fails(
    old: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failures = [LookupError("broken"), CONNECTION_ERRORS[0]("lost")]
    forget = Retention.forget

    async def failing(self: Retention, database: Database) -> None:
        if failures:
            raise failures.pop()
        await forget(self, database)

    monkeypatch.setattr(retention, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(Retention, "forget", failing)

    async def is_forgotten() -> bool:
        return await left(old) == list(range(101, 121))

    async with BRIEF.kept(old):
        await until(is_forgotten)
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.ERROR]
