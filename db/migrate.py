"""Bringing a database to the version that the code expects, by Alembic."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import asyncpg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine

ADVISORY_LOCK = 0x776F726B666C6F77  # "workflow" in ASCII; one migration of a database at a time
MIGRATIONS = Path(__file__).parent.parent / "migrations"

Result = TypeVar("Result")


class NewerDatabaseError(Exception):
    """The database was migrated by a newer version of this program: run that one."""

    def __init__(self) -> None:
        super().__init__(type(self).__doc__)


async def upgrade(url: str, revision: str = "head") -> None:
    """Migrate up to `revision`. Several processes may try at once: one does it, the others wait and find it done."""
    await _run(url, lambda connection: command.upgrade(_config(connection), revision))


async def downgrade(url: str, revision: str) -> None:
    """Take migrations back, down to `revision` ("base": all of them). Data in what they made is lost."""
    await _run(url, lambda connection: command.downgrade(_config(connection), revision))


async def pending(url: str) -> list[str]:
    """Name the migrations that the database lacks, oldest first; empty when it is current.

    Raises NewerDatabaseError.
    """

    def missing(connection: sa.Connection) -> list[str]:
        current, known = MigrationContext.configure(connection).get_current_revision(), revisions()
        if current is None:
            return known
        if current not in known:
            raise NewerDatabaseError
        return known[known.index(current) + 1 :]

    return await _run(url, missing)


def revisions() -> list[str]:
    """Name all migrations that the code has, oldest first."""
    return [step.revision for step in ScriptDirectory(str(MIGRATIONS)).walk_revisions()][::-1]


async def _run(url: str, work: Callable[[sa.Connection], Result]) -> Result:
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: asyncpg.connect(url),  # reads the URL as the pool does, `sslmode` and all
        poolclass=sa.NullPool,
    )
    async with engine.begin() as connection:
        await connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
        return await connection.run_sync(work)


def _config(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
