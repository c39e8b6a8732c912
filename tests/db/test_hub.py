"""The hub finds out whatever happens to notifications, connections and its own code."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from db import database as databases
from db import hub as hubs
from db import topics
from db.database import Database
from db.hub import Hub
from db.topics import Listener
from tests.db import stories
from tests.db.proxy import Proxy
from tests.facts import until

NEVER = 3_600.0


@pytest.fixture
def no_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only notifications, and what the hub looks for by itself, wake it."""
    monkeypatch.setattr(hubs, "POLL_SECONDS", NEVER)
    monkeypatch.setattr(hubs, "AUDIT_SECONDS", NEVER)


@pytest.fixture
async def proxied(database: Database) -> AsyncIterator[tuple[Proxy, Database]]:
    """A road to Postgres that can be closed, and the database at its end."""
    async with Proxy.run(database.url) as proxy, Database.open(proxy.url, pool_size=2) as far:
        yield proxy, far


async def heard(listener: Listener, version: int) -> None:
    """Wait until a listener's topic stands at a version."""
    await until(lambda: listener.topic.version == version)


@pytest.mark.usefixtures("no_polls")
async def test_a_hint_is_enough(database: Database, hub: Hub) -> None:
    await stories.create(database)
    async with hub.listen("w", "owner") as listener:
        await stories.save(database)
        hub.hint(["w"])
        await heard(listener, 2)


@pytest.mark.usefixtures("no_polls")
async def test_an_announcement_reaches_every_process(database: Database, hub: Hub) -> None:
    await stories.create(database)
    async with Hub.open(database) as elsewhere, elsewhere.listen("w", "owner") as far, hub.listen("w", "owner") as near:
        await stories.save(database)
        await hub.announce("w")
        await heard(near, 2)
        await heard(far, 2)


async def test_what_nobody_announced_is_found(database: Database, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "POLL_SECONDS", 0.05)
    await stories.create(database)
    async with hub.listen("w", "owner") as listener, hub.feed("owner") as feed:
        await stories.save(database)
        await heard(listener, 2)
        await until(lambda: feed.position == 1)


async def test_hints_without_end_do_not_put_the_poll_off(
    database: Database, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "POLL_SECONDS", 0.05)
    await stories.create(database)

    async def chatter() -> None:
        while True:
            hub.hint(["other"])
            await asyncio.sleep(0)

    chatting = asyncio.create_task(chatter())
    async with hub.listen("w", "owner") as listener:
        await stories.save(database)
        await heard(listener, 2)
    chatting.cancel()


