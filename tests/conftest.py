"""What every test may ask for: a real Postgres, migrated as in production, and empty."""

import os
import secrets
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from xdist.workermanage import WorkerController

from db import migrate
from db.database import Database
from server import postgres
from server.settings import Settings
from tests.browser import visits

TABLES = ("workflow_changes", "workflow_checkpoints", "workflow_clients", "workflow_conflicts", "workflow_members")


IN_CI = "CI" in os.environ

settings.register_profile(
    "this project",
    max_examples=1_000 if IN_CI else 50,
    derandomize=False,  # the seed is drawn anew each time, and printed
    deadline=None,  # nothing here is measured by the clock
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("this project")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Draw one seed for all property tests in CI, which keeps no examples that failed."""
    if IN_CI and config.option.hypothesis_seed is None:
        handed = getattr(config, "workerinput", {})
        config.option.hypothesis_seed = handed.get("hypothesis_seed", secrets.randbelow(2**32))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: WorkerController) -> None:
    """Hand the seed to a process that runs some of the tests."""
    node.workerinput["hypothesis_seed"] = node.config.option.hypothesis_seed


def pytest_report_header(config: pytest.Config) -> str:
    """Print the seed of the property tests."""
    seed = config.option.hypothesis_seed
    return f"hypothesis seed: {'one of its own for each test' if seed is None else seed}"


@pytest.fixture(autouse=True)
def hidden_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the settings, and the proxy, of whoever runs the tests."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser that CHROMIUM names, or the one that is installed."""
    found = visits.browser()
    if found is None:
        pytest.skip("There is no Chromium here: install one, or name it in CHROMIUM.")
    return found


@pytest.fixture(scope="session")
async def postgres_url() -> AsyncIterator[str]:
    """A Postgres server for this session: the one that DATABASE_URL names, or an embedded one."""
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="workflow-sync-") as folder:
        async with postgres.embedded(Path(folder)) as server:
            await hurry(server.url)
            yield server.url


async def hurry(url: str) -> None:
    """Let a server forget what it acknowledged when the machine fails, which no test has it do."""
    connection = await asyncpg.connect(url)
    await connection.execute("ALTER SYSTEM SET fsync = off")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()


@pytest.fixture(scope="session")
async def migrated_url(postgres_url: str) -> AsyncIterator[str]:
    """A database of this session alone, brought up by the migrations as in production."""
    name = f"workflow_sync_test_{os.getpid()}"
    url = urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))
    server = await asyncpg.connect(postgres_url)
    try:
        await server.execute(f'CREATE DATABASE "{name}"')
        await migrate.upgrade(url)
        yield url
    finally:
        await server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await server.close()


@pytest.fixture
async def database(migrated_url: str) -> AsyncIterator[Database]:
    """The way to an empty, migrated database."""
    async with Database.open(migrated_url, pool_size=10) as database:
        async with database.connection() as connection:
            await connection.execute(f"TRUNCATE workflows, {', '.join(TABLES)}")
        yield database
