"""The pool waits for a Postgres that is being restarted, and tells a lost connection from a wrong statement."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from db import database as databases
from db.database import Connection, Database, UnavailableError
from tests.db.proxy import Proxy
from tests.facts import until
from tests.losses import Loss, LossyProxy


@pytest.fixture
async def proxy(database: Database) -> AsyncIterator[Proxy]:
    """A road to the emptied database that can be closed."""
    async with Proxy.run(database.url) as proxy:
        yield proxy


async def one(connection: Connection) -> int:
    value = await connection.fetchval("SELECT 1")
    assert isinstance(value, int)
    return value


@pytest.fixture
async def proxied(proxy: Proxy) -> AsyncIterator[Database]:
    """The database at the end of that road, with a connection that is open."""
    async with Database.open(proxy.url, pool_size=2) as database:
        await database.transact(one)
        yield database


async def stop(proxy: Proxy, database: Database) -> None:
    """Let Postgres go away, and wait until the pool has heard of it."""
    proxy.stop()
    await until(lambda: not database.pool.get_size())


async def terminate(database: Database, pid: int) -> None:
    """End a backend, and wait until it is gone."""
    async with database.connection() as connection:
        await connection.execute("SELECT pg_terminate_backend($1, 10000)", pid)


async def test_documents_come_back_as_they_went_in(database: Database) -> None:
    document = {"n": [2**63, -(2**63), 1.5, True, None], "": {"__proto__": "é 🦊"}}
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT $1::jsonb", document) == document


async def test_work_that_fails_writes_nothing(database: Database) -> None:
    async def fail(connection: Connection) -> None:
        await connection.execute("INSERT INTO workflow_clients VALUES ('w', 'u', 'c', 1, 1, '[]')")
        raise LookupError

    with pytest.raises(LookupError):
        await database.transact(fail)
    async with database.connection() as connection:
        assert not await connection.fetchval("SELECT count(*) FROM workflow_clients")


async def test_a_transaction_sees_one_moment(database: Database) -> None:
    async with database.transaction() as connection:
        assert await connection.fetchval("SELECT count(*) FROM workflow_clients") == 0
        async with database.connection() as other:
            await other.execute("INSERT INTO workflow_clients VALUES ('w', 'u', 'c', 1, 1, '[]')")
        assert await connection.fetchval("SELECT count(*) FROM workflow_clients") == 0


async def test_whoever_was_overtaken_works_again_on_what_stands(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("INSERT INTO workflow_clients VALUES ('w', 'u', 'c', 0, 0, '[]')")

    async def count(connection: Connection) -> None:
        value = await connection.fetchval("SELECT last_sequence FROM workflow_clients")
        await connection.execute("UPDATE workflow_clients SET last_sequence = $1", value + 1)

    await asyncio.gather(*(database.transact(count) for _ in range(20)))
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT last_sequence FROM workflow_clients") == 20


async def test_who_wait_for_each_other_both_get_their_turn(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO workflow_clients SELECT 'w', 'u', c, 0, 0, '[]' FROM unnest('{a,b}'::text[]) c"
        )
    meeting = asyncio.Barrier(2)

    async def count(connection: Connection, *clients: str) -> None:
        await connection.execute("SET LOCAL deadlock_timeout = '10ms'")
        for client in clients:
            await connection.execute(
                "UPDATE workflow_clients SET last_sequence = last_sequence + 1 WHERE client_id = $1", client
            )
            if len(locked) < 2:
                locked.append(client)
                await meeting.wait()

    locked: list[str] = []
    await asyncio.gather(
        database.transact(lambda connection: count(connection, "a", "b"), isolation="read_committed"),
        database.transact(lambda connection: count(connection, "b", "a"), isolation="read_committed"),
    )
    assert locked == ["a", "b"]
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT sum(last_sequence) FROM workflow_clients") == 4


async def test_more_work_than_connections_waits_its_turn(migrated_url: str) -> None:
    async with Database.open(migrated_url, pool_size=2) as small:
        assert await asyncio.gather(*(small.transact(one) for _ in range(50))) == [1] * 50


async def test_a_connection_that_broke_while_idle_is_replaced(database: Database, migrated_url: str) -> None:
    async with Database.open(migrated_url, pool_size=1) as small:
        async with small.connection() as connection:
            pid = await connection.fetchval("SELECT pg_backend_pid()")
        await terminate(database, pid)
        assert await small.transact(one) == 1


async def test_a_connection_lost_between_two_statements_is_told_apart(database: Database, proxied: Database) -> None:
    async def lose(connection: Connection) -> None:
        await terminate(database, await connection.fetchval("SELECT pg_backend_pid()"))
        await connection.execute("SELECT 1")

    with pytest.raises(ConnectionResetError):
        await proxied.transact(lose)
    assert await proxied.transact(one) == 1


async def test_a_connection_lost_in_a_statement_is_told_apart(database: Database, proxied: Database) -> None:
    pid: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def sleep(connection: Connection) -> None:
        pid.set_result(await connection.fetchval("SELECT pg_backend_pid()"))
        await connection.execute("SELECT pg_sleep(60)")

    async def is_asleep() -> bool:
        asleep = "SELECT wait_event IS NOT DISTINCT FROM 'PgSleep' FROM pg_stat_activity WHERE pid = $1"
        async with database.connection() as connection:
            return bool(await connection.fetchval(asleep, await pid))

    sleeping = asyncio.create_task(proxied.transact(sleep))
    await until(is_asleep)
    await terminate(database, await pid)
    with pytest.raises(ConnectionResetError):
        await sleeping


async def test_a_connection_lost_when_it_is_handed_back_loses_nothing_else(database: Database) -> None:
    async with LossyProxy.run(database.url) as proxy, Database.open(proxy.url, pool_size=1) as proxied:
        assert await proxied.transact(one) == 1
        proxy.request, proxy.losses = b"ROLLBACK", [Loss.BEFORE]  # the pool ends what was left open
        async with proxied.connection() as connection:
            await connection.execute("BEGIN")
        assert not proxy.losses
        assert await proxied.transact(one) == 1


async def test_a_transaction_that_is_left_open_ends_with_its_loan(database: Database) -> None:
    async with Database.open(database.url, pool_size=1) as small:
        async with small.connection() as connection:
            pid = await connection.fetchval("SELECT pg_backend_pid()")
            await connection.execute("BEGIN")
        async with small.connection() as connection:
            assert await connection.fetchval("SELECT pg_backend_pid()") == pid
            assert not connection.is_in_transaction()


async def test_a_statement_that_is_cancelled_leaves_nothing_open(database: Database) -> None:
    """Whenever that is: also where Postgres was only asked what the statement means, and began a transaction for it."""

    async def read(text: str) -> None:
        async with small.connection() as connection:
            await connection.fetchval(text, 1)

    async with Database.open(database.url, pool_size=1) as small:
        assert await small.transact(one) == 1
        for moment in range(30):
            reading = asyncio.create_task(read(f"SELECT {moment} + $1::int FROM workflows"))
            for _ in range(moment):
                await asyncio.sleep(0)
            reading.cancel()
            await asyncio.wait([reading])
            assert await small.transact(one) == 1


async def test_a_wrong_statement_stays_what_it_is(database: Database) -> None:
    with pytest.raises(asyncpg.UndefinedTableError):
        async with database.connection() as connection:
            await connection.execute("SELECT * FROM nothing")


async def test_work_waits_for_a_postgres_that_is_being_restarted(proxy: Proxy, proxied: Database) -> None:
    await stop(proxy, proxied)
    working = asyncio.create_task(proxied.transact(one))
    await proxy.has_refused(3)
    proxy.start()
    assert await working == 1


async def test_a_pool_can_be_opened_while_postgres_is_away(proxy: Proxy) -> None:
    proxy.stop()
    async with Database.open(proxy.url, pool_size=1) as database:
        working = asyncio.create_task(database.transact(one))
        await proxy.has_refused(2)
        proxy.start()
        assert await working == 1


async def test_a_postgres_that_stays_away_is_unavailable(
    proxy: Proxy, proxied: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "RESTART_SECONDS", 0.2)
    await stop(proxy, proxied)
    with pytest.raises(UnavailableError):
        await proxied.transact(one)
    assert not await proxied.answers(within=5)


async def test_a_postgres_that_answers_is_told_from_one_that_does_not_in_time(proxy: Proxy, proxied: Database) -> None:
    assert await proxied.answers(within=5)
    await stop(proxy, proxied)
    assert not await proxied.answers(within=0.05)
    proxy.start()
    assert await proxied.answers(within=5)


async def test_closing_does_not_wait_for_ever_for_a_statement(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "CLOSE_SECONDS", 0.05)
    async with Database.open(migrated_url, pool_size=1) as closing:
        busy = closing.connection()
        connection = await busy.__aenter__()
        statement = asyncio.create_task(connection.execute("SELECT pg_sleep(60)"))
        await until(lambda: not closing.pool.get_idle_size())
    with pytest.raises(databases.STATEMENT_ERRORS):
        await statement
    await busy.__aexit__(None, None, None)