@pytest.mark.usefixtures("no_polls")
async def test_a_hint_that_comes_while_the_hub_looks_is_not_lost(
    database: Database, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stories.create(database)
    look = topics.refresh

    async def look_and_be_overtaken(*arguments: object, **options: object) -> None:
        await look(*arguments, **options)  # type: ignore[arg-type]
        if not overtaken:
            overtaken.append(await stories.save(database))
            hub.hint(["w"])

    overtaken: list[int] = []
    async with hub.listen("w", "owner") as listener:
        monkeypatch.setattr(topics, "refresh", look_and_be_overtaken)
        hub.hint(["w"])
        await heard(listener, 2)


@pytest.mark.usefixtures("no_polls")
async def test_who_joins_while_the_hub_looks_is_let_in_at_once(
    database: Database, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stories.create(database)
    look, looking, go_on = topics.refresh, asyncio.Event(), asyncio.Event()

    async def look_slowly(*arguments: object, **options: object) -> None:
        looking.set()
        await look(*arguments, **options)  # type: ignore[arg-type]
        await go_on.wait()

    monkeypatch.setattr(topics, "refresh", look_slowly)

    async def join(user: str) -> None:
        async with asyncio.timeout(20), hub.listen("w", user), hub.feed(user):
            pass

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(join("owner"))
        await looking.wait()
        tasks.create_task(join("owner"))
        tasks.create_task(join("stranger"))
        await asyncio.sleep(0)
        go_on.set()
    assert (hub.topics, hub.feeds) == ({}, {})


@pytest.mark.usefixtures("no_polls")
async def test_a_listening_connection_that_is_killed_is_replaced(
    database: Database, proxied: tuple[Proxy, Database], caplog: pytest.LogCaptureFixture
) -> None:
    _, far = proxied
    await stories.create(database)
    async with Hub.open(far) as hub, hub.listen("w", "owner") as listener, database.connection() as connection:
        mine = "datname = current_database() AND application_name = $1"

        async def is_idle() -> bool:
            state = f"SELECT state = 'idle' FROM pg_stat_activity WHERE {mine}"
            return bool(await connection.fetchval(state, hubs.APPLICATION))

        await until(is_idle)
        kill = f"SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE {mine}"
        killed = await connection.fetchval(kill, hubs.APPLICATION)
        assert killed == 1
        await stories.save(database)
        await heard(listener, 2)
    assert [record.levelname for record in caplog.records if record.name == "db.hub"] == ["WARNING"]


@pytest.mark.usefixtures("no_polls")
async def test_whatever_happens_while_postgres_is_away_is_found_afterwards(
    database: Database, proxied: tuple[Proxy, Database]
) -> None:
    proxy, far = proxied
    await stories.create(database)
    async with Hub.open(far) as hub, hub.listen("w", "owner") as listener, hub.feed("owner") as feed:
        proxy.stop()
        await stories.save(database)
        await proxy.has_refused(2)
        proxy.start()
        await heard(listener, 2)
        await until(lambda: feed.position == 1)


async def test_a_connection_that_no_longer_answers_is_given_up(
    database: Database, proxied: tuple[Proxy, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(hubs, "ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(databases, "CLOSE_SECONDS", 0.1)
    proxy, far = proxied
    await stories.create(database)
    async with Hub.open(far) as hub, hub.listen("w", "owner") as listener:
        proxy.freeze()
        await stories.save(database)
        await heard(listener, 2)


async def test_an_audit_looks_at_everybody_whatever_woke_the_hub(
    database: Database, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "POLL_SECONDS", NEVER)
    monkeypatch.setattr(hubs, "AUDIT_SECONDS", 0.0)
    await stories.create(database)
    await stories.share(database, "viewer")
    async with hub.listen("w", "viewer") as listener:
        async with database.connection() as connection:
            await connection.execute("DELETE FROM workflow_members")
        hub.hint(["other"])
        await until(lambda: listener.revoked)


async def test_an_unforeseen_error_is_logged_and_the_hub_goes_on(
    database: Database, hub: Hub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await stories.create(database)
    async with hub.listen("w", "owner") as listener:
        look = topics.refresh

        async def fail(*_: object, **__: object) -> None:
            monkeypatch.setattr(topics, "refresh", look)
            raise KeyError("w")

        monkeypatch.setattr(topics, "refresh", fail)
        await stories.save(database)
        hub.hint(["w"])
        await heard(listener, 2)
    (record,) = (record for record in caplog.records if record.name == "db.hub")
    assert record.levelname == "ERROR"
    assert record.exc_info


async def test_what_nobody_listens_to_any_more_is_forgotten(database: Database, hub: Hub) -> None:
    await stories.create(database)
    async with hub.listen("w", "owner") as first:
        async with hub.listen("w", "owner") as second, hub.feed("owner"), hub.feed("owner"):
            assert first.topic is second.topic
            assert hub.feeds.keys() == {"owner"}
        assert hub.topics.keys() == {"w"}
    assert (hub.topics, hub.feeds) == ({}, {})


async def test_who_leaves_before_they_were_let_in_leaves_nothing(proxied: tuple[Proxy, Database]) -> None:
    proxy, far = proxied
    proxy.stop()

    async def join() -> None:
        async with hub.listen("w", "owner"), hub.feed("owner"):
            pass

    async with Hub.open(far) as hub:
        joining = asyncio.create_task(join())
        await proxy.has_refused(1)
        assert hub.topics.keys() == {"w"}
        joining.cancel()
        await asyncio.gather(joining, return_exceptions=True)
        assert (hub.topics, hub.feeds) == ({}, {})


async def test_a_closed_hub_leaves_neither_connection_nor_task(proxied: tuple[Proxy, Database]) -> None:
    proxy, far = proxied
    assert await far.answers(within=20)
    before, others = proxy.connections, asyncio.all_tasks()
    async with Hub.open(far) as hub, hub.feed("owner"):
        assert proxy.connections == before + 1
        assert len({task.get_name() for task in asyncio.all_tasks()} & {"hub", "presence here"}) == 2
    await until(lambda: proxy.connections == before)
    assert not asyncio.all_tasks() - others
