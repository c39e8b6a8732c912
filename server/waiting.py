"""Waiting for what happens in other processes, which tell nobody."""

import asyncio
from collections.abc import Callable

POLL_SECONDS = 0.05


async def until(fact: Callable[[], bool]) -> None:
    """Return when something is so."""
    while not fact():  # noqa: ASYNC110 -- there is no event to wait for
        await asyncio.sleep(POLL_SECONDS)
