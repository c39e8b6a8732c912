"""Waiting for facts, never for luck."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

PATIENCE_SECONDS = 20.0


async def until(fact: Callable[[], bool | Awaitable[bool]]) -> None:
    """Wait until something is true, asking again and again."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await _ask(fact):  # noqa: ASYNC110  # whatever is asked has no event to wait for
            await asyncio.sleep(0.01)


async def _ask(fact: Callable[[], bool | Awaitable[bool]]) -> bool:
    answer = fact()
    return await answer if inspect.isawaitable(answer) else answer
