"""A Better Auth server, tables as it makes them, and servers that believe in them."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from db.database import Database
from server.settings import Settings
from tests.auth import application
from tests.auth.application import Application
from tests.auth.clock import Clock
from tests.server import live
from tests.server.live import Running


def within(url: str, schema: str) -> str:
    """Let a connection find its tables in a schema first, so that other tests need not see them."""
    return f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{schema},public"


@pytest.fixture(scope="session")
async def app(migrated_url: str) -> AsyncIterator[Application]:
    """An application with a Better Auth server, which runs."""
    connection = await asyncpg.connect(migrated_url)
    await connection.execute("CREATE SCHEMA better_auth")
    await connection.close()
    async with application.run(within(migrated_url, "better_auth")) as app:
        yield app


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(app: Application, database: Database, tmp_path: Path) -> Settings:
    """The settings of a server beside the application, on an empty database."""
    del database
    return Settings(
        database_url=SecretStr(app.database_url),
        data=tmp_path,
        allowed_origins=(app.url,),
        better_auth_secret=SecretStr(application.SECRET),
        jwt_jwks_url=f"{app.url}/api/auth/jwks",
        jwt_issuer=app.url,
        jwt_audience=app.url,
    )


@pytest.fixture
async def server(settings: Settings) -> AsyncIterator[Running]:
    """A server that runs."""
    async with live.run(settings) as server:
        yield server
