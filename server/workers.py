"""The worker processes and what their parent does for them: start them, start them again, stop them."""

import asyncio
import json
import logging
import socket
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from server import metrics
from server.refusal import RefusedError
from server.settings import Settings

READY = b"ready\n"  # what a worker says when it takes connections
GRACE_SECONDS = 5  # for what is under way when a worker stops
STOP_SECONDS = GRACE_SECONDS + 10  # for all of its end; then it is killed
PAUSE_SECONDS = 0.5  # a worker that cannot start does not keep a processor busy with it

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Workers:
    """The processes that share one listening socket."""

    settings: Settings
    listener: socket.socket
    metrics: Path
    processes: list[Process] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def run(cls, settings: Settings, listener: socket.socket) -> "AsyncIterator[Workers]":
        """Run as many as the settings say until the block ends. All take connections when it begins.

        Raises RefusedError where one of them does not start.
        """
        with metrics.shared() as folder:
            workers = cls(settings, listener, folder)
            try:
                for _ in range(settings.workers):
                    workers.processes.append(await workers._start())
                if not all(await asyncio.gather(*map(_is_ready, workers.processes))):
                    raise RefusedError("A server process could not start; what it wrote above says why.")
                yield workers
            finally:
                await asyncio.gather(*map(_stop, workers.processes))

    async def keep(self) -> None:
        """Start another worker for each that ends, until this is cancelled."""
        await asyncio.gather(*map(self._keep, range(len(self.processes))))

    async def _keep(self, place: int) -> None:
        while True:
            process = self.processes[place]
            code = await process.wait()
            logger.error("Server process %d has ended (%d); starting another one.", process.pid, code)
            metrics.forget(self.metrics, process.pid)
            await asyncio.sleep(PAUSE_SECONDS)
            self.processes[place] = await self._start()

    async def _start(self) -> Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # folders of the user that are named like ours must not be imported
            "-m",
            "server.worker",
            env=metrics.environment(self.metrics),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[self.listener.fileno()],
            process_group=0,  # Ctrl-C is the parent's to hear
        )
        assert process.stdin is not None  # it stays open: its end tells the worker that the parent is gone
        order = {"settings": _plain(self.settings), "listener": self.listener.fileno()}
        process.stdin.write(json.dumps(order, default=str).encode() + b"\n")
        return process


async def _is_ready(process: Process) -> bool:
    assert process.stdout is not None
    return await process.stdout.readline() == READY


async def _stop(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    with suppress(TimeoutError):
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
            return
    logger.error("Server process %d does not stop; killing it.", process.pid)
    process.kill()
    await process.wait()


def _plain(settings: Settings) -> dict[str, Any]:
    return {name: value.get_secret_value() if isinstance(value, SecretStr) else value for name, value in settings}
