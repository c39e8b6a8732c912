"""One clock for all sockets of a process: each says when it wants to be looked after again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol, Self

TICK_SECONDS = 0.5  # the longest that somebody is late


class Watched(Protocol):
    """Somebody to be looked after."""

    def look(self) -> None:
        """See to what is due. Returns at once."""


@dataclass(slots=True, eq=False)
class Vigil:
    """Who is to be looked after, and when, by the loop's clock."""

    _due: dict[Watched, float] = field(default_factory=dict)

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator[Self]:
        """Look after those who ask for it, until the block ends."""
        vigil = cls()
        clock = asyncio.create_task(vigil._run(), name="vigil")
        try:
            yield vigil
        finally:
            clock.cancel()
            await asyncio.gather(clock, return_exceptions=True)

    def watch(self, one: Watched, seconds: float) -> None:
        """Look after somebody once, in so many seconds."""
        self._due[one] = asyncio.get_running_loop().time() + seconds

    def release(self, one: Watched) -> None:
        """Look after somebody no more."""
        self._due.pop(one, None)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = asyncio.get_running_loop().time()
            for one in [one for one, due in self._due.items() if due <= now]:
                self.release(one)
                one.look()
