"""A topic keeps the newest saves of one workflow in memory, within limits, and knows who may hear of them."""

import asyncio
import random
from collections.abc import Sequence

import pytest

from db import topics
from db.database import Database
from db.journal import Entry
from db.topics import TAIL_BYTES, TAIL_SAVES, Listener, Topic
from tests.db import stories
from tests.db.stories import entry


def topic_at(version: int, *, entries: int) -> Topic:
    topic = Topic("w")
    topic.advance(version - entries, [])
    topic.advance(version, [(entry(number), 10) for number in range(version - entries + 1, version + 1)])
    return topic


async def refresh(database: Database, *known: Topic, audit: bool = False) -> None:
    async with database.transaction() as connection:
        await topics.refresh(connection, known, audit=audit)


def join(topic: Topic, user: str, since: int | None = None) -> Listener:
    listener = Listener(topic, user, since, topic)
    topic.listeners.add(listener)
    return listener


def versions(topic: Topic, after: int) -> list[int] | None:
    entries = topic.after(after)
    return None if entries is None else [entry.version for entry in entries]


def test_each_listener_gets_what_it_has_not_heard() -> None:
    topic = topic_at(9, entries=3)
    assert [versions(topic, after) for after in (9, 8, 7, 6)] == [[], [9], [8, 9], [7, 8, 9]]


def test_who_is_further_behind_reads_the_journal() -> None:
    topic = topic_at(9, entries=3)
    assert versions(topic, 5) is None
    assert versions(topic_at(9, entries=0), 8) is None


def test_who_is_ahead_waits_for_the_topic_to_catch_up() -> None:
    topic = topic_at(9, entries=3)
    assert versions(topic, 11) == []
    topic.advance(12, [(entry(10), 1), (entry(11), 1), (entry(12), 1)])
    assert versions(topic, 11) == [12]


def test_only_so_many_saves_are_kept() -> None:
    topic = topic_at(1_000, entries=TAIL_SAVES + 10)
    assert len(topic.after(1_000 - TAIL_SAVES) or ()) == TAIL_SAVES
    assert topic.after(1_000 - TAIL_SAVES - 1) is None


