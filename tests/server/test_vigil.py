"""Everybody who asks for it is looked after once, and nobody holds up the others."""

import asyncio
from dataclasses import dataclass, field

import pytest

from server import vigil
from server.vigil import Vigil

LONG_SECONDS = 3_600.0


@pytest.fixture(autouse=True)
def ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that ticks fast."""
    monkeypatch.setattr(vigil, "TICK_SECONDS", 0.001)


@dataclass(eq=False)
class Guest:
    """Somebody to be looked after, who counts how often."""

    looks: int = 0
    seen: asyncio.Event = field(default_factory=asyncio.Event)

    def look(self) -> None:
        self.looks += 1
        self.seen.set()


async def test_who_is_due_is_looked_after_once() -> None:
    first, second, later = Guest(), Guest(), Guest()
    async with asyncio.timeout(20), Vigil.open() as watch:
        watch.watch(later, LONG_SECONDS)
        watch.watch(first, 0.0)
        await first.seen.wait()
        watch.watch(second, 0.0)
        await second.seen.wait()
    assert (first.looks, second.looks, later.looks) == (1, 1, 0)


async def test_who_was_released_is_left_alone() -> None:
    gone, here = Guest(), Guest()
    async with asyncio.timeout(20), Vigil.open() as watch:
        watch.watch(gone, 0.0)
        watch.watch(here, 0.0)
        watch.release(gone)
        watch.release(gone)
        await here.seen.wait()
    assert gone.looks == 0


async def test_who_asks_again_is_looked_after_at_the_new_time() -> None:
    guest, other = Guest(), Guest()
    async with asyncio.timeout(20), Vigil.open() as watch:
        watch.watch(guest, 0.0)
        watch.watch(guest, LONG_SECONDS)
        watch.watch(other, 0.0)
        await other.seen.wait()
    assert guest.looks == 0


async def test_a_closed_vigil_leaves_no_task() -> None:
    async with Vigil.open():
        pass
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "vigil"]
