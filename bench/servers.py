"""A system that runs: its processes, started for a database and stopped again."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import psutil

from bench.load import Load
from bench.systems import System

WORKERS = 2
START_SECONDS = 60.0
STOP_SECONDS = 60.0
LINE_BYTES = 16 * 1024 * 1024  # of the longest that the floor tells

USER = "ada"
AUTH = {
    "JWT_SECRET": "a secret of the benchmarks and of nobody else",
    "JWT_ISSUER": "workflow-sync/bench",
    "JWT_AUDIENCE": "workflow-sync/bench",
}


def token() -> str:
    """Sign the token of the one user."""
    said = {"sub": USER, "exp": datetime.now(UTC) + timedelta(days=1)}
    said |= {"iss": AUTH["JWT_ISSUER"], "aud": AUTH["JWT_AUDIENCE"]}
    return jwt.encode(said, AUTH["JWT_SECRET"], "HS256")


class StartError(Exception):
    """A system does not start."""


@dataclass(frozen=True, slots=True)
class Server:
    """The first process of a system, and where it listens."""

    process: asyncio.subprocess.Process
    host: str

    @property
    def root(self) -> psutil.Process:
        """The process from which its others come."""
        return psutil.Process(self.process.pid)

    async def run(self, size: str, seconds: float) -> Load:
        """Have a system without HTTP do a run of its own."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{size} {seconds}\n".encode())
        return Load.of(json.loads(await self.process.stdout.readline()), seconds)


@asynccontextmanager
async def started(system: System, url: str, log: Path) -> AsyncIterator[Server]:
    """Run a system on a database until the block ends. Raises StartError."""
    port = _free_port()
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *system.command,
            env=environment({"DATABASE_URL": url, "PORT": str(port), "WORKERS": str(WORKERS), **AUTH}),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            limit=LINE_BYTES,
        )
    try:
        await _ready(system, process)
        yield Server(process, f"127.0.0.1:{port}")
    finally:
        await _stop(process)


async def _ready(system: System, process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    with suppress(TimeoutError):
        async with asyncio.timeout(START_SECONDS):
            while line := await process.stdout.readline():
                if b"ready" in line:
                    return
    raise StartError(f"{system.title} does not start.")


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Say what a system finds in its environment: nothing of the caller's but where things are."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH") if name in os.environ}
    return {**kept, "NODE_ENV": "production", **settings}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
