"""One workflow that somebody listens to: its newest saves, read once for all who listen."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from db import journal
from db.channels import Channel
from db.database import Connection
from db.journal import Entry

TAIL_SAVES = 64  # kept in memory for each workflow; who is further behind reads the journal
TAIL_BYTES = 1024 * 1024  # the same, as text

CHECKED = asyncio.Event()  # shared by all whom nobody has to wait for any more
CHECKED.set()


@dataclass(slots=True, eq=False)
class Topic(Channel):
    """What this process knows of one workflow. `version` is 0 until the database was asked.

    `floor` is how far back it was asked for saves. `home` is where the topic stands while somebody listens.
    """

    workflow_id: str
    version: int = 0
    floor: int = 0
    listeners: "set[Listener]" = field(default_factory=set)
    home: "dict[str, Topic]" = field(default_factory=dict)
    _tail: deque[tuple[Entry, int]] = field(default_factory=deque)
    _tail_bytes: int = 0

    def after(self, version: int) -> list[Entry] | None:
        """List the saves above `version` that are known, oldest first; None where the journal must be read."""
        missing = self.version - version
        if missing <= 0:
            return []
        if missing > len(self._tail):
            return None
        return [entry for entry, _ in list(self._tail)[-missing:]]

    def advance(self, version: int, entries: Sequence[tuple[Entry, int]]) -> None:
        """Take the newest saves in, each with its size in bytes; the last one leads to `version`."""
        if not entries or entries[0][0].version != self.version + 1:
            self._tail.clear()
            self._tail_bytes = 0
        for entry, size in entries:
            self._tail.append((entry, size))
            self._tail_bytes += size
        while len(self._tail) > TAIL_SAVES or self._tail_bytes > TAIL_BYTES:
            self._tail_bytes -= self._tail.popleft()[1]
        self.version = version

    def take(self, version: int, entries: Sequence[tuple[Entry, int]], *, since: int) -> None:
        """Advance to `version` by what was read of the saves above `since`, and wake everybody where that is news."""
        self.floor = min(since, self.floor) if self.version else since
        is_news = version > self.version
        self.advance(version, entries)
        if is_news:
            self.wake()

    def wanted(self, version: int) -> int:
        """Say from which version on saves are to be read so that this topic stands at `version`.

        Those who join are served too: all of them at once, where they are not too far behind.
        """
        joining = [one.since for one in self.listeners if one.since is not None and not one.checked.is_set()]
        start = max(min(version, *joining), version - TAIL_SAVES) if joining else version
        return start if not self.version or start < self.floor else self.version

    def leave(self, listener: "Listener") -> None:
        """Let a listener go; the last one closes the topic."""
        self.listeners.discard(listener)
        if not self.listeners and self.home.get(self.workflow_id) is self:
            del self.home[self.workflow_id]


@dataclass(slots=True, eq=False)
class Listener:
    """One stream of one user. It begins when the user's access was `checked` here, and ends when they are `revoked`.

    `since` is the version that the user has, None for the current one. `channel` is woken when they are revoked.
    `revision` is that of the workflow at the last check. Who is let in again opens another stream.
    """

    topic: Topic
    user: str
    since: int | None
    channel: Channel
    checked: asyncio.Event = field(default_factory=asyncio.Event)
    revision: int = -1
    revoked: bool = False

    def check(self, revision: int, *, may_see: bool) -> None:
        """Take in whether the user may see the workflow at `revision`."""
        self.revision = revision
        if not may_see:
            self.revoked = True
            self.channel.wake()

    def begin(self) -> None:
        """Let whoever waits for the first check go on."""
        self.checked.set()
        self.checked = CHECKED

    def leave(self) -> None:
        """Listen no longer."""
        self.topic.leave(self)

    async def admitted(self) -> Self:
        """Wait for the first check; who is cancelled meanwhile has left."""
        try:
            await self.checked.wait()
        except asyncio.CancelledError:
            self.leave()
            raise
        return self

    async def __aenter__(self) -> Self:
        return await self.admitted()

    async def __aexit__(self, *_: object) -> None:
        self.leave()


async def refresh(connection: Connection, topics: Sequence[Topic], *, audit: bool) -> None:
    """Bring topics up to the database, which shows one moment, and wake their listeners where something is new.

    `audit` checks everybody's access, not only where the workflow says that something about it changed.
    """
    listeners = [listener for topic in topics for listener in topic.listeners]  # who joins later saw a later moment
    rows = await connection.fetch(
        "SELECT id, version, revision FROM workflows WHERE id = ANY($1)", [topic.workflow_id for topic in topics]
    )
    revisions = {row["id"]: row["revision"] for row in rows}
    versions = {row["id"]: row["version"] for row in rows}
    unsure = [one for one in listeners if audit or _is_unsure(one, revisions)]
    await _check_access(connection, unsure, revisions)  # before anything new is shown
    await _read_saves(connection, topics, versions)
    for listener in unsure:
        listener.begin()


def _is_unsure(listener: Listener, revisions: Mapping[str, int]) -> bool:
    return listener.revision != revisions.get(listener.topic.workflow_id) or not listener.checked.is_set()


async def _check_access(connection: Connection, listeners: Sequence[Listener], revisions: Mapping[str, int]) -> None:
    if not listeners:
        return
    asked = list({(listener.topic.workflow_id, listener.user) for listener in listeners})
    rows = await connection.fetch(
        """
        SELECT l.id, l.user_id FROM unnest($1::text[], $2::text[]) AS l (id, user_id)
        WHERE EXISTS (SELECT FROM workflows w WHERE w.id = l.id AND w.owner_id = l.user_id AND w.purged_at IS NULL)
           OR EXISTS (SELECT FROM workflow_members m WHERE m.workflow_id = l.id AND m.user_id = l.user_id)
        """,
        [workflow_id for workflow_id, _ in asked],
        [user for _, user in asked],
    )
    allowed = {(row["id"], row["user_id"]) for row in rows}
    for listener in listeners:
        workflow_id = listener.topic.workflow_id
        listener.check(revisions.get(workflow_id, -1), may_see=(workflow_id, listener.user) in allowed)


async def _read_saves(connection: Connection, topics: Sequence[Topic], versions: Mapping[str, int]) -> None:
    """Read the newest saves of topics that are behind, and those that somebody who joins has missed."""
    starts = {topic: topic.wanted(versions.get(topic.workflow_id, 0)) for topic in topics}
    behind = {topic: start for topic, start in starts.items() if start < versions.get(topic.workflow_id, 0)}
    saves = await _saves(connection, behind, versions) if behind else {}
    for topic in topics:
        version = versions.get(topic.workflow_id, 0)
        if topic in behind or topic.version < version:
            topic.take(version, saves.get(topic.workflow_id, []), since=starts[topic])


async def _saves(
    connection: Connection, behind: Mapping[Topic, int], versions: Mapping[str, int]
) -> dict[str, list[tuple[Entry, int]]]:
    rows = await connection.fetch(
        f"""
        SELECT {journal.ENTRY}, octet_length(changes::text) + octet_length(conflicts::text) AS size
        FROM (
            SELECT c.*, sum(pg_column_size(c.changes) + pg_column_size(c.conflicts))
                        OVER (PARTITION BY t.id ORDER BY c.version DESC) AS stored
            FROM unnest($1::text[], $2::int[], $3::int[]) AS t (id, after, upto)
            JOIN workflow_changes c ON c.workflow_id = t.id AND c.version > t.after AND c.version <= t.upto
        ) AS newest
        WHERE stored <= $4 ORDER BY workflow_id, version
        """,
        [topic.workflow_id for topic in behind],
        [max(start, versions[topic.workflow_id] - TAIL_SAVES) for topic, start in behind.items()],
        [versions[topic.workflow_id] for topic in behind],
        TAIL_BYTES,
    )
    saves: dict[str, list[tuple[Entry, int]]] = {}
    for row in rows:
        *columns, size = row.values()
        saves.setdefault(row["workflow_id"], []).append((Entry(*columns), size))
    return saves
