"""A server in development, on an empty database."""

import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest
from pydantic import SecretStr

from db import migrate
from db.database import Database
from server import postgres
from server.postgres import Postgres
from server.settings import Settings
from tests.server import live
from tests.server.live import Running


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> Settings:
    """The settings of a server in development."""
    return Settings(database_url=SecretStr(database.url), data=tmp_path, allowed_origins=(live.ALLOWED_ORIGIN,))


@pytest.fixture
async def server(settings: Settings) -> AsyncIterator[Running]:
    """A server that runs."""
    async with live.run(settings) as server:
        yield server


@pytest.fixture
async def new_url(postgres_url: str) -> AsyncIterator[str]:
    """A database without tables."""
    name = f"workflow_sync_test_{uuid4().hex}"
    server = await asyncpg.connect(postgres_url)
    try:
        await server.execute(f'CREATE DATABASE "{name}"')
        yield urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))
        await server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await server.close()


@pytest.fixture
def empty() -> Iterator[Path]:
    """An empty folder (none of pytest's, which it closes to others) for a Postgres that the test itself stops."""
    with tempfile.TemporaryDirectory(prefix="workflow-sync-") as folder:
        yield Path(folder)
        process = Postgres(Path(folder)).process()
        assert process is None, process.kill()


@pytest.fixture(scope="session")
async def migrated_data() -> AsyncIterator[Path]:
    """A data folder with a migrated database, to be copied."""
    with tempfile.TemporaryDirectory(prefix="workflow-sync-") as folder:
        async with postgres.embedded(Path(folder)) as server:
            await migrate.upgrade(server.url)
        yield Path(folder)


@pytest.fixture
def data(empty: Path, migrated_data: Path) -> Path:
    """A data folder with an embedded database that is migrated and empty; the test stops what it starts there."""
    subprocess.run(["cp", "-a", f"{migrated_data}/.", empty], check=True)
    return empty
