"""Everything that one user may see and listens to as a whole: what happened to which workflow.

A feed remembers how each workflow looked and compares that with the database, so no event needs to be stored and a
lost notification only delays.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import asyncpg

from db.database import Connection

KEPT_EVENTS = 4_096  # for each user; a listener that is further behind must read its list again


class EventKind(StrEnum):
    """What can happen to a workflow."""

    CREATED = "CREATED"
    SAVED = "SAVED"
    RENAMED = "RENAMED"
    DELETED = "DELETED"
    UNDELETED = "UNDELETED"
    PURGED = "PURGED"
    SHARED = "SHARED"
    UNSHARED = "UNSHARED"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to one workflow; `version` is None where its user may not see it any more."""

    workflow_id: str
    kind: EventKind
    version: int | None
    by: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """How a workflow looked to its user."""

    version: int
    revision: int
    name: str
    deleted: bool
    members: frozenset[tuple[str, str]]


@dataclass(slots=True)
class Feed:
    """The events of one user. `position` counts them all; the newest are kept for those who have not read them."""

    user: str
    listeners: int = 0
    position: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    filling: asyncio.Lock = field(default_factory=asyncio.Lock)
    filled: bool = False
    seen: dict[str, Seen] = field(default_factory=dict)
    _events: deque[Event] = field(default_factory=lambda: deque(maxlen=KEPT_EVENTS))

    def after(self, position: int) -> list[Event] | None:
        """List the events from `position` on; None where they are no longer kept."""
        missing = self.position - position
        if missing > len(self._events):
            return None
        return list(self._events)[len(self._events) - missing :]

    def add(self, events: Sequence[Event]) -> None:
        """Append events and wake everybody who waits for `changed`."""
        self._events.extend(events)
        self.position += len(events)
        self.changed, changed = asyncio.Event(), self.changed
        changed.set()


# Owned and shared workflows of $1 (users), all of them or only $2 (ids). Two arms, so that each uses its index.
_VISIBLE = """
    SELECT w.owner_id AS user_id, w.id, w.version, w.revision FROM workflows w
    WHERE w.owner_id = ANY($1) AND w.purged_at IS NULL AND ($2::text[] IS NULL OR w.id = ANY($2))
    UNION ALL
    SELECT m.user_id, w.id, w.version, w.revision FROM workflow_members m JOIN workflows w ON w.id = m.workflow_id
    WHERE m.user_id = ANY($1) AND w.purged_at IS NULL AND ($2::text[] IS NULL OR w.id = ANY($2))
"""
_DETAILS = """
    SELECT w.id, w.owner_id, w.name, w.version, w.revision, w.created_at, w.revised_by, w.revised_at,
           w.deleted_at IS NOT NULL AS deleted, w.purged_at IS NOT NULL AS purged,
           ARRAY(SELECT ARRAY[m.user_id, m.role] FROM workflow_members m WHERE m.workflow_id = w.id) AS members
    FROM workflows w WHERE w.id = ANY($1)
"""


def _seen(row: asyncpg.Record) -> Seen:
    members = frozenset((user, role) for user, role in row["members"])
    return Seen(row["version"], row["revision"], row["name"], row["deleted"], members)


async def fill(connection: Connection, feed: Feed) -> None:
    """Note how everything looks now: what happens from here on is told."""
    if feed.filled:
        return
    visible = await connection.fetch(_VISIBLE, [feed.user], None)
    details = await connection.fetch(_DETAILS, [row["id"] for row in visible])
    feed.seen = {row["id"]: _seen(row) for row in details}
    feed.filled = True


