"""The database that the settings name, and whether it will do: each check gives a sentence or refuses with one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from db import database, migrate
from db.database import RawConnection
from server import postgres
from server.postgres import Postgres
from server.refusal import InvalidSettingsError, RefusedError
from server.settings import Settings

OLDEST_VERSION = 15
CONNECT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Named:
    """A server that DATABASE_URL names: somebody else keeps it."""

    url: str

    async def keep(self) -> None:
        """Do nothing until this is cancelled."""
        await asyncio.Event().wait()


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Postgres | Named]:
    """Use the database until the block ends: the named one, or the embedded one, which runs as long as needed."""
    if settings.database_url is not None:
        yield Named(settings.database_url.get_secret_value())
        return
    async with postgres.embedded(settings.data) as server:
        yield server


@asynccontextmanager
async def ready(settings: Settings) -> AsyncIterator[Postgres | Named]:
    """Use a database that has every migration; the embedded one is migrated here. Raises RefusedError."""
    async with opened(settings) as source:
        async with reached(source.url) as connection:
            await check_version(connection)
        if isinstance(source, Postgres):
            await upgrade(source.url)
        else:
            await check_migrations(source.url)
        yield source


@asynccontextmanager
async def reached(url: str) -> AsyncIterator[RawConnection]:
    """Connect to the database. Raises RefusedError where that fails."""
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS)
    except (ValueError, OverflowError) as error:  # not quoted: a wrong URL may show parts of its password
        raise InvalidSettingsError(
            "DATABASE_URL is no URL of a Postgres: write postgresql://user:password@host:5432/database, "
            "with special characters of the password as %40 and the like."
        ) from error
    except database.STATEMENT_ERRORS as error:
        raise RefusedError(
            f"The database cannot be reached: {str(error) or type(error).__name__}. "
            "Start it, or correct DATABASE_URL; without DATABASE_URL an embedded one is used."
        ) from error
    try:
        yield connection
    finally:
        await connection.close(timeout=CONNECT_SECONDS)


async def check_version(connection: RawConnection) -> str:
    """Refuse a Postgres that is too old."""
    version = connection.get_server_version()
    if version.major < OLDEST_VERSION:
        raise RefusedError(
            f"The database is Postgres {version.major}: upgrade it to {OLDEST_VERSION} or newer, "
            "or have DATABASE_URL name another one."
        )
    return f"Postgres {version.major}.{version.micro} answers."


async def check_connections(connection: RawConnection, settings: Settings) -> str:
    """Refuse more connections than Postgres has."""
    allowed = await connection.fetchval(
        """
        SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
               - coalesce(current_setting('reserved_connections', true)::int, 0)
        """
    )
    needed = settings.workers * (settings.database_pool_size + 1)  # each process also has one that listens
    if needed > allowed:
        raise RefusedError(
            f"{settings.workers} server processes (WORKERS) with pools of {settings.database_pool_size} "
            f"(DATABASE_POOL_SIZE) need {needed} connections, and Postgres allows {allowed}: "
            "lower one of the two, or raise max_connections in Postgres."
        )
    return f"{needed} of the {allowed} connections that Postgres allows are needed at most."


async def check_migrations(url: str) -> str:
    """Refuse a database that lacks migrations, or has some that are unknown here."""
    lacking = await pending(url)
    if lacking:
        raise RefusedError(
            f"The database lacks {_count(lacking)} ({', '.join(lacking)}): run `workflow-sync migrate`, then try again."
        )
    return "The database has every migration."


async def upgrade(url: str) -> list[str]:
    """Migrate the database, and name what it lacked, oldest first. Raises RefusedError where it is a newer one."""
    lacking = await pending(url)
    if lacking:
        await migrate.upgrade(url)
    return lacking


async def pending(url: str) -> list[str]:
    """Name the migrations that the database lacks, oldest first. Raises RefusedError where it is a newer one."""
    try:
        return await migrate.pending(url)
    except migrate.NewerDatabaseError as error:
        raise RefusedError(str(error)) from error


def _count(migrations: list[str]) -> str:
    return "a migration" if len(migrations) == 1 else f"{len(migrations)} migrations"
