"""Telling the other processes that something happened: one NOTIFY transaction for many saves."""

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from db.database import STATEMENT_ERRORS, Database, UnavailableError

CHANNEL = "workflow_sync"
PAYLOAD_BYTES = 7_900  # Postgres takes less than 8,000
ANNOUNCE_SECONDS = 2.0  # the longest that an answer waits for it; by then the hubs have looked by themselves

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Notifier:
    """Gathers what is announced while one NOTIFY is under way into the next.

    A NOTIFY locks the whole database while it commits; one for each save would serialise them all.
    """

    database: Database
    _waiting: set[str] = field(default_factory=set)
    _next: asyncio.Task[None] | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def announce(self, workflow_id: str) -> None:
        """Return when the announcement is committed, or could not be: the hubs then find out by themselves."""
        self._waiting.add(workflow_id)
        if self._next is None:
            self._next = asyncio.create_task(self._send_next(), name="notifier")
        await asyncio.shield(self._next)

    async def _send_next(self) -> None:
        """Send what waits as soon as the NOTIFY before is through, if that is not too late."""
        try:
            async with asyncio.timeout(ANNOUNCE_SECONDS), self._turn:
                self._next = None
                await self._send()
        except TimeoutError:
            self._next = None
            logger.warning("Could not announce saves at once; the hubs find them within seconds.")

    async def _send(self) -> None:
        ids, self._waiting = self._waiting, set()
        try:
            await notify(self.database, CHANNEL, payloads(ids))
        except (UnavailableError, *STATEMENT_ERRORS) as error:  # what is announced was saved all the same
            logger.warning("Could not announce %d saves (%r); the hubs find them within seconds.", len(ids), error)
        except asyncio.CancelledError:
            self._waiting |= ids
            raise


async def notify(database: Database, channel: str, messages: Sequence[str]) -> None:
    """Send messages of at most PAYLOAD_BYTES in one transaction. Raises UnavailableError and STATEMENT_ERRORS."""
    async with database.connection() as connection:
        await connection.execute("SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload", channel, messages)


def payloads(ids: set[str]) -> list[str]:
    """Pack ids into as few NOTIFY payloads as they need, each a JSON list."""
    packed: list[list[str]] = [[]]
    size = 2
    for workflow_id in sorted(ids):
        cost = len(json.dumps(workflow_id)) + 2
        if size + cost > PAYLOAD_BYTES:
            packed.append([])
            size = 2
        packed[-1].append(workflow_id)
        size += cost
    return [json.dumps(part) for part in packed if part]
