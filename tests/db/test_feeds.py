"""A feed tells its user what happened to every workflow that they may see, by comparing and nothing else."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import pytest

from db import feeds, members, workflows
from db.database import Connection, Database
from db.feeds import KEPT_EVENTS, Event, EventKind, Feed
from db.workflows import Role
from tests.db import stories
from tests.db.plans import explain, indexes, scanned


class Told(NamedTuple):
    """An event without its time."""

    id: str
    kind: str
    version: int | None
    by: str | None


async def refresh(database: Database, *known: Feed, hints: set[str] | None = None) -> None:
    async with database.transaction() as connection:
        await feeds.refresh(connection, known, hints)


async def filled(database: Database, user: str) -> Feed:
    feed = Feed(user)
    await refresh(database, feed)
    assert feed.filled.is_set()
    assert feed.position == 0
    return feed


async def told(database: Database, feed: Feed, hints: set[str] | None = None) -> list[Told]:
    """Have a feed look again, and give what it tells."""
    position = feed.position
    await refresh(database, feed, hints=hints)
    events = feed.after(position)
    assert events is not None
    return [Told(event.workflow_id, event.kind, event.version, event.by) for event in events]


async def test_what_was_there_before_is_not_told(database: Database) -> None:
    await stories.create(database)
    feed = await filled(database, "owner")
    assert await told(database, feed) == []


async def test_every_save_is_told_once(database: Database) -> None:
    await stories.create(database, "old")
    feed = await filled(database, "owner")
    await stories.create(database)
    await stories.save(database)
    await stories.save(database, "old")
    assert set(await told(database, feed)) == {
        ("w", "CREATED", 1, "owner"),
        ("w", "SAVED", 2, "owner"),
        ("old", "SAVED", 2, "owner"),
    }
    assert await told(database, feed) == []


async def test_the_saves_of_one_workflow_are_told_in_order_whatever_their_clocks_say(database: Database) -> None:
    feed = await filled(database, "owner")
    await stories.create(database)
    for _ in range(3):
        await stories.save(database)
    async with database.connection() as connection:
        await connection.execute("UPDATE workflow_changes SET saved_at = now() - version * interval '1 hour'")
    assert [event.version for event in await told(database, feed)] == [1, 2, 3, 4]


async def test_saves_of_several_workflows_are_told_in_the_order_of_time(database: Database) -> None:
    feed = await filled(database, "owner")
    for workflow_id in ("c", "a", "b"):
        await stories.create(database, workflow_id)
    assert [event.id for event in await told(database, feed)] == ["c", "a", "b"]


async def rename(connection: Connection) -> None:
    await workflows.rename(connection, "w", "owner", "Other")


async def trash(connection: Connection) -> None:
    await workflows.trash(connection, "w", "owner")


async def untrash(connection: Connection) -> None:
    await workflows.untrash(connection, "w", "owner")


async def purge(connection: Connection) -> None:
    await workflows.purge(connection, "w", "owner")


async def share(connection: Connection) -> None:
    await members.put(connection, "w", "friend", Role.VIEWER)
    await workflows.revise(connection, "w", "owner")


async def promote(connection: Connection) -> None:
    await members.put(connection, "w", "friend", Role.EDITOR)
    await workflows.revise(connection, "w", "owner")


async def unshare(connection: Connection) -> None:
    await members.remove(connection, "w", "friend")
    await workflows.revise(connection, "w", "owner")


Happening = Callable[[Connection], Awaitable[None]]


@pytest.mark.parametrize(
    ("before", "happening", "to_owner", "to_friend"),
    [
        ([share], rename, ("RENAMED", 1), ("RENAMED", 1)),
        ([share], trash, ("DELETED", 1), ("DELETED", 1)),
        ([share, trash], untrash, ("UNDELETED", 1), ("UNDELETED", 1)),
        ([share], purge, ("PURGED", None), ("PURGED", None)),
        ([], share, ("SHARED", 1), ("SHARED", 1)),
        ([share], promote, ("SHARED", 1), ("SHARED", 1)),
        ([share], unshare, ("UNSHARED", 1), ("UNSHARED", None)),
        ([], rename, ("RENAMED", 1), None),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
async def test_what_else_happens_is_told_to_owner_and_members(
    database: Database,
    before: list[Happening],
    happening: Happening,
    to_owner: tuple[str, int | None],
    to_friend: tuple[str, int | None] | None,
) -> None:
    await stories.create(database)
    async with database.connection() as connection:
        for earlier in before:
            await earlier(connection)
        owner, friend, stranger = [await filled(database, user) for user in ("owner", "friend", "stranger")]
        await happening(connection)
    assert await told(database, owner) == [("w", *to_owner, "owner")]
    assert await told(database, friend) == ([("w", *to_friend, "owner")] if to_friend else [])
    assert await told(database, stranger) == []


async def test_a_member_hears_of_saves_from_the_share_on(database: Database) -> None:
    await stories.create(database)
    await stories.save(database)
    feed = await filled(database, "friend")
    await stories.share(database, "friend")
    await stories.save(database)
    assert await told(database, feed) == [("w", "SHARED", 3, "owner")]
    await stories.save(database)
    assert await told(database, feed) == [("w", "SAVED", 4, "owner")]
    await stories.unshare(database, "friend")
    await stories.save(database)
    assert await told(database, feed) == [("w", "UNSHARED", None, "owner")]
    await stories.save(database)
    assert await told(database, feed) == []


async def test_one_look_serves_users_who_have_seen_different_things(database: Database) -> None:
    owner, friend = await filled(database, "owner"), await filled(database, "friend")
    await stories.create(database)
    await told(database, owner)
    await stories.share(database, "friend")
    await stories.save(database)
    await refresh(database, owner, friend, await filled(database, "stranger"))
    assert [event.kind for event in owner.after(1) or ()] == [EventKind.SAVED, EventKind.SHARED]
    assert [event.kind for event in friend.after(0) or ()] == [EventKind.SHARED]


async def test_nobody_is_told_again_what_others_have_yet_to_hear(database: Database) -> None:
    await stories.create(database)
    await stories.share(database, "friend")
    late, prompt = await filled(database, "owner"), await filled(database, "friend")
    await stories.save(database)
    await refresh(database, prompt)
    await stories.save(database)
    await refresh(database, late, prompt)
    assert [event.version for event in late.after(0) or ()] == [2, 3]
    assert [event.version for event in prompt.after(0) or ()] == [2, 3]


async def test_only_saves_that_somebody_must_be_told_are_read(database: Database) -> None:
    """A feed that does not know the workflow, of a stranger or a new member, needs nothing of its history."""
    await stories.create(database)
    for _ in range(5):
        await stories.save(database)
    owner, friend, stranger = [await filled(database, user) for user in ("owner", "friend", "stranger")]
    await stories.share(database, "friend")
    await stories.save(database)
    async with database.connection() as connection:
        now = (await feeds._looks(connection, [["w"]]))["w"]
        saves = await feeds._saves(connection, {owner: [now], friend: [now], stranger: []})
    assert [version for version, *_ in saves["w"]] == [7]


async def test_only_those_for_whom_something_changed_are_compared(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []
    visible = feeds._visible

    async def note(connection: Connection, found: Sequence[Feed], hints: set[str] | None) -> dict[str, feeds.Heads]:
        compared.extend(feed.user for feed in found)
        return await visible(connection, found, hints)

    await stories.create(database, "a", owner="owner")
    await stories.create(database, "b", owner="friend")
    both = [await filled(database, "owner"), await filled(database, "friend"), await filled(database, "stranger")]
    await refresh(database, *both)
    monkeypatch.setattr(feeds, "_visible", note)
    await refresh(database, *both)
    assert compared == []
    await stories.save(database, "b", owner="friend")
    await refresh(database, *both)
    assert compared == ["friend"]
    async with database.connection() as connection:
        await connection.execute("UPDATE workflows SET owner_id = 'stranger' WHERE id = 'b'")
    await refresh(database, *both)
    assert compared == ["friend", "friend", "stranger"]


async def test_what_a_hint_told_is_not_told_again(database: Database) -> None:
    await stories.create(database)
    feed = await filled(database, "owner")
    await refresh(database, feed)
    await stories.save(database)
    assert await told(database, feed, {"w"}) == [("w", "SAVED", 2, "owner")]
    assert await told(database, feed) == []


async def test_a_hint_has_only_its_workflows_looked_at(database: Database) -> None:
    feed = await filled(database, "owner")
    await stories.create(database, "a")
    await stories.create(database, "b")
    assert await told(database, feed, {"a", "unknown"}) == [("a", "CREATED", 1, "owner")]
    assert await told(database, feed, set()) == []
    assert await told(database, feed) == [("b", "CREATED", 1, "owner")]


async def test_a_hint_costs_nothing_for_all_that_listeners_own(database: Database) -> None:
    async with database.connection() as connection:
        await stories.crowd(connection)
        users = [f"{kind}{number}" for kind in "um" for number in range(100)]
        plan = await explain(connection, *feeds.visible_statement(users, {"w7", "w99"}))
    assert scanned(plan) == set()
    assert indexes(plan) == {"workflows_pkey", "workflow_members_pkey"}


async def test_a_row_that_was_deleted_by_hand_breaks_nothing(database: Database) -> None:
    await stories.create(database)
    feed = await filled(database, "owner")
    async with database.connection() as connection:
        await connection.execute("DELETE FROM workflow_changes; DELETE FROM workflows")
    assert await told(database, feed) == []
    await stories.create(database, "next")
    assert await told(database, feed) == [("next", "CREATED", 1, "owner")]


def test_who_is_too_far_behind_is_told_so() -> None:
    feed = Feed("owner")
    event = Event("w", EventKind.SAVED, 1, "owner", stories.entry(1).saved_at)
    feed.add([event] * KEPT_EVENTS)
    assert len(feed.after(0) or ()) == KEPT_EVENTS
    feed.add([event])
    assert feed.after(0) is None
    assert len(feed.after(1) or ()) == KEPT_EVENTS
    assert feed.after(feed.position) == []
