"""A server in development, on an empty database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from db.database import Database
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
