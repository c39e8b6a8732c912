"""The pool of connections that every statement goes through."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

import asyncpg
import orjson

if TYPE_CHECKING:  # asyncpg's classes take no parameters when the program runs
    RawConnection = asyncpg.Connection[asyncpg.Record]  # one of our own, outside the pool
    PooledConnection = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
    Connection = RawConnection | PooledConnection
    Pool = asyncpg.Pool[asyncpg.Record]
else:
    RawConnection = PooledConnection = Connection = asyncpg.Connection
    Pool = asyncpg.Pool

Result = TypeVar("Result")
Isolation = Literal["read_committed", "repeatable_read"]

RESTART_SECONDS = 15.0  # how long a statement waits for a Postgres that is being restarted
RETRY_SECONDS = 0.1
CLOSE_SECONDS = 5.0  # for the statements under way when the pool is closed


class UnavailableError(Exception):
    """Postgres could not be reached for RESTART_SECONDS."""


# What is raised while Postgres takes no connection, and (ConnectionResetError) when one is lost under a statement.
CONNECTION_ERRORS = (
    OSError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)

# All that a statement can raise, whoever is to blame.
STATEMENT_ERRORS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)

# What a transaction raises when another one was faster: nothing was written, do it again.
OVERTAKEN_ERRORS = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)


@dataclass(frozen=True, slots=True)
class Text:
    """A JSON value that is written out already: `data` is UTF-8."""

    data: bytes


async def prepare(connection: RawConnection) -> None:
    """Teach a new connection to hand JSONB over as Python values, in Postgres's binary form (version byte 1)."""
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=_jsonb,
        decoder=lambda data: orjson.loads(data[1:]),
    )


def _jsonb(value: object) -> bytes:
    return b"\x01" + (value.data if isinstance(value, Text) else orjson.dumps(value))


async def _reset(connection: RawConnection) -> None:
    """Make a connection ready for its next use. Ours keep nothing in their session, so that needs no statement."""
    if connection.is_in_transaction():
        await connection.execute("ROLLBACK")


@dataclass(frozen=True, slots=True)
class Database:
    """One process's way to Postgres. `url` is a libpq URL."""

    url: str
    pool: Pool

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, *, pool_size: int) -> "AsyncIterator[Database]":
        """Open the pool, and close it in the end; statements under way then have a few seconds to finish.

        Nothing is connected before the first statement, which waits for a Postgres that is just being restarted.
        """
        pool = await asyncpg.create_pool(
            url, min_size=0, max_size=pool_size, init=prepare, reset=_reset, command_timeout=60
        )
        try:
            yield cls(url, pool)
        finally:
            await _close(pool)

    @property
    def lent(self) -> int:
        """How many connections are in use."""
        return self.pool.get_size() - self.pool.get_idle_size()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection, waiting for a Postgres that is being restarted. Each statement commits by itself.

        Raises UnavailableError, and ConnectionResetError where the connection was lost: what was under way then may
        be committed or not.
        """
        connection, is_cut_short = await self._acquire(), False
        try:
            with losses(connection):
                yield connection
        except (asyncio.CancelledError, TimeoutError):
            is_cut_short = True
            raise
        finally:
            with suppress(*STATEMENT_ERRORS):  # then the pool drops the connection; what was done on it stands
                await (self._end_and_release(connection) if is_cut_short else self.pool.release(connection))

    @asynccontextmanager
    async def transaction(self, *, isolation: Isolation = "repeatable_read") -> AsyncIterator[Connection]:
        """Lend a connection with an open transaction, committed where the block ends without an error.

        When it is a repeatable read, all its statements see one moment of the database; one that would overwrite what
        somebody else committed since raises one of OVERTAKEN_ERRORS.
        """
        async with self.connection() as connection, connection.transaction(isolation=isolation):
            yield connection

    async def answers(self, *, within: float) -> bool:
        """Say whether Postgres answers within so many seconds."""
        try:
            async with asyncio.timeout(within), self.connection() as connection:
                await connection.execute("SELECT 1")
        except (UnavailableError, *STATEMENT_ERRORS):
            return False
        return True

    async def transact(
        self, work: Callable[[Connection], Awaitable[Result]], *, isolation: Isolation = "repeatable_read"
    ) -> Result:
        """Run `work` in a transaction, again where somebody else was faster; each time that is somebody's success."""
        while True:
            try:
                async with self.transaction(isolation=isolation) as connection:
                    return await work(connection)
            except OVERTAKEN_ERRORS:
                continue

    async def _end_and_release(self, connection: PooledConnection) -> None:
        """Return a connection on which a statement was cut short: one that was only prepared began a transaction."""
        await asyncio.shield(self._ended(connection))

    async def _ended(self, connection: PooledConnection) -> None:
        try:
            await connection.execute("ROLLBACK")
        finally:
            await self.pool.release(connection)

    async def _acquire(self) -> PooledConnection:
        deadline = asyncio.get_running_loop().time() + RESTART_SECONDS
        while True:
            try:
                return await self.pool.acquire()
            except CONNECTION_ERRORS as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise UnavailableError from error
            await asyncio.sleep(RETRY_SECONDS)


@contextmanager
def losses(connection: Connection) -> Iterator[None]:
    """Raise ConnectionResetError for whatever asyncpg raises when a connection is lost: errors of many kinds."""
    try:
        yield
    except STATEMENT_ERRORS as error:
        if _is_lost(connection):
            raise ConnectionResetError("The connection to Postgres was lost.") from error
        raise


def _is_lost(connection: Connection) -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:  # so much so that the pool has taken it back
        return True


async def _close(pool: Pool) -> None:
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await pool.close()
    except CONNECTION_ERRORS:
        pool.terminate()