def test_only_so_many_bytes_are_kept() -> None:
    topic = topic_at(1, entries=0)
    topic.advance(3, [(entry(2), TAIL_BYTES // 2), (entry(3), TAIL_BYTES // 2 + 1)])
    assert versions(topic, 1) is None
    assert versions(topic, 2) == [3]
    topic.advance(4, [(entry(4), TAIL_BYTES + 1)])
    assert versions(topic, 3) is None
    topic.advance(5, [(entry(5), 1)])
    assert versions(topic, 4) == [5]


def test_a_gap_empties_what_is_kept() -> None:
    topic = topic_at(3, entries=3)
    topic.advance(9, [(entry(8), 1), (entry(9), 1)])
    assert versions(topic, 2) is None
    assert versions(topic, 5) is None
    assert versions(topic, 7) == [8, 9]


def test_everybody_is_woken_once() -> None:
    topic = Topic("w")
    waited_for = topic.changed
    topic.wake()
    assert waited_for.is_set()
    assert not topic.changed.is_set()


async def test_a_new_topic_starts_at_the_current_version(database: Database) -> None:
    await stories.create(database)
    await stories.save(database)
    topic = Topic("w")
    await refresh(database, topic)
    assert topic.version == 2
    assert versions(topic, 2) == []
    assert versions(topic, 1) is None


async def test_those_who_join_are_served_together(database: Database) -> None:
    await stories.create(database)
    for _ in range(9):
        await stories.save(database)
    topic = Topic("w")
    for since in (8, 5, 99, None):
        join(topic, "owner", since)
    await refresh(database, topic)
    assert versions(topic, 5) == [6, 7, 8, 9, 10]
    assert versions(topic, 4) is None
    join(topic, "owner", since=2)
    waited_for = topic.changed
    await refresh(database, topic)
    assert versions(topic, 2) == [3, 4, 5, 6, 7, 8, 9, 10]
    assert not waited_for.is_set()
    await stories.save(database)
    await refresh(database, topic)
    assert versions(topic, 2) == [3, 4, 5, 6, 7, 8, 9, 10, 11]


async def test_who_joins_far_behind_has_no_more_read_than_memory_holds(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topics, "TAIL_SAVES", 3)
    reads: list[int] = []
    advance = Topic.advance

    def note(topic: Topic, version: int, entries: Sequence[tuple[Entry, int]]) -> None:
        reads.append(len(entries))
        advance(topic, version, entries)

    monkeypatch.setattr(Topic, "advance", note)
    await stories.create(database)
    for _ in range(9):
        await stories.save(database)
    topic = Topic("w")
    for _ in range(3):
        join(topic, "owner", since=0)
        await refresh(database, topic)
    assert versions(topic, 7) == [8, 9, 10]
    assert reads == [3]


async def test_new_saves_are_taken_in_with_their_contents(database: Database) -> None:
    await stories.create(database)
    topic = Topic("w")
    await refresh(database, topic)
    waited_for = topic.changed
    for _ in range(3):
        await stories.save(database)
    await refresh(database, topic)
    assert waited_for.is_set()
    entries = topic.after(1)
    assert entries is not None
    assert [(e.version, e.changes[0]["value"], e.saved_by, e.client_id) for e in entries] == [
        (version, version, "owner", "tab") for version in (2, 3, 4)
    ]


async def test_nobody_is_woken_where_nothing_is_new(database: Database) -> None:
    await stories.create(database)
    topic = Topic("w")
    await refresh(database, topic)
    await refresh(database, topic, audit=True)
    assert not topic.changed.is_set()


async def test_of_a_long_history_only_the_end_is_read(database: Database) -> None:
    await stories.create(database)
    topic = Topic("w")
    await refresh(database, topic)
    for _ in range(TAIL_SAVES + 5):
        await stories.save(database)
    await refresh(database, topic)
    assert topic.after(5) is None
    assert len(topic.after(6) or ()) == TAIL_SAVES


@pytest.mark.parametrize(("text", "is_read"), [("ab" * 5_000, True), (random.Random(1).randbytes(5_000).hex(), False)])
async def test_saves_that_are_too_large_for_memory_are_left_in_the_journal(
    database: Database, monkeypatch: pytest.MonkeyPatch, text: str, is_read: bool
) -> None:
    """Those that compress well are seen to be so only when they have been read."""
    monkeypatch.setattr(topics, "TAIL_BYTES", 1_000)
    read: list[int] = []
    advance = Topic.advance

    def note(topic: Topic, version: int, entries: Sequence[tuple[Entry, int]]) -> None:
        read.extend(entry.version for entry, _ in entries)
        advance(topic, version, entries)

    monkeypatch.setattr(Topic, "advance", note)
    await stories.create(database)
    topic = Topic("w")
    await refresh(database, topic)
    await stories.save(database, text=text)
    await stories.save(database)
    await refresh(database, topic)
    assert versions(topic, 2) == [3]
    assert versions(topic, 1) is None
    assert read == ([2, 3] if is_read else [3])


async def test_owner_and_members_may_hear_and_strangers_may_not(database: Database) -> None:
    await stories.create(database)
    await stories.share(database, "viewer")
    topic = Topic("w")
    owner, viewer, stranger = (join(topic, user) for user in ("owner", "viewer", "stranger"))
    await refresh(database, topic)
    assert all(listener.checked.is_set() for listener in (owner, viewer, stranger))
    assert [listener.revoked for listener in (owner, viewer, stranger)] == [False, False, True]


async def test_a_member_whose_access_ends_is_revoked_before_newer_saves_are_known(database: Database) -> None:
    await stories.create(database)
    await stories.share(database, "viewer")
    topic = Topic("w")
    streams = [join(topic, "viewer"), join(topic, "viewer")]
    await refresh(database, topic)

    async def wake() -> list[bool]:
        await topic.changed.wait()
        return [stream.revoked for stream in streams]

    waking = asyncio.create_task(wake())
    await stories.unshare(database, "viewer")
    await stories.save(database)
    await refresh(database, topic)
    assert await waking == [True, True]


async def test_who_is_let_in_again_has_a_new_stream_and_the_old_one_stays_ended(database: Database) -> None:
    await stories.create(database)
    await stories.share(database, "viewer")
    topic = Topic("w")
    before = join(topic, "viewer")
    await refresh(database, topic)
    await stories.unshare(database, "viewer")
    await refresh(database, topic)
    await stories.share(database, "viewer")
    after = join(topic, "viewer")
    await refresh(database, topic)
    assert (before.revoked, after.revoked) == (True, False)


async def test_who_joins_is_looked_at_even_if_nothing_else_happened(database: Database) -> None:
    await stories.create(database)
    topic = Topic("w")
    join(topic, "owner")
    await refresh(database, topic)
    late = join(topic, "stranger")
    await refresh(database, topic)
    assert late.revoked


async def test_who_joins_while_the_database_is_asked_is_looked_at_the_next_time(database: Database) -> None:
    """The answer is older than the join: a share that came between would look like none."""
    await stories.create(database)
    topic = Topic("w")
    join(topic, "owner")
    async with database.transaction() as connection:
        await connection.execute("SELECT 1")  # from here on it sees one moment
        await stories.share(database, "viewer")
        refreshing = asyncio.create_task(topics.refresh(connection, [topic], audit=True))
        await asyncio.sleep(0)
        late = join(topic, "viewer")
        await refreshing
    assert not late.checked.is_set()
    await refresh(database, topic)
    assert late.checked.is_set()
    assert not late.revoked


async def test_an_audit_finds_access_that_ended_without_a_trace(database: Database) -> None:
    await stories.create(database)
    await stories.share(database, "viewer")
    topic = Topic("w")
    viewer = join(topic, "viewer")
    await refresh(database, topic)
    async with database.connection() as connection:
        await connection.execute("DELETE FROM workflow_members")
    await refresh(database, topic)
    assert not viewer.revoked
    await refresh(database, topic, audit=True)
    assert viewer.revoked


@pytest.mark.parametrize("statement", ["UPDATE workflows SET purged_at = now(), revision = 1", "DELETE FROM workflows"])
async def test_a_workflow_that_is_gone_ends_every_stream(database: Database, statement: str) -> None:
    await stories.create(database)
    topic = Topic("w")
    owner = join(topic, "owner")
    await refresh(database, topic)
    async with database.connection() as connection:
        await connection.execute(f"DELETE FROM workflow_changes; {statement}")
    await refresh(database, topic)
    assert owner.revoked
