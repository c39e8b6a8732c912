"""Who is there is known in every process within the time of one NOTIFY, and is right again after whatever happens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import pytest

from db import bulletins, presence
from db import hub as hubs
from db.database import Database
from db.hub import Hub
from db.notifier import PAYLOAD_BYTES
from db.presence import Presence
from db.rooms import NAME_CHARACTERS, SHOWN_TABS, Look, Place
from tests.db.proxy import Proxy
from tests.facts import until

NEVER = 3_600.0
PLACE = ("w", "ada", "tab")
LONGEST_STATE = b'"' + b"x" * 4094 + b'"'


@pytest.fixture
def no_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what happens is told, and nobody looks for anything by themselves."""
    monkeypatch.setattr(presence, "BEAT_SECONDS", NEVER)
    monkeypatch.setattr(hubs, "POLL_SECONDS", NEVER)
    monkeypatch.setattr(hubs, "AUDIT_SECONDS", NEVER)


@pytest.fixture
def quick_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that fall silent are missed soon."""
    monkeypatch.setattr(presence, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(presence, "LOST_SECONDS", 0.5)


@pytest.fixture
async def here(hub: Hub) -> Presence:
    """What one process knows."""
    return hub.presence


@pytest.fixture
async def there(database: Database) -> AsyncIterator[Presence]:
    """What another process knows."""
    async with Hub.open(database) as hub:
        yield hub.presence


@pytest.fixture
async def proxied(database: Database) -> AsyncIterator[tuple[Proxy, Presence]]:
    """A process whose road to Postgres can be closed."""
    async with (
        Proxy.run(database.url) as proxy,
        Database.open(proxy.url, pool_size=2) as far,
        Hub.open(far) as hub,
    ):
        yield proxy, hub.presence


def seen(known: Presence, workflow_id: str = "w") -> dict[Place, bytes]:
    """Say who is there, as far as a process knows, and what they show."""
    with known.watching(workflow_id) as room:
        return {place: bytes(tab.look.state) for place, tab in room.tabs.items()}


async def sees(known: Presence, *places: Place) -> None:
    """Wait until a process knows just these tabs to be there."""
    await until(lambda: seen(known).keys() == set(places))


async def shows(known: Presence, state: bytes, place: Place = PLACE) -> None:
    """Wait until a process knows what a tab shows."""
    await until(lambda: seen(known).get(place) == state)


@asynccontextmanager
async def reader(known: Presence) -> AsyncIterator[list[int]]:
    """Count who is there each time that those are told who watch, from now on."""
    counts: list[int] = []
    with known.watching("w") as room:
        await until(lambda: not room.is_restless)

        class Reader:
            def wake(self) -> None:
                counts.append(len(room.gathering().tabs))

        room.followers["reader"] = Reader()
        yield counts


@pytest.mark.usefixtures("no_beats")
async def test_who_comes_says_something_and_leaves_is_seen_in_every_process(here: Presence, there: Presence) -> None:
    here.join(PLACE, "Ada")
    await sees(there, PLACE)
    assert here.say(PLACE, b'{"x":1}')
    await shows(there, b'{"x":1}')
    here.leave(PLACE)
    await sees(there)
    assert seen(here) == {}


@pytest.mark.usefixtures("no_beats")
async def test_what_a_tab_shows_may_be_said_in_any_process(here: Presence, there: Presence) -> None:
    here.join(PLACE, "Ada")
    await sees(there, PLACE)
    for number, known in enumerate([there, here, there]):
        assert known.say(PLACE, b"%d" % number)
        await shows(here, b"%d" % number)
        await shows(there, b"%d" % number)


async def test_nothing_can_be_said_for_who_is_not_there(here: Presence) -> None:
    here.join(PLACE, "Ada")
    assert not here.say(("w", "ada", "another tab"), b"1")
    assert not here.say(("w", "bob", "tab"), b"1")
    assert not here.say(("another", "ada", "tab"), b"1")
    here.leave(PLACE)
    assert not here.say(PLACE, b"1")


@pytest.mark.usefixtures("no_beats")
async def test_two_users_with_tabs_of_one_name_and_two_tabs_of_one_user_are_all_there(
    here: Presence, there: Presence
) -> None:
    places = [("w", "ada", "tab"), ("w", "ada", "other"), ("w", "bob", "tab")]
    for place in places:
        here.join(place, None)
    await sees(there, *places)
    here.leave(places[0])
    await sees(there, *places[1:])


async def test_a_new_process_is_told_who_is_there(database: Database, here: Presence) -> None:
    here.join(PLACE, "Ada")
    here.say(PLACE, b"1")
    async with Hub.open(database) as late:
        async with asyncio.timeout(1):
            await shows(late.presence, b"1")


@pytest.mark.usefixtures("no_beats")
async def test_a_tab_in_two_processes_is_there_until_it_has_left_both(here: Presence, there: Presence) -> None:
    here.join(PLACE, "Ada")
    here.say(PLACE, b"1")
    await shows(there, b"1")
    there.join(PLACE, "Ada")
    here.join(("w", "ada", "last"), None)
    await until(lambda: there.process in here.peers and here.peers[there.process].places == {PLACE})
    here.leave(PLACE)
    await until(lambda: PLACE not in there.peers[here.process].places)
    assert seen(here)[PLACE] == seen(there)[PLACE] == b"1"
    there.leave(PLACE)
    await sees(here, ("w", "ada", "last"))


async def test_a_tab_that_listens_twice_is_there_once_and_as_long_as_either(here: Presence) -> None:
    here.join(PLACE, "Ada")
    here.join(PLACE, "Ada")
    here.leave(PLACE)
    assert len(seen(here)) == 1
    here.leave(PLACE)
    assert seen(here) == {}


@pytest.mark.usefixtures("no_beats")
async def test_a_process_that_ends_says_that_its_tabs_are_gone(database: Database, here: Presence) -> None:
    async with Hub.open(database) as hub:
        hub.presence.join(PLACE, "Ada")
        await sees(here, PLACE)
    await sees(here)


async def test_a_process_ends_though_postgres_is_away(
    database: Database, here: Presence, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "FAREWELL_SECONDS", 0.1)
    async with Proxy.run(database.url) as proxy, Database.open(proxy.url, pool_size=2) as far:
        async with Hub.open(far) as hub:
            hub.presence.join(PLACE, "Ada")
            await sees(here, PLACE)
            proxy.stop()
        hub.presence.leave(PLACE)  # as somebody does who is only cut off after that
    assert seen(hub.presence) == {}


@pytest.mark.usefixtures("quick_beats")
async def test_a_process_that_dies_takes_its_tabs_with_it_and_those_of_others_stay(
    here: Presence, there: Presence
) -> None:
    there.join(("w", "bob", "tab"), None)
    (payload,) = bulletins.payloads("dead", [bulletins.News(PLACE, True, Look.new("Ada"))], 1, whole=False, asks=False)
    here.hear(payload)
    await sees(here, PLACE, ("w", "bob", "tab"))
    await sees(here, ("w", "bob", "tab"))
    assert "dead" not in here.peers
    assert there.process in here.peers


@pytest.mark.usefixtures("quick_beats")
async def test_a_process_that_was_only_slow_comes_back(
    here: Presence, there: Presence, monkeypatch: pytest.MonkeyPatch
) -> None:
    there.join(PLACE, "Ada")
    await sees(here, PLACE)
    with monkeypatch.context() as hasty:
        hasty.setattr(presence, "LOST_SECONDS", -1.0)
        await sees(here)
    await sees(here, PLACE)


@pytest.mark.usefixtures("quick_beats")
async def test_whoever_missed_that_a_tab_left_finds_out(here: Presence, there: Presence) -> None:
    there.join(PLACE, "Ada")
    ghost = ("w", "ada", "ghost")
    (payload,) = bulletins.payloads(
        there.process, [bulletins.News(ghost, True, Look.new("Ada"))], 2, whole=False, asks=False
    )
    here.hear(payload)
    assert ghost in seen(here)
    await sees(here, PLACE)


@pytest.mark.usefixtures("no_beats")
async def test_who_listens_again_lists_its_tabs_as_the_others_may_have_missed_some(
    proxied: tuple[Proxy, Presence], here: Presence
) -> None:
    proxy, far = proxied
    far.join(PLACE, "Ada")
    await sees(here, PLACE)
    ghost = ("w", "ada", "ghost")
    news = [bulletins.News(PLACE, False), bulletins.News(ghost, True, Look.new("Ada"))]
    (payload,) = bulletins.payloads(far.process, news, 1, whole=False, asks=False)
    here.hear(payload)
    await sees(here, ghost)
    proxy.stop()
    await proxy.has_refused(2)
    proxy.start()
    await sees(here, PLACE)


async def test_the_newest_is_shown_in_whatever_order_it_is_heard(here: Presence) -> None:
    old = Look.new("Ada").saying(b"1")
    new = old.saying(b"2")
    for look in (new, old):
        (payload,) = bulletins.payloads("p", [bulletins.News(PLACE, True, look)], 1, whole=False, asks=False)
        here.hear(payload)
    assert seen(here) == {PLACE: b"2"}


async def test_what_is_said_later_counts_though_the_clock_was_ahead_elsewhere(here: Presence) -> None:
    here.join(PLACE, "Ada")
    ahead = Look.new("Ada").saying(b"1")
    ahead = Look(ahead.name, ahead.since, ahead.at + timedelta(hours=1), ahead.state)
    (payload,) = bulletins.payloads("p", [bulletins.News(PLACE, None, ahead)], 0, whole=False, asks=False)
    here.hear(payload)
    assert seen(here) == {PLACE: b"1"}
    assert here.say(PLACE, b"2")
    assert seen(here) == {PLACE: b"2"}


async def test_what_happens_while_postgres_is_away_is_told_afterwards(
    proxied: tuple[Proxy, Presence], here: Presence
) -> None:
    proxy, far = proxied
    far.join(PLACE, "Ada")
    here.join(("w", "bob", "here"), None)
    await sees(here, PLACE, ("w", "bob", "here"))
    await sees(far, PLACE, ("w", "bob", "here"))
    proxy.stop()
    far.say(PLACE, b"1")
    far.join(("w", "ada", "new"), None)
    here.leave(("w", "bob", "here"))
    await proxy.has_refused(2)
    proxy.start()
    await sees(here, PLACE, ("w", "ada", "new"))
    await sees(far, PLACE, ("w", "ada", "new"))
    await shows(here, b"1")


async def test_a_flood_of_what_one_tab_shows_is_told_a_few_times(here: Presence, there: Presence) -> None:
    here.join(PLACE, "Ada")
    await sees(there, PLACE)
    loop = asyncio.get_running_loop()
    async with reader(here) as near, reader(there) as far:
        began = loop.time()
        for number in range(5_000):
            here.say(PLACE, b"%d" % number)
            await asyncio.sleep(0)
        await shows(there, b"4999")
        most = (loop.time() - began) / presence.PAUSE_SECONDS + 2
    assert 1 <= len(near) <= most
    assert 1 <= len(far) <= most


async def test_a_crowd_is_told_less_often(here: Presence, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "CROWD_SECONDS", 0.05)
    for number in range(10):
        here.join(("w", "ada", str(number)), None)
    loop = asyncio.get_running_loop()
    async with reader(here) as told:
        began = loop.time()
        while len(told) < 3:
            here.say(("w", "ada", "0"), b"1")
            await asyncio.sleep(0.01)
        assert loop.time() - began > 0.5
    assert set(told) == {10}


async def test_the_first_two_hundred_are_shown_and_the_same_in_every_process(here: Presence, there: Presence) -> None:
    for number in range(SHOWN_TABS + 10):
        here.join(("w", "ada", f"tab {number:03}"), None)
    await until(lambda: len(seen(there)) == SHOWN_TABS + 10)
    with here.watching("w") as near, there.watching("w") as far:
        await until(lambda: not near.is_restless and not far.is_restless)
        assert near.gathering().tabs == far.gathering().tabs
        assert [place[-1] for place, _ in near.gathering().tabs] == [f"tab {n:03}" for n in range(SHOWN_TABS)]


@pytest.mark.usefixtures("no_beats")
async def test_what_is_listed_again_is_no_news(database: Database, here: Presence, there: Presence) -> None:
    here.join(PLACE, "Ada")
    await sees(there, PLACE)
    async with reader(there) as told:
        async with Hub.open(database) as late:
            await sees(late.presence, PLACE)
        here.join(("w", "bob", "tab"), None)
        await until(lambda: len(told) == 1)
    assert told == [2]


async def test_a_room_in_which_nobody_is_is_forgotten(here: Presence, there: Presence) -> None:
    here.join(PLACE, "Ada")
    await sees(there, PLACE)
    here.say(PLACE, b"1")
    here.leave(PLACE)
    await sees(there)
    assert not here.say(PLACE, b"1")
    assert (here.rooms, there.rooms, here.own) == ({}, {}, {})


def longest(number: int) -> bulletins.News:
    """Make news of a tab whose ids, name and state are as long as they may be, and worse to write than any other."""
    place = ("\x01" * 128, "\x02" * 255, f"{number:03}".rjust(128, "\x03"))
    return bulletins.News(place, is_own=True, look=Look.new("\x04" * 1_000).saying(LONGEST_STATE))


@pytest.mark.parametrize("count", [0, 1, 2, 20])
def test_news_of_any_length_fit_into_payloads(count: int) -> None:
    news = [longest(number) for number in range(count)]
    payloads = bulletins.payloads("f" * 32, news, 10**6, whole=True, asks=True)
    assert max(len(payload.encode()) for payload in payloads) <= PAYLOAD_BYTES
    read = [bulletins.read(payload) for payload in payloads]
    assert [each.place for part in read for each in part.news] == [each.place for each in news]
    assert [part.count for part in read] == [None] * (len(read) - 1) + [10**6]


def test_short_news_share_a_payload() -> None:
    news = [bulletins.News(("w", "ada", str(n)), is_own=True, look=Look.new("Ada")) for n in range(50)]
    assert len(bulletins.payloads("f" * 32, news, 50, whole=False, asks=False)) == 1


@pytest.mark.usefixtures("no_beats")
async def test_a_whole_crowd_is_told_in_several_payloads(database: Database, here: Presence) -> None:
    crowd = [("w", "ada", str(number)) for number in range(100)]
    async with AsyncExitStack() as stack:
        for place in crowd:
            here.join(place, "Ada")
            here.say(place, LONGEST_STATE)
        late = await stack.enter_async_context(Hub.open(database))
        await sees(late.presence, *crowd)
        assert set(seen(late.presence).values()) == {LONGEST_STATE}


def test_a_long_name_is_cut() -> None:
    assert Look.new("x" * 1_000).name == "x" * NAME_CHARACTERS
    assert Look.new(None).name is None
