"""Who listens to what in this process, and what they have not heard yet.

One loop owns one connection to Postgres. It sleeps until a NOTIFY arrives or `POLL_SECONDS` have passed, then compares
what is subscribed to with the database and wakes those for whom something is new. A notification is a hint and may be
lost; the database is the truth.

                 NOTIFY / poll / new subscriber                       wake
    Postgres ------------------------------------> Hub._refresh ---------------> subscribers, each at its own version
        ^                                                                            |
        +------------- pages of the journal, where the topic's tail is too short ----+

Nothing is queued for a subscriber: it takes what it can, so one that never reads costs nothing and holds nobody up.
"""

import asyncio
import json
import logging
import math
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import asyncpg

from db import database, feeds, notifier, presence, topics
from db.channels import Channel
from db.database import Database, RawConnection
from db.feeds import Feed
from db.notifier import Notifier
from db.presence import Presence
from db.topics import Listener, Topic

POLL_SECONDS = 2.0  # the longest that an announcement is late when its NOTIFY was lost
AUDIT_SECONDS = 20.0  # the longest that a listener stays whose access ended without a trace in the workflow's revision
ANSWER_SECONDS = 10.0  # a connection on which a statement takes so long counts as lost
RECONNECT_SECONDS = 0.25
APPLICATION = "workflow-sync listener"  # what pg_stat_activity calls that connection

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Hub:
    """The announcements of one process. `presence` hears by the same connection who is there."""

    database: Database
    notifier: Notifier
    presence: Presence
    topics: dict[str, Topic] = field(default_factory=dict)
    feeds: dict[str, Feed] = field(default_factory=dict)
    _hints: set[str] = field(default_factory=set)
    _hinted: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    @asynccontextmanager
    async def open(cls, database: Database) -> "AsyncIterator[Hub]":
        """Listen until the block ends."""
        hub = cls(database, Notifier(database), Presence(database))
        loop = asyncio.create_task(hub._run(), name="hub")
        try:
            async with hub.presence.running():
                yield hub
        finally:
            loop.cancel()
            await asyncio.gather(loop, return_exceptions=True)

    @property
    def listeners(self) -> int:
        """How many there are who listen: to one workflow, or to all that they may see."""
        of_topics = sum(len(topic.listeners) for topic in self.topics.values())
        return of_topics + sum(feed.listeners for feed in self.feeds.values())

    async def announce(self, workflow_id: str) -> None:
        """Tell every process, this one included, that something about a workflow was committed."""
        self.hint([workflow_id])
        await self.notifier.announce(workflow_id)

    def hint(self, workflow_ids: Iterable[str]) -> None:
        """Have these workflows compared with the database soon."""
        self._hints.update(workflow_ids)
        self._hinted.set()

    def listen(
        self, workflow_id: str, user: str, since: int | None = None, *, channel: Channel | None = None
    ) -> Listener:
        """Join those who listen to one workflow, from version `since` on (None: the current one).

        The first check tells whether `user` may. `channel` is where they listen, if not to the saves.
        """
        topic = self.topics.setdefault(workflow_id, Topic(workflow_id, home=self.topics))
        listener = Listener(topic, user, since, channel or topic)
        topic.listeners.add(listener)
        self.hint([workflow_id])
        return listener

    def feed(self, user: str) -> Feed:
        """Join those who listen to everything that one user may see."""
        feed = self.feeds.setdefault(user, Feed(user, home=self.feeds))
        feed.listeners += 1
        self.hint(())
        return feed

    async def _run(self) -> None:
        while True:
            try:
                await self._listen()
            except database.CONNECTION_ERRORS as error:
                logger.warning("Lost the connection that listens for saves (%r); reconnecting.", error)
            except Exception:
                logger.exception("Could not find out what was saved; trying again.")
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen(self) -> None:
        connection = await asyncpg.connect(
            self.database.url,
            timeout=ANSWER_SECONDS,
            command_timeout=ANSWER_SECONDS,
            server_settings={"application_name": APPLICATION},
        )
        try:
            with database.losses(connection):
                await database.prepare(connection)
                connection.add_termination_listener(lambda _: self._hinted.set())
                await connection.add_listener(notifier.CHANNEL, lambda *event: self.hint(json.loads(event[-1])))
                await connection.add_listener(presence.CHANNEL, lambda *event: self.presence.hear(event[-1]))
                self.presence.greet()
                await self._refresh_forever(connection)
        finally:
            connection.terminate()

    async def _refresh_forever(self, connection: RawConnection) -> None:
        polled = audited = -math.inf
        while not connection.is_closed():
            now = asyncio.get_running_loop().time()
            audit = now - audited >= AUDIT_SECONDS
            poll = now - polled >= POLL_SECONDS or audit
            polled, audited = (now if poll else polled), (now if audit else audited)
            hints, self._hints = self._hints, set()
            self._hinted.clear()
            await self._refresh(connection, None if poll else hints, audit=audit)
            await self._hint(until=polled + POLL_SECONDS)
        raise ConnectionResetError("the connection was closed")

    async def _hint(self, *, until: float) -> None:
        """Wait for a hint, or until a time of the loop's clock."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await self._hinted.wait()

    async def _refresh(self, connection: RawConnection, hints: set[str] | None, *, audit: bool) -> None:
        """Compare what is subscribed to with one moment of the database: the hinted workflows, or all for None."""
        concerned = [topic for topic in self.topics.values() if hints is None or topic.workflow_id in hints]
        listened = list(self.feeds.values())
        if concerned or listened:
            await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            await topics.refresh(connection, concerned, audit=audit)
            await feeds.refresh(connection, listened, hints)
            await connection.execute("COMMIT")  # where something failed, the connection is given up
