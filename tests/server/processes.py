"""The command `workflow-sync` as real processes, and what becomes of them."""

import asyncio
import os
import re
import signal
import sys
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from auth.development import DevelopmentTokens
from server.settings import Settings
from tests.facts import until

COMMAND = Path(sys.executable).with_name("workflow-sync")
READY_LINE = re.compile(r"Workflow Sync is ready on (http://127\.0\.0\.1:\d+)\n")
READY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str


async def run(*arguments: str | Path, cwd: Path | None = None, **settings: str) -> Ended:
    """Run a command to its end, in an environment without other settings than these."""
    process = await asyncio.create_subprocess_exec(
        COMMAND, *arguments, cwd=cwd, env=_environment(settings), stdout=-1, stderr=-1
    )
    stdout, stderr = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, stdout.decode(), stderr.decode())


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
        children = psutil.Process(self.process.pid).children()
        return [child for child in children if "server.worker" in child.cmdline()]

    def client(self, user: str) -> httpx.AsyncClient:
        token = DevelopmentTokens.load(self.data).sign(user)
        return httpx.AsyncClient(base_url=self.url, headers={"Authorization": f"Bearer {token}"}, trust_env=False)

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> Ended:
        """Send a signal and wait for the end."""
        self.process.send_signal(number)
        return await self.ended()

    async def ended(self) -> Ended:
        assert self.process.stdout is not None
        rest = await self.process.stdout.read()
        return Ended(await self.process.wait(), rest.decode(), self.stderr.read_text())


@asynccontextmanager
async def serving(data: Path, *arguments: str, **settings: str) -> AsyncIterator[Served]:
    """Start a server that is ready when the block begins; its own processes end with the block, Postgres may not."""
    with tempfile.NamedTemporaryFile() as stderr:
        process = await asyncio.create_subprocess_exec(
            *(COMMAND, "serve", "--port=0", "--data", data, *arguments),
            env=_environment(settings),
            stdout=-1,
            stderr=stderr,
            start_new_session=True,
        )
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
    try:
        parent = psutil.Process(process.pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
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
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
