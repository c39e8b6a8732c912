"""The embedded Postgres: it runs while somebody uses it, and comes back from whatever happened to it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from server import postgres, postgres_tools
from server.postgres import Postgres, StartError
from tests.facts import until
from tests.server import processes


@asynccontextmanager
async def connected(server: Postgres) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(server.url)
    try:
        yield connection
    finally:
        await connection.close()


async def ask(server: Postgres, statement: str) -> object:
    async with connected(server) as connection:
        return await connection.fetchval(statement)


def pid(server: Postgres) -> int:
    process = server.process()
    assert process is not None
    return int(process.pid)


async def kill(server: Postgres) -> None:
    """Kill the server and all its processes, as a power cut would."""
    process = server.process()
    assert process is not None
    await processes.kill([process, *process.children(recursive=True)])


async def test_a_database_is_made_and_finds_again_what_was_stored(empty: Path) -> None:
    async with postgres.embedded(empty) as server:
        await ask(server, "CREATE TABLE kept AS SELECT 7 AS number")
    assert server.process() is None
    async with postgres.embedded(empty) as server:
        assert await ask(server, "SELECT number FROM kept") == 7


async def test_it_is_postgres_15_or_newer_and_knows_the_letters_of_every_alphabet(data: Path) -> None:
    async with postgres.embedded(data) as server, connected(server) as connection:
        assert connection.get_server_version().major >= 15
        assert await connection.fetchval("SELECT lower('ÄÉЖΩ')") == "äéжω"
        assert await connection.fetchval("SHOW listen_addresses") == ""


async def test_who_comes_second_uses_the_running_one_and_who_leaves_last_stops_it(data: Path) -> None:
    async with AsyncExitStack() as first, AsyncExitStack() as second:
        started = await first.enter_async_context(postgres.embedded(data))
        joined = await second.enter_async_context(postgres.embedded(data))
        assert pid(started) == pid(joined)
        await first.aclose()
        assert await ask(joined, "SELECT 1") == 1
    assert joined.process() is None


async def test_those_who_come_at_the_same_time_share_one_server(data: Path) -> None:
    async def use() -> int:
        async with postgres.embedded(data) as server:
            await ask(server, "SELECT 1")
            return pid(server)

    async with postgres.embedded(data) as server:
        assert set(await asyncio.gather(*(use() for _ in range(4)))) == {pid(server)}


async def test_one_that_a_killed_user_left_behind_is_taken_over_and_stopped_in_the_end(data: Path) -> None:
    leftover = Postgres(data)
    await leftover.start()
    before = pid(leftover)
    async with postgres.embedded(data) as server:
        assert pid(server) == before
    assert leftover.process() is None


async def test_one_that_was_killed_is_started_again_with_everything_committed(data: Path) -> None:
    async with postgres.embedded(data) as server:
        await ask(server, "CREATE TABLE kept AS SELECT 7 AS number")
        await kill(server)
    assert (server.cluster / "postmaster.pid").exists()
    async with postgres.embedded(data) as server:
        assert await ask(server, "SELECT number FROM kept") == 7


async def test_a_pid_file_that_names_somebody_else_s_process_is_not_believed(data: Path) -> None:
    async with postgres.embedded(data) as server:
        await kill(server)
    pid_file = server.cluster / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    stranger = await asyncio.create_subprocess_exec("sleep", "300", **postgres_tools.account())
    try:
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]))
        async with postgres.embedded(data) as server:
            assert pid(server) != stranger.pid
        assert stranger.returncode is None
    finally:
        stranger.kill()
        await stranger.wait()


@pytest.mark.parametrize("content", ["", "\n", "what\n", "4294967295\n", "1\n", "{own}\n"])
async def test_a_pid_file_that_is_cut_short_or_wrong_is_not_believed(empty: Path, content: str) -> None:
    (empty / "postgres").mkdir()
    (empty / "postgres" / "postmaster.pid").write_text(content.format(own=os.getpid()))
    assert Postgres(empty).process() is None
    assert not Postgres(empty).is_ready()


async def test_it_is_kept_running_while_somebody_keeps_it(data: Path) -> None:
    async with postgres.embedded(data) as server, asyncio.TaskGroup() as tasks:
        keeper = tasks.create_task(server.keep())
        before = server.url
        for _ in range(2):
            await kill(server)
            await until(server.is_ready)
        assert server.url == before
        assert await ask(server, "SELECT 1") == 1
        keeper.cancel()


async def test_a_recovery_is_waited_for_however_long_it_takes(data: Path) -> None:
    async with postgres.embedded(data) as server:
        await ask(server, "ALTER SYSTEM SET hot_standby = off")
    (server.cluster / "standby.signal").touch()  # it now recovers until it is promoted
    os.chown(server.cluster / "standby.signal", postgres_tools.owner(), -1)
    starting = asyncio.create_task(server.start())
    await until(lambda: server.process() is not None and "standby" in pid_file(server))
    async with asyncio.TaskGroup() as tasks:
        joining = tasks.create_task(Postgres(data).start())
        await asyncio.sleep(0)
        assert not server.is_ready()
        assert not starting.done()
        (server.cluster / "promote").touch()
        os.kill(pid(server), signal.SIGUSR1)
        await starting
        await joining
    assert await ask(server, "SELECT pg_is_in_recovery()") is False
    await server.stop()


def pid_file(server: Postgres) -> str:
    return (server.cluster / "postmaster.pid").read_text()


async def test_half_a_cluster_that_a_killed_user_left_is_made_anew(empty: Path) -> None:
    (empty / "postgres.new.left" / "base").mkdir(parents=True)
    (empty / "postgres.new.left" / "PG_VERSION").write_text("18\n")
    async with postgres.embedded(empty) as server:
        assert await ask(server, "SELECT 1") == 1
    assert not (empty / "postgres.new.left").exists()


@pytest.mark.parametrize("name", ['with spaces, "quotes" and $(signs) & 100%', "ünïcode", "l" + "o" * 150 + "ng"])
async def test_the_data_folder_may_have_any_name(empty: Path, name: str) -> None:
    async with postgres.embedded(empty / name) as server:
        assert await ask(server, "SELECT 1") == 1
    assert server.process() is None


async def test_the_data_folder_may_be_named_from_where_one_is(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(empty)
    async with postgres.embedded(Path(".data")) as server:
        assert await ask(server, "SELECT 1") == 1
    assert (empty / ".data" / "postgres" / "PG_VERSION").exists()


async def test_nobody_else_can_reach_its_socket(data: Path) -> None:
    async with postgres.embedded(data) as server:
        assert server.cluster.stat().st_mode & 0o077 == 0
        assert await ask(server, "SHOW unix_socket_directories") == str(server.cluster)


async def test_what_hinders_its_start_is_told(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "START_ATTEMPTS", 1)
    with (data / "postgres" / "postgresql.conf").open("a") as configuration:
        configuration.write("nonsense = 1\n")
    with pytest.raises(StartError, match=r"the end of .*/postgres/log says why: .* contains errors"):
        async with postgres.embedded(data):
            pytest.fail("it cannot run")


async def test_what_lies_in_the_place_of_the_cluster_stays(empty: Path) -> None:
    (empty / "postgres").mkdir()
    (empty / "postgres" / "letters").touch()
    with pytest.raises(StartError, match=f"cannot be made: {empty}/postgres is something else"):
        async with postgres.embedded(empty):
            pytest.fail("it cannot run")
    assert (empty / "postgres" / "letters").exists()


async def test_a_cluster_of_a_version_that_is_not_installed_is_refused(data: Path) -> None:
    (data / "postgres" / "PG_VERSION").write_text("12\n")
    with pytest.raises(StartError, match="Postgres 12, which is not installed"):
        async with postgres.embedded(data):
            pytest.fail("it cannot run")


async def test_the_environment_of_whoever_starts_it_does_not_matter(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PGPORT": "5999", "PGDATA": "/nowhere", "LC_ALL": "xx_XX", "PGHOST": "nowhere"}.items():
        monkeypatch.setenv(name, value)
    async with postgres.embedded(data) as server:
        assert await ask(server, "SHOW port") == "5432"
