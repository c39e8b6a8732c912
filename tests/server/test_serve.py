"""`workflow-sync serve`: when it starts, when it refuses to, and how it can be interrupted on the way."""

import signal
import socket
from pathlib import Path

import asyncpg
import pytest

from db import migrate
from server.postgres import Postgres
from tests.facts import until
from tests.server import processes
from tests.server.processes import Ended


def check_refused(ended: Ended, sentence: str) -> None:
    """Check that a command said why it does not run, and nothing else."""
    assert (ended.code, ended.stdout, ended.stderr) == (1, "", f"Error: {sentence}\n")


async def serve(data: Path, *arguments: str, **settings: str) -> Ended:
    return await processes.run("serve", "--port=0", "--data", data, *arguments, **settings)


async def test_it_refuses_a_database_whose_migrations_are_behind(new_url: str, tmp_path: Path) -> None:
    lacking = ", ".join(migrate.revisions())
    check_refused(
        await serve(tmp_path, DATABASE_URL=new_url),
        f"The database lacks a migration ({lacking}): run `workflow-sync migrate`, then try again.",
    )


async def test_it_refuses_a_database_of_a_newer_version(new_url: str, tmp_path: Path) -> None:
    await migrate.upgrade(new_url)
    connection = await asyncpg.connect(new_url)
    await connection.execute("UPDATE alembic_version SET version_num = 'from_the_future'")
    await connection.close()
    check_refused(
        await serve(tmp_path, DATABASE_URL=new_url),
        "The database was migrated by a newer version of this program: run that one.",
    )


async def test_it_runs_on_a_named_database_and_leaves_the_data_folder_alone(new_url: str, tmp_path: Path) -> None:
    await migrate.upgrade(new_url)
    async with processes.serving(tmp_path, DATABASE_URL=new_url) as server, server.client("ann") as client:
        assert (await client.get("/health")).json() == {"status": "ok"}
        assert (await server.stop()).code == 0
    assert not (tmp_path / "postgres").exists()


async def test_it_refuses_a_database_that_does_not_answer(tmp_path: Path) -> None:
    refused = await serve(tmp_path, DATABASE_URL="postgresql://ann:hush@127.0.0.1:1/db")
    assert (refused.code, refused.stdout) == (1, "")
    assert refused.stderr.startswith("Error: The database cannot be reached: ")
    assert refused.stderr.endswith("Start it, or correct DATABASE_URL; without DATABASE_URL an embedded one is used.\n")
    assert "hush" not in refused.stderr


async def test_it_refuses_to_need_more_connections_than_postgres_has(new_url: str, tmp_path: Path) -> None:
    await migrate.upgrade(new_url)
    refused = await serve(tmp_path, "--workers=64", DATABASE_URL=new_url, DATABASE_POOL_SIZE="200")
    assert refused.code == 1
    assert "need 12864 connections, and Postgres allows " in refused.stderr
    assert refused.stderr.count("\n") == 1


async def test_it_refuses_a_port_that_is_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as occupant:
        port = occupant.getsockname()[1]
        check_refused(
            await serve(tmp_path, f"--port={port}"),
            f"Cannot listen on 127.0.0.1, port {port}: another program uses this port; "
            "stop it, or choose another port with --port.",
        )


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "no.such.host.invalid"])
async def test_it_refuses_an_address_that_this_machine_does_not_have(tmp_path: Path, host: str) -> None:
    refused = await serve(tmp_path, f"--host={host}")
    assert refused.code == 1
    assert refused.stderr.startswith(f"Error: Cannot listen on {host}, port 0: this machine has no such address")


async def test_it_refuses_a_data_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    check_refused(
        await serve(tmp_path / "file"),
        f"The data folder {tmp_path}/file (DATA) cannot be used: File exists. Name another one with --data.",
    )


async def test_it_does_not_import_what_lies_where_it_is_started(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for room in ("auth", "db", "schema", "server"):
        (tmp_path / f"{room}.py").write_text("raise RuntimeError('this is somebody else\\'s')")
    monkeypatch.chdir(tmp_path)
    async with processes.serving(data) as server:
        assert (await server.stop()).stderr == ""


async def test_its_answers_do_not_name_the_server_software(data: Path) -> None:
    async with processes.serving(data) as server, server.client("ann") as client:
        assert "server" not in (await client.get("/health")).headers
        assert (await server.stop()).code == 0


async def test_it_says_when_a_server_process_cannot_start(data: Path) -> None:
    (data / "development.key").write_text("short")
    refused = await serve(data)
    assert (refused.code, refused.stdout) == (1, "")
    assert "is no key of 32 bytes" in refused.stderr
    assert refused.stderr.endswith("Error: A server process could not start; what it wrote above says why.\n")
    assert Postgres(data).process() is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_can_be_stopped_while_it_makes_the_database(empty: Path, number: signal.Signals) -> None:
    starting = await processes.start("serve", "--port=0", "--data", empty)
    await until(lambda: any(empty.glob("postgres.new.*")))
    processes.send(starting, number)
    assert await processes.end(starting) == Ended(0, "", "")
    assert Postgres(empty).process() is None


async def test_it_can_be_killed_while_it_makes_the_database(empty: Path) -> None:
    starting = await processes.start("serve", "--port=0", "--data", empty)
    await until(lambda: any(empty.glob("postgres.new.*")))
    starting.kill()
    await starting.wait()
    async with processes.serving(empty) as server:
        assert (await server.stop()).code == 0


async def test_it_can_be_stopped_while_the_database_recovers(data: Path) -> None:
    (data / "postgres" / "postgresql.auto.conf").write_text("hot_standby = off\n")
    (data / "postgres" / "standby.signal").touch()  # so it recovers until somebody ends that
    starting = await processes.start("serve", "--port=0", "--data", data)
    await until(lambda: Postgres(data).process() is not None)
    processes.send(starting, signal.SIGINT)
    assert await processes.end(starting) == Ended(0, "", "")
    assert Postgres(data).process() is None


async def test_it_can_be_stopped_while_its_processes_start(data: Path) -> None:
    starting = await processes.start("serve", "--port=0", "--data", data)
    await until(lambda: len(processes.workers(starting)) == 1)
    processes.send(starting, signal.SIGINT)
    assert await processes.end(starting) == Ended(0, "", "")
    assert Postgres(data).process() is None
