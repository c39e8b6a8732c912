"""A server that may be killed, and started again where it was."""

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import psutil

from tests.server import processes
from tests.server.processes import Served


@dataclass(slots=True)
class Mortal:
    """A `workflow-sync serve` on one data folder and, from its first start on, one port."""

    data: Path
    lives: AsyncExitStack = field(default_factory=AsyncExitStack)
    served: Served | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.served and self.served.process.returncode is None:
            await self.served.stop()  # its Postgres, too
        await self.lives.aclose()

    @property
    def url(self) -> str:
        assert self.served
        return self.served.url

    async def start(self) -> None:
        """Start, on the port of before."""
        port = urlsplit(self.served.url).port if self.served else 0
        self.served = await self.lives.enter_async_context(processes.serving(self.data, f"--port={port}"))

    async def kill(self) -> None:
        """Kill every process of the server at once, as a power cut does; only its Postgres lives on."""
        assert self.served
        await processes.kill([psutil.Process(self.served.process.pid), *self.served.workers()])
