"""Everything that one user may see and listens to as a whole: what happened to which workflow.

A feed remembers how each workflow looked and compares that with the database, so no event needs to be stored and a
lost notification only delays.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Self

from db.channels import Channel
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
class Look:
    """How a workflow looked at some moment. `members` are pairs of user and role."""

    id: str
    owner_id: str
    name: str
    version: int
    revision: int
    revised_by: str
    revised_at: datetime
    deleted: bool
    purged: bool
    members: frozenset[tuple[str, str]]


Digest = tuple[int, Decimal | None]  # how many workflows, and the sum of what their ids and versions hash to


@dataclass(slots=True, eq=False)
class Feed(Channel):
    """The events of one user. `position` counts them all; the newest are kept for those who have not read them.

    It is `filled` when `seen` shows for the first time how everything looks; `digest` stands for what that looks like.
    `home` is where the feed stands while somebody listens.
    """

    user: str
    listeners: int = 0
    position: int = 0
    digest: Digest | None = None
    home: "dict[str, Feed]" = field(default_factory=dict)
    filled: asyncio.Event = field(default_factory=asyncio.Event)
    seen: dict[str, Look] = field(default_factory=dict)
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
        self.wake()

    def leave(self) -> None:
        """Let a listener go; the last one closes the feed."""
        self.listeners -= 1
        if not self.listeners and self.home.get(self.user) is self:
            del self.home[self.user]

    async def admitted(self) -> Self:
        """Wait until the feed is filled; who is cancelled meanwhile has left."""
        try:
            await self.filled.wait()
        except asyncio.CancelledError:
            self.leave()
            raise
        return self

    async def __aenter__(self) -> Self:
        return await self.admitted()

    async def __aexit__(self, *_: object) -> None:
        self.leave()

    def told(self, now: Look) -> int:
        """Say up to which version the saves of a workflow were told, or need not be: somebody else's older ones."""
        if now.id in self.seen:
            return self.seen[now.id].version
        return 0 if now.owner_id == self.user else now.version


Heads = dict[str, tuple[int, int]]  # id -> version and revision
Save = tuple[int, str, datetime]  # version, by whom, when


async def refresh(connection: Connection, feeds: Sequence[Feed], hints: set[str] | None) -> None:
    """Compare feeds with the database, which shows one moment, for the hinted workflows or for all (None).

    A feed that never was compared takes in how everything looks: what happens from then on is told.
    """
    filled = [feed for feed in feeds if feed.filled.is_set()]
    new = [feed for feed in feeds if not feed.filled.is_set()]
    if filled and hints is None:
        await _tell_of_all(connection, filled)
    elif filled:
        await _tell(connection, filled, hints)
    if new:
        await _fill(connection, new)


async def _tell_of_all(connection: Connection, feeds: Sequence[Feed]) -> None:
    """Compare all that users see, but only where its digest is not the one of the last time."""
    digests = await _digests(connection, feeds)
    moved = [feed for feed in feeds if feed.digest != digests[feed.user]]
    if moved:
        await _tell(connection, moved, None)
    for feed in moved:
        feed.digest = digests[feed.user]


async def _digests(connection: Connection, feeds: Sequence[Feed]) -> dict[str, Digest]:
    digests: dict[str, Digest] = {feed.user: (0, None) for feed in feeds}
    statement, arguments = visible_statement(list(digests), None)
    rows = await connection.fetch(
        f"""
        SELECT user_id, count(*), sum(hashtextextended(id, (version::bigint << 32) + revision))
        FROM ({statement}) AS visible GROUP BY user_id
        """,
        *arguments,
    )
    return digests | {user: (count, total) for user, count, total in rows}


async def _fill(connection: Connection, feeds: Sequence[Feed]) -> None:
    visible = await _visible(connection, feeds, None)
    looks = await _looks(connection, visible.values())
    for feed in feeds:
        feed.seen = {workflow_id: looks[workflow_id] for workflow_id in visible[feed.user]}
        feed.filled.set()


async def _tell(connection: Connection, feeds: Sequence[Feed], hints: set[str] | None) -> None:
    visible = await _visible(connection, feeds, hints)
    changed = {feed: _changed(feed, visible[feed.user], hints) for feed in feeds}
    if not any(changed.values()):
        return
    looks = await _looks(connection, changed.values())
    news = {feed: [looks[key] for key in sorted(keys & looks.keys())] for feed, keys in changed.items()}
    saves = await _saves(connection, news)
    for feed, found in news.items():
        stories = [_story(feed, now, saves.get(now.id, []), visible=now.id in visible[feed.user]) for now in found]
        if stories:
            feed.add(list(heapq.merge(*stories, key=lambda event: event.at)))  # each story keeps its order