async def refresh(connection: Connection, feeds: Sequence[Feed], hints: set[str] | None) -> None:
    """Compare feeds with the database, for the hinted workflows or for all, and tell what is new."""
    visible = await connection.fetch(_VISIBLE, [feed.user for feed in feeds], None if hints is None else list(hints))
    heads: dict[str, dict[str, tuple[int, int]]] = {feed.user: {} for feed in feeds}
    for row in visible:
        heads[row["user_id"]][row["id"]] = (row["version"], row["revision"])
    changed = {feed.user: _changed(feed, heads[feed.user], hints) for feed in feeds}
    ids = set().union(*changed.values())
    if not ids:
        return
    details = {row["id"]: row for row in await connection.fetch(_DETAILS, list(ids))}
    saves = await _saves(connection, feeds, details)
    for feed in feeds:
        events = [
            event
            for workflow_id in sorted(changed[feed.user])
            for event in _look(feed, details[workflow_id], saves, visible=workflow_id in heads[feed.user])
        ]
        if events:
            feed.add(sorted(events, key=lambda event: event.at))


def _changed(feed: Feed, heads: dict[str, tuple[int, int]], hints: set[str] | None) -> set[str]:
    known = feed.seen if hints is None else feed.seen.keys() & hints
    changed = {workflow_id for workflow_id in known if workflow_id not in heads}
    for workflow_id, head in heads.items():
        seen = feed.seen.get(workflow_id)
        if seen is None or (seen.version, seen.revision) != head:
            changed.add(workflow_id)
    return changed


Saves = dict[str, list[tuple[int, str, datetime]]]


async def _saves(connection: Connection, feeds: Sequence[Feed], details: dict[str, asyncpg.Record]) -> Saves:
    """Read who made the versions that some feed has not told yet: id -> (version, by, at), oldest first."""
    floors = {
        workflow_id: min(feed.seen[workflow_id].version if workflow_id in feed.seen else 0 for feed in feeds)
        for workflow_id in details
    }
    rows = await connection.fetch(
        """
        SELECT c.workflow_id, c.version, c.saved_by, c.saved_at
        FROM unnest($1::text[], $2::int[], $3::int[]) AS t (id, floor, upto)
        JOIN workflow_changes c ON c.workflow_id = t.id AND c.version > t.floor AND c.version <= t.upto
        ORDER BY c.version
        """,
        list(floors),
        list(floors.values()),
        [details[workflow_id]["version"] for workflow_id in floors],
    )
    saves: Saves = {}
    for row in rows:
        saves.setdefault(row["workflow_id"], []).append((row["version"], row["saved_by"], row["saved_at"]))
    return saves


def _look(feed: Feed, row: asyncpg.Record, saves: Saves, *, visible: bool) -> list[Event]:
    """Take in how a workflow looks now and say what has happened to it since the last look."""
    workflow_id: str = row["id"]
    seen = feed.seen.pop(workflow_id, None)

    def event(kind: EventKind) -> Event:
        version = row["version"] if visible else None
        return Event(workflow_id, kind, version, row["revised_by"], row["revised_at"])

    if not visible:
        return [event(EventKind.PURGED if row["purged"] else EventKind.UNSHARED)]
    now = feed.seen[workflow_id] = _seen(row)
    if seen is None and row["owner_id"] != feed.user:
        return [event(EventKind.SHARED)]
    told = seen.version if seen else 0
    saved = [
        Event(workflow_id, EventKind.SAVED if version > 1 else EventKind.CREATED, version, by, at)
        for version, by, at in saves.get(workflow_id, [])
        if version > told
    ]
    return saved + [event(kind) for kind in (_revisions(seen, now) if seen else [])]


def _revisions(seen: Seen, now: Seen) -> list[EventKind]:
    kinds = []
    if now.name != seen.name:
        kinds.append(EventKind.RENAMED)
    if now.deleted != seen.deleted:
        kinds.append(EventKind.DELETED if now.deleted else EventKind.UNDELETED)
    if now.members - seen.members:
        kinds.append(EventKind.SHARED)
    if {user for user, _ in seen.members} - {user for user, _ in now.members}:
        kinds.append(EventKind.UNSHARED)
    return kinds
