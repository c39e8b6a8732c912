"""The server as processes: how they start and stop, and what becomes of saves when some of them are killed."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import psutil
import pytest

from server.postgres import Postgres
from tests.facts import until
from tests.server import processes
from tests.server.live import Socket
from tests.server.processes import Served
from tests.server.typist import Typist, document

ROUNDS = 3
SAVED = "subscription ($id: ID!, $since: Int) { workflowSaved(id: $id, sinceVersion: $since) { version } }"
HALF_A_REQUEST = (
    "POST /graphql HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\n"
    "Content-Type: application/json\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n"
)
SAVE = "mutation ($input: SyncWorkflowInput!) { syncWorkflow(input: $input) { status } }"


@asynccontextmanager
async def typing(server: Served, typist: Typist) -> AsyncIterator[None]:
    """Have somebody type until the block ends."""
    async with server.client("ann") as typist.client:
        task = asyncio.create_task(typist.type())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def saves(typist: Typist, count: int) -> None:
    """Wait until so many more saves are acknowledged."""
    target = len(typist.acknowledged) + count
    await until(lambda: len(typist.acknowledged) >= target)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_stops_everything_quietly_and_postgres_too(data: Path, number: signal.Signals) -> None:
    async with processes.serving(data, "--workers=2") as server, server.socket("ann") as socket:
        await socket.subscribe("1", "subscription { workflowsChanged { id } }")
        workers = server.workers()
        assert len(workers) == 2
        ended = await server.stop(number)
        assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")
        assert await socket.closed() == 1012  # try again, the server restarts
        assert not any(map(processes.is_alive, workers))
        assert Postgres(data).process() is None


async def test_neither_an_endless_request_nor_impatience_keep_it_from_stopping_cleanly(data: Path) -> None:
    async with processes.serving(data) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rpartition(":")[2]))
        writer.write(HALF_A_REQUEST.format(server.bearer("ann")).encode())
        assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"  # so it is under way
        processes.send(server.process, signal.SIGINT)
        ended = await server.stop()
        assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")
        writer.close()


async def test_a_database_is_made_at_the_first_start(empty: Path) -> None:
    typist = Typist()
    async with processes.serving(empty / "data") as server, typing(server, typist):
        await saves(typist, 1)
        await server.stop()


async def test_a_second_serve_on_the_same_data_folder_is_refused(data: Path) -> None:
    async with processes.serving(data) as server:
        refused = await processes.run("serve", "--port=0", "--data", data)
        assert refused.code == 1
        assert refused.stderr == (
            f"Error: Another `workflow-sync serve` (process {server.process.pid}) uses the data folder {data}: "
            "stop that one first, or name another folder with --data.\n"
        )
        assert (await server.stop()).code == 0


async def test_clients_of_two_processes_hear_of_each_other_s_saves(data: Path) -> None:
    async with processes.serving(data, "--workers=2") as server, AsyncExitStack() as opened:
        one, other = await processes.sockets_of_each_worker(server, opened)
        await save(one[0], "CREATED", 0)
        listeners = [one[1], other[1]]
        for listener in listeners:
            await listener.subscribe("heard", SAVED, id="shared", since=0)
            assert await heard(listener) == 1
        for number, speaker in enumerate([one[0], other[0], one[0]], start=2):
            await save(speaker, "SAVED", number)
            assert [await heard(listener) for listener in listeners] == [number, number]
        assert (await server.stop()).code == 0


async def save(speaker: Socket, status: str, number: int) -> None:
    await speaker.subscribe("save", SAVE, input={"id": "shared", "state": document(number)})
    assert (await speaker.next("save"))["data"]["syncWorkflow"] == {"status": status}
    await speaker.completed("save")


async def heard(listener: Socket) -> int:
    version = (await listener.next("heard"))["data"]["workflowSaved"]["version"]
    assert isinstance(version, int)
    return version


@pytest.mark.parametrize("victim", ["a worker", "Postgres"])
async def test_a_server_that_loses_a_process_goes_on_and_keeps_what_it_acknowledged(data: Path, victim: str) -> None:
    moments = random.Random(victim)
    typist = Typist()
    async with processes.serving(data, "--workers=2") as server:
        async with typing(server, typist):
            for _ in range(ROUNDS):
                await moment(typist, moments)
                await processes.kill([moments.choice(server.workers()) if victim == "a worker" else postgres(data)])
                await saves(typist, 5)
                await until(lambda: len(server.workers()) == 2)
        await check(server, typist)
        assert (await server.stop()).code == 0
    assert Postgres(data).process() is None


@pytest.mark.parametrize("victim", ["the parent", "the server", "the server and Postgres"])
async def test_a_server_that_was_killed_starts_again_with_what_it_acknowledged(data: Path, victim: str) -> None:
    moments = random.Random(victim)
    typist = Typist()
    for _ in range(ROUNDS):
        async with processes.serving(data) as server, typing(server, typist):
            await moment(typist, moments)
            parent, workers = psutil.Process(server.process.pid), server.workers()
            await processes.kill(
                {
                    "the parent": [parent],
                    "the server": [parent, *workers],
                    "the server and Postgres": [parent, *workers, postgres(data)],
                }[victim]
            )
            await processes.gone(workers)
    async with processes.serving(data) as server:
        await check(server, typist)
        assert (await server.stop()).code == 0
    assert Postgres(data).process() is None


def postgres(data: Path) -> psutil.Process:
    process = Postgres(data).process()
    assert process is not None
    return process


async def check(server: Served, typist: Typist) -> None:
    async with server.client("ann") as typist.client:
        await typist.check()


async def moment(typist: Typist, moments: random.Random) -> None:
    """Wait for a moment in the middle of some save."""
    await saves(typist, moments.randrange(1, 20))
    await asyncio.sleep(moments.random() * 0.05)