async def _visible(connection: Connection, feeds: Sequence[Feed], hints: set[str] | None) -> dict[str, Heads]:
    """Read what each user sees."""
    visible: dict[str, Heads] = {feed.user: {} for feed in feeds}
    statement, arguments = visible_statement(list(visible), hints)
    for row in await connection.fetch(statement, *arguments):
        visible[row["user_id"]][row["id"]] = (row["version"], row["revision"])
    return visible


def visible_statement(users: Sequence[str], hints: set[str] | None) -> tuple[str, list[object]]:
    """Build the statement that finds what users see: two arms, and hints only where there are some, for the indexes."""
    arguments: list[object] = [users]
    own = shared = ""
    if hints is not None:
        own, shared = "AND w.id = ANY($2)", "AND m.workflow_id = ANY($2)"
        arguments.append(list(hints))
    statement = f"""
        SELECT w.owner_id AS user_id, w.id, w.version, w.revision FROM workflows w
        WHERE w.owner_id = ANY($1) AND w.purged_at IS NULL {own}
        UNION ALL
        SELECT m.user_id, w.id, w.version, w.revision FROM workflow_members m JOIN workflows w ON w.id = m.workflow_id
        WHERE m.user_id = ANY($1) AND w.purged_at IS NULL {shared}
    """
    return statement, arguments


def _changed(feed: Feed, visible: Heads, hints: set[str] | None) -> set[str]:
    """Name the workflows that came, went, or are not as they were seen."""
    known = feed.seen.keys() if hints is None else feed.seen.keys() & hints
    went = known - visible.keys()
    return went | {workflow_id for workflow_id, head in visible.items() if _head(feed.seen.get(workflow_id)) != head}


def _head(look: Look | None) -> tuple[int, int] | None:
    return (look.version, look.revision) if look else None


async def _looks(connection: Connection, ids: Iterable[Iterable[str]]) -> dict[str, Look]:
    rows = await connection.fetch(
        """
        SELECT w.id, w.owner_id, w.name, w.version, w.revision, w.revised_by, w.revised_at,
               w.deleted_at IS NOT NULL AS deleted, w.purged_at IS NOT NULL AS purged,
               ARRAY(SELECT ARRAY[m.user_id, m.role] FROM workflow_members m WHERE m.workflow_id = w.id) AS members
        FROM workflows w WHERE w.id = ANY($1)
        """,
        list(set().union(*ids)),
    )
    return {row["id"]: Look(**dict(row) | {"members": frozenset(map(tuple, row["members"]))}) for row in rows}


async def _saves(connection: Connection, news: Mapping[Feed, Sequence[Look]]) -> dict[str, list[Save]]:
    """Read the saves that somebody has not been told, oldest first."""
    told: dict[str, int] = {}
    for feed, found in news.items():
        for now in found:
            told[now.id] = min(feed.told(now), told.get(now.id, now.version))
    rows = await connection.fetch(
        """
        SELECT c.workflow_id, c.version, c.saved_by, c.saved_at FROM unnest($1::text[], $2::int[]) AS t (id, told)
        JOIN workflow_changes c ON c.workflow_id = t.id AND c.version > t.told ORDER BY c.version
        """,
        list(told),
        list(told.values()),
    )
    saves: dict[str, list[Save]] = {}
    for workflow_id, *save in rows:
        saves.setdefault(workflow_id, []).append(tuple(save))
    return saves


def _story(feed: Feed, now: Look, saves: Sequence[Save], *, visible: bool) -> list[Event]:
    """Take in how a workflow looks now and say what has happened to it since it was last seen."""
    told, seen = feed.told(now), feed.seen.pop(now.id, None)

    def revised(kind: EventKind) -> Event:
        return Event(now.id, kind, now.version if visible else None, now.revised_by, now.revised_at)

    if not visible:
        return [revised(EventKind.PURGED if now.purged else EventKind.UNSHARED)]
    feed.seen[now.id] = now
    if seen is None and now.owner_id != feed.user:
        return [revised(EventKind.SHARED)]
    saved = [
        Event(now.id, EventKind.SAVED if version > 1 else EventKind.CREATED, version, by, at)
        for version, by, at in saves
        if version > told
    ]
    return saved + [revised(kind) for kind in (_revisions(seen, now) if seen else ())]


def _revisions(seen: Look, now: Look) -> list[EventKind]:
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
