"""Bringing a database to the version that the code expects, by Alembic."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine

ADVISORY_LOCK = 0x776F726B666C6F77  # "workflow" in ASCII; one migration of a database at a time
MIGRATIONS = Path(__file__).parent.parent / "migrations"

Result = TypeVar("Result")


async def upgrade(url: str, revision: str = "head") -> None:
    """Migrate up to `revision`. Several processes may try at once: one does it, the others wait and find it done."""
    await _run(url, lambda connection: command.upgrade(_config(connection), revision))


async def downgrade(url: str, revision: str) -> None:
    """Take migrations back, down to `revision` ("base": all of them). Data in what they made is lost."""
    await _run(url, lambda connection: command.downgrade(_config(connection), revision))


async def pending(url: str) -> list[str]:
    """Name the migrations that the database lacks, oldest first; empty when it is current."""

    def missing(connection: sa.Connection) -> list[str]:
        script = ScriptDirectory(str(MIGRATIONS))
        current = MigrationContext.configure(connection).get_current_heads()
        return [step.revision for step in script.iterate_revisions("heads", current or "base")][::-1]

    return await _run(url, missing)


def revisions() -> list[str]:
    """Name all migrations that the code has, oldest first."""
    return [step.revision for step in ScriptDirectory(str(MIGRATIONS)).walk_revisions()][::-1]


async def _run(url: str, work: Callable[[sa.Connection], Result]) -> Result:
    engine = create_async_engine(sqlalchemy_url(url), poolclass=sa.NullPool)
    try:
        async with engine.begin() as connection:
            await connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def sqlalchemy_url(url: str) -> str:
    """Turn a libpq URL into the one that SQLAlchemy wants for asyncpg."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in {"postgres", "postgresql"}:
        raise ValueError("DATABASE_URL must start with postgresql://")
    return f"postgresql+asyncpg://{rest}"


def _config(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
