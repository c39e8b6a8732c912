"""One workflow that somebody listens to: its newest saves, read once for all who listen."""

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import asyncpg

from db.database import Connection
from db.journal import Entry

TAIL_SAVES = 64  # kept in memory for each workflow; who is further behind reads the journal
TAIL_BYTES = 1024 * 1024


@dataclass(slots=True, eq=False)
class Topic:
    """What this process knows of one workflow. `version` is 0 until the database was asked."""

    workflow_id: str
    version: int = 0
    revision: int = -1
    listeners: Counter[str] = field(default_factory=Counter)
    revoked: frozenset[str] = frozenset()
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    _tail: deque[tuple[Entry, int]] = field(default_factory=deque)
    _tail_bytes: int = 0

    def leave(self, user: str) -> None:
        """Count one listener less."""
        self.listeners[user] -= 1
        if not self.listeners[user]:
            del self.listeners[user]

    def after(self, version: int) -> list[Entry] | None:
        """List the saves above `version` that are known, oldest first; None where the journal must be read."""
        if version >= self.version:
            return []
        missing = self.version - version
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

    def wake(self) -> None:
        """Wake everybody who waits for `changed`."""
        self.changed, changed = asyncio.Event(), self.changed
        changed.set()


async def refresh(connection: Connection, topics: Sequence[Topic], *, audit: bool) -> None:
    """Bring topics up to the database and wake their listeners where something is new.

    `audit` looks at everybody's access, not only where the workflow says that something about it changed.
    """
    rows = await connection.fetch(
        "SELECT id, version, revision FROM workflows WHERE id = ANY($1)",
        [topic.workflow_id for topic in topics],
    )
    heads = {row["id"]: row for row in rows}
    present = [topic for topic in topics if topic.workflow_id in heads]
    revised = [t for t in present if audit or t.revision != heads[t.workflow_id]["revision"]]
    for topic in revised:
        topic.revision = heads[topic.workflow_id]["revision"]
    await _check_access(connection, revised)  # before anything new is shown
    await _read_saves(connection, {t: heads[t.workflow_id]["version"] for t in present if _is_behind(t, heads)})


def _is_behind(topic: Topic, heads: dict[str, asyncpg.Record]) -> bool:
    return topic.version < heads[topic.workflow_id]["version"]


async def _read_saves(connection: Connection, behind: dict[Topic, int]) -> None:
    known = [topic for topic in behind if topic.version]
    rows = await connection.fetch(
        """
        SELECT c.workflow_id, c.version, c.changes, c.saved_by, c.saved_at, c.client_id, c.reason, c.label,
               pg_column_size(c.changes) AS size
        FROM unnest($1::text[], $2::int[], $3::int[]) AS t (id, after, upto)
        JOIN workflow_changes c ON c.workflow_id = t.id AND c.version > t.after AND c.version <= t.upto
        ORDER BY c.workflow_id, c.version
        """,
        [topic.workflow_id for topic in known],
        [max(topic.version, behind[topic] - TAIL_SAVES) for topic in known],
        [behind[topic] for topic in known],
    )
    saves: dict[str, list[tuple[Entry, int]]] = {}
    for row in rows:
        *columns, size = row.values()
        saves.setdefault(row["workflow_id"], []).append((Entry(*columns), size))
    for topic, version in behind.items():
        topic.advance(version, saves.get(topic.workflow_id, []))
        topic.wake()


async def _check_access(connection: Connection, topics: Sequence[Topic]) -> None:
    pairs = [(topic.workflow_id, user) for topic in topics for user in topic.listeners]
    if not pairs:
        return
    ids, users = zip(*pairs, strict=True)
    rows = await connection.fetch(
        """
        SELECT l.id, l.user_id FROM unnest($1::text[], $2::text[]) AS l (id, user_id)
        WHERE NOT EXISTS (SELECT FROM workflows w WHERE w.id = l.id AND w.owner_id = l.user_id AND w.purged_at IS NULL)
          AND NOT EXISTS (SELECT FROM workflow_members m WHERE m.workflow_id = l.id AND m.user_id = l.user_id)
        """,
        ids,
        users,
    )
    for topic in topics:
        topic.revoked = frozenset(row["user_id"] for row in rows if row["id"] == topic.workflow_id)
        if topic.revoked:
            topic.wake()
