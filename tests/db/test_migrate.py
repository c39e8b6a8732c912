"""The migrations lead to what the models say, whoever runs them and however often, and back again."""

import asyncio
import re
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import asyncpg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine

from db import migrate
from db.database import Database
from db.migrate import NewerDatabaseError
from db.models import Base
from tests.db.proxy import Proxy

ROOT = Path(__file__).parent.parent.parent

COLUMNS = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
"""
INDEXES = """
    SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    WHERE c.relnamespace = 'public'::regnamespace
"""
CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
"""
STORAGE = "SELECT relname, reloptions FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"

SAMPLES = """
    INSERT INTO workflows (id, owner_id, name, version, state, state_version, saved_by, revised_by)
    VALUES ('w', 'u', 'Plan', 1, '{"blocks": {}}', 1, 'u', 'u');
    INSERT INTO workflow_changes
        (workflow_id, version, save_id, changes, saved_by, client_id, reason, status, sequence, digest, base_version)
    VALUES ('w', 1, gen_random_uuid(), '[]', 'u', 'c', 'MANUAL', 'CREATED', 1, sha256('w'), 0);
    INSERT INTO workflow_checkpoints VALUES ('w', 1, '{}');
    INSERT INTO workflow_clients VALUES ('w', 'u', 'c', 1, 1, '[]');
    INSERT INTO workflow_members VALUES ('w', 'v', 'VIEWER');
    INSERT INTO workflow_conflicts
        (id, workflow_id, path, sides, winner, user_id, theirs_by, theirs_at, theirs_version)
    VALUES (gen_random_uuid(), 'w', '{}', '{}', 'THEIRS', 'u', 'v', now(), 1);
"""

Result = TypeVar("Result")


async def on(url: str, work: Callable[[sa.Connection], Result]) -> Result:
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url), poolclass=sa.NullPool
    )
    async with engine.begin() as connection:
        return await connection.run_sync(work)


async def execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(sql)
    await connection.close()


async def look(url: str) -> dict[str, set[str]]:
    """Read everything that a table is, apart from Alembic's own."""
    connection = await asyncpg.connect(url)
    queries = {"columns": COLUMNS, "indexes": INDEXES, "constraints": CONSTRAINTS, "storage": STORAGE}
    rows = {aspect: await connection.fetch(query) for aspect, query in queries.items()}
    await connection.close()
    lines = {aspect: {str(tuple(row)) for row in found} for aspect, found in rows.items()}
    return {aspect: {line for line in found if "alembic_version" not in line} for aspect, found in lines.items()}


async def offline(*arguments: str) -> str:
    """Run Alembic without a database: it writes SQL."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "alembic", *arguments, "--sql", cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output.decode()


async def test_the_migrated_database_equals_the_models(migrated_url: str, empty_url: str) -> None:
    await on(empty_url, Base.metadata.create_all)
    assert await look(migrated_url) == await look(empty_url)


async def test_alembic_finds_nothing_to_migrate(migrated_url: str) -> None:
    def differences(connection: sa.Connection) -> list[object]:
        options = {"compare_type": True, "compare_server_default": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata))

    assert await on(migrated_url, differences) == []


async def test_each_migration_goes_down_and_up_again_with_data(empty_url: str) -> None:
    await migrate.upgrade(empty_url)
    before = await look(empty_url)
    await execute(empty_url, SAMPLES)
    steps = ["base", *migrate.revisions()]
    for previous, revision in reversed(list(pairwise(steps))):
        await migrate.downgrade(empty_url, previous)
        await migrate.upgrade(empty_url, revision)
        await migrate.downgrade(empty_url, previous)
    assert await look(empty_url) == {aspect: set() for aspect in before}
    await migrate.upgrade(empty_url)
    assert await look(empty_url) == before
    await execute(empty_url, SAMPLES)


async def test_several_processes_may_migrate_at_once(empty_url: str) -> None:
    await asyncio.gather(*(migrate.upgrade(empty_url) for _ in range(3)))
    assert await migrate.pending(empty_url) == []


async def test_the_migrations_that_a_database_lacks_are_named(empty_url: str) -> None:
    assert await migrate.pending(empty_url) == migrate.revisions()
    await migrate.upgrade(empty_url, migrate.revisions()[0])
    assert await migrate.pending(empty_url) == migrate.revisions()[1:]


async def test_a_database_that_knows_more_than_the_program_is_told_apart(empty_url: str) -> None:
    await migrate.upgrade(empty_url)
    await execute(empty_url, "UPDATE alembic_version SET version_num = '20991231_tomorrow'")
    with pytest.raises(NewerDatabaseError, match="newer version"):
        await migrate.pending(empty_url)


async def test_the_sql_that_alembic_writes_makes_the_same_database(empty_url: str, migrated_url: str) -> None:
    await execute(empty_url, await offline("upgrade", "head"))
    assert await look(empty_url) == await look(migrated_url)
    assert await migrate.pending(empty_url) == []
    await execute(empty_url, await offline("downgrade", f"{migrate.revisions()[-1]}:base"))
    assert await migrate.pending(empty_url) == migrate.revisions()


async def test_each_migration_gives_up_soon_where_it_would_have_to_wait_for_a_lock() -> None:
    for sql in (await offline("upgrade", "head"), await offline("downgrade", f"{migrate.revisions()[-1]}:base")):
        steps = sql.split("-- Running ")[1:]
        assert len(steps) == len(migrate.revisions())
        assert all(re.match(r"(up|down)grade .*\n\nSET LOCAL lock_timeout = '\d+s';", step) for step in steps)


def test_each_migration_is_named_after_its_day_and_its_subject() -> None:
    files = {path.stem for path in (ROOT / "migrations/versions").glob("[!_]*.py")}
    assert set(migrate.revisions()) == files
    assert all(re.fullmatch(r"\d{8}_[a-z_]{1,23}", name) for name in files)  # Alembic keeps 32 characters


async def test_urls_mean_the_same_to_migrations_as_to_the_pool(database: Database) -> None:
    async with Proxy.run(database.url) as proxy:
        assert "sslmode=" in proxy.url
        assert await migrate.pending(proxy.url) == []
