"""One workflow that somebody listens to: its newest saves, read once for all who listen."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from db import journal
from db.database import Connection
from db.journal import Entry

TAIL_SAVES = 64  # kept in memory for each workflow; who is further behind reads the journal
TAIL_BYTES = 1024 * 1024  # the same, as text


@dataclass(slots=True, eq=False)
class Topic:
    """What this process knows of one workflow. `version` is 0 until the database was asked."""

    workflow_id: str
    version: int = 0
    listeners: "set[Listener]" = field(default_factory=set)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
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

    def wake(self) -> None:
        """Wake everybody who waits for `changed`."""
        self.changed, changed = asyncio.Event(), self.changed
        changed.set()


@dataclass(slots=True, eq=False)
class Listener:
    """One stream of one user. It begins when the user's access was `checked` here, and ends when they are `revoked`.

    `revision` is that of the workflow at the last check. Who is let in again opens another stream.
    """

    topic: Topic
    user: str
    checked: asyncio.Event = field(default_factory=asyncio.Event)
    revision: int = -1
    revoked: bool = False

    def check(self, revision: int, *, may_see: bool) -> None:
        """Take in whether the user may see the workflow at `revision`."""
        self.revision = revision
        self.checked.set()
        if not may_see:
            self.revoked = True
            self.topic.wake()


async def refresh(connection: Connection, topics: Sequence[Topic], *, audit: bool) -> None:
    """Bring topics up to the database, which shows one moment, and wake their listeners where something is new.

    `audit` checks everybody's access, not only where the workflow says that something about it changed.
    """
    listeners = [listener for topic in topics for listener in topic.listeners]  # who joins later saw a later moment
    rows = await connection.fetch(
        "SELECT id, version, revision FROM workflows WHERE id = ANY($1)", [topic.workflow_id for topic in topics]
    )
    revisions = {row["id"]: row["revision"] for row in rows}
    unsure = [one for one in listeners if audit or one.revision != revisions.get(one.topic.workflow_id)]
    await _check_access(connection, unsure, revisions)  # before anything new is shown
    versions = {row["id"]: row["version"] for row in rows}
    behind = [topic for topic in topics if topic.version < versions.get(topic.workflow_id, 0)]
    await _read_saves(connection, behind, versions)


async def _check_access(connection: Connection, listeners: Sequence[Listener], revisions: Mapping[str, int]) -> None:
    if not listeners:
        return
    rows = await connection.fetch(
        """
        SELECT l.id, l.user_id FROM unnest($1::text[], $2::text[]) AS l (id, user_id)
        WHERE EXISTS (SELECT FROM workflows w WHERE w.id = l.id AND w.owner_id = l.user_id AND w.purged_at IS NULL)
           OR EXISTS (SELECT FROM workflow_members m WHERE m.workflow_id = l.id AND m.user_id = l.user_id)
        """,
        [listener.topic.workflow_id for listener in listeners],
        [listener.user for listener in listeners],
    )
    allowed = {(row["id"], row["user_id"]) for row in rows}
    for listener in listeners:
        workflow_id = listener.topic.workflow_id
        listener.check(revisions.get(workflow_id, -1), may_see=(workflow_id, listener.user) in allowed)


async def _read_saves(connection: Connection, behind: Sequence[Topic], versions: Mapping[str, int]) -> None:
    """Read the newest saves of topics; of those that were just joined none, as their listeners read the journal."""
    known = [topic for topic in behind if topic.version]
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
        [topic.workflow_id for topic in known],
        [max(topic.version, versions[topic.workflow_id] - TAIL_SAVES) for topic in known],
        [versions[topic.workflow_id] for topic in known],
        TAIL_BYTES,
    )
    saves: dict[str, list[tuple[Entry, int]]] = {}
    for row in rows:
        *columns, size = row.values()
        saves.setdefault(row["workflow_id"], []).append((Entry(*columns), size))
    for topic in behind:
        topic.advance(versions[topic.workflow_id], saves.get(topic.workflow_id, []))
        topic.wake()
