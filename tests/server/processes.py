"""The command `workflow-sync` as real processes, and what becomes of them."""

import asyncio
import os
import re
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import httpx
import psutil
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from auth.development import DevelopmentTokens
from server.settings import Settings
from tests.facts import until
from tests.server import live
from tests.server.live import Socket

COMMAND = Path(sys.executable).with_name("workflow-sync")
READY_LINE = re.compile(r"Workflow Sync is ready on (http://127\.0\.0\.1:\d+)\n")
READY_SECONDS = END_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str


async def run(*arguments: str | Path, **settings: str) -> Ended:
    """Run a command to its end, without other settings than these."""
    return await end(await start(*arguments, **settings))


async def start(*arguments: str | Path, **settings: str) -> Process:
    """Start a command, without other settings than these."""
    return await _start(arguments, settings, stderr=PIPE)


async def _start(arguments: Iterable[str | Path], settings: dict[str, str], stderr: int | IO[bytes]) -> Process:
    with _nothing_ignored():
        return await asyncio.create_subprocess_exec(
            *(COMMAND, *arguments), env=_environment(settings), stdout=PIPE, stderr=stderr, start_new_session=True
        )


@contextmanager
def _nothing_ignored() -> Iterator[None]:
    """Have what is started hear the signals of a terminal, even where the tests run in the background or by nohup."""
    ignored = [number for number in (signal.SIGINT, signal.SIGHUP) if signal.getsignal(number) == signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


def send(process: Process, number: signal.Signals) -> None:
    """Send a signal as a terminal does: to every process of the group."""
    os.killpg(process.pid, number)


async def end(process: Process) -> Ended:
    """Wait until a command has ended."""
    try:
        async with asyncio.timeout(END_SECONDS):
            stdout, stderr = await process.communicate()
    except TimeoutError:
        process.kill()
        raise
    assert process.returncode is not None
    return Ended(process.returncode, stdout.decode(), (stderr or b"").decode())


def _environment(settings: dict[str, str]) -> dict[str, str]:
    ours = {name.upper() for name in Settings.model_fields}
    return {name: value for name, value in os.environ.items() if name not in ours} | settings


@dataclass(frozen=True, slots=True)
class Served:
    """A `workflow-sync serve` that was started and is ready."""

    process: Process
    url: str
    data: Path
    stderr: Path

    def workers(self) -> list[psutil.Process]:
        """List the processes that serve now."""
        return workers(self.process)

    def bearer(self, user: str) -> str:
        return f"Bearer {DevelopmentTokens.load(self.data).sign(user)}"

    def client(self, user: str) -> httpx.AsyncClient:
        return live.http(self.url, Authorization=self.bearer(user))

    @asynccontextmanager
    async def socket(self, user: str) -> AsyncIterator[Socket]:
        """Open a WebSocket and sign in on it."""
        url = f"{self.url.replace('http', 'ws')}/graphql"
        async with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")], proxy=None) as connection:
            socket = Socket(connection)
            await socket.init(Authorization=self.bearer(user))
            yield socket

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> Ended:
        """Send a signal and wait for the end."""
        send(self.process, number)
        ended = await end(self.process)
        return replace(ended, stderr=self.stderr.read_text())


@asynccontextmanager
async def serving(data: Path, *arguments: str, **settings: str) -> AsyncIterator[Served]:
    """Start a server that is ready when the block begins; its own processes end with the block, Postgres may not."""
    with tempfile.NamedTemporaryFile() as stderr:
        process = await _start(["serve", "--port=0", "--data", data, *arguments], settings, stderr.file)
        try:
            yield Served(process, await _ready(process), data, Path(stderr.name))
        finally:
            await kill(_family(process))
            await process.wait()


async def _ready(process: Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(READY_SECONDS):
        line = (await process.stdout.readline()).decode()
    ready = READY_LINE.fullmatch(line)
    assert ready, line
    return ready[1]


def _family(process: Process) -> list[psutil.Process]:
    """List a process and what it has started and not left behind; nothing where it has ended."""
    try:
        parent = psutil.Process(process.pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def workers(process: Process) -> list[psutil.Process]:
    """List the processes that serve for a parent."""
    return [child for child in _family(process) if "server.worker" in _command(child)]


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.NoSuchProcess:  # it was one that ends by itself
        return []


async def kill(victims: Sequence[psutil.Process]) -> None:
    """Kill processes as one, so that none of them sees another one die, and wait until they are gone."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for victim in victims:
            with suppress(psutil.NoSuchProcess):
                victim.send_signal(number)
    await gone(victims)


async def gone(processes: Iterable[psutil.Process]) -> None:
    """Wait until processes have ended."""
    await until(lambda: not any(map(is_alive, processes)))


def is_alive(process: psutil.Process) -> bool:
    """Say whether a process still runs; one that only waits to be buried does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


async def sockets_of_each_worker(server: Served, opened: AsyncExitStack) -> list[list[Socket]]:
    """Connect until each worker has two sockets at least."""
    sockets: dict[int, list[Socket]] = {worker.pid: [] for worker in server.workers()}
    while any(len(found) < 2 for found in sockets.values()):
        socket = await opened.enter_async_context(server.socket("ann"))
        sockets[worker_of(server, socket).pid].append(socket)
    return list(sockets.values())


def worker_of(server: Served, socket: Socket) -> psutil.Process:
    """Find the process at the other end of a socket."""
    return worker_at(server, socket.connection.local_address[1])


def worker_at(server: Served, port: int) -> psutil.Process:
    """Find the process at the other end of a connection from a port."""
    return next(
        worker
        for worker in server.workers()
        if any(end.raddr and end.raddr.port == port for end in worker.net_connections("tcp"))
    )
