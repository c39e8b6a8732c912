"""Databases besides the migrated one."""

import uuid
from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from db.database import Database
from db.hub import Hub


@pytest.fixture
async def empty_url(postgres_url: str) -> AsyncIterator[str]:
    """A database without any table."""
    name = f"workflow_sync_test_{uuid.uuid4().hex}"
    server = await asyncpg.connect(postgres_url)
    try:
        await server.execute(f"CREATE DATABASE {name}")
        yield urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))
    finally:
        await server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await server.close()


@pytest.fixture
async def hub(database: Database) -> AsyncIterator[Hub]:
    """The announcements of this process."""
    async with Hub.open(database) as hub:
        yield hub
