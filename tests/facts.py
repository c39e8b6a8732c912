"""Waiting for facts, never for luck."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

from db.database import Connection

PATIENCE_SECONDS = 60.0  # machines that test are often busy


async def until(fact: Callable[[], bool | Awaitable[bool]]) -> None:
    """Wait until something is true, asking again and again."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await _ask(fact):  # noqa: ASYNC110  # whatever is asked has no event to wait for
            await asyncio.sleep(0.01)


async def _ask(fact: Callable[[], bool | Awaitable[bool]]) -> bool:
    answer = fact()
    return await answer if inspect.isawaitable(answer) else answer


async def somebody_waits(connection: Connection) -> bool:
    """Say whether somebody waits for a lock in the database that a connection leads to."""
    waiting = "datname = current_database() AND wait_event_type = 'Lock'"
    return bool(await connection.fetchval(f"SELECT EXISTS (SELECT FROM pg_stat_activity WHERE {waiting})"))
