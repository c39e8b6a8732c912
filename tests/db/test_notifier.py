"""One NOTIFY tells of many saves, and a save is none the worse for one that fails."""

import asyncio
import json
from collections.abc import AsyncIterator

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db import database as databases
from db import notifier
from db.database import Database
from db.notifier import PAYLOAD_BYTES, Notifier
from tests.db.proxy import Proxy
from tests.facts import until

Heard = asyncio.Queue[list[str]]

IDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=128)


@pytest.fixture
async def heard(database: Database) -> AsyncIterator[Heard]:
    """What another process hears."""
    queue: Heard = asyncio.Queue()
    connection = await asyncpg.connect(database.url)
    await connection.add_listener(notifier.CHANNEL, lambda *event: queue.put_nowait(json.loads(event[-1])))
    yield queue
    await connection.close()


@given(st.sets(IDS, max_size=200))
def test_payloads_hold_each_id_once_and_fit(ids: set[str]) -> None:
    payloads = notifier.payloads(ids)
    assert sorted(workflow_id for payload in payloads for workflow_id in json.loads(payload)) == sorted(ids)
    assert all(len(payload.encode()) < PAYLOAD_BYTES for payload in payloads)


def test_payloads_are_as_few_as_can_be() -> None:
    assert notifier.payloads(set()) == []
    assert len(notifier.payloads({f"{number:036}" for number in range(190)})) == 1
    assert len(notifier.payloads({f"{number:036}" for number in range(1_000)})) == 6


async def test_postgres_takes_the_longest_payload(database: Database, heard: Heard) -> None:
    ids = {f"{number:04}" + "🦊" * 124 for number in range(50)}
    messenger = Notifier(database)
    await asyncio.gather(*map(messenger.announce, ids))
    told: set[str] = set()
    while told != ids:
        told |= set(await heard.get())


async def test_what_is_announced_meanwhile_goes_into_one_notification(
    migrated_url: str, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = 0
    send = Notifier._send

    async def count(messenger: Notifier) -> None:
        nonlocal sent
        sent += 1
        await send(messenger)

    monkeypatch.setattr(Notifier, "_send", count)
    async with Database.open(migrated_url, pool_size=1) as narrow, asyncio.TaskGroup() as tasks:
        messenger = Notifier(narrow)
        async with narrow.connection():
            tasks.create_task(messenger.announce("first"))
            await until(lambda: sent == 1)
            for workflow_id in ("b", "c", "d", "b"):
                tasks.create_task(messenger.announce(workflow_id))
            await until(lambda: len(messenger._waiting) == 3)
        assert await heard.get() == ["first"]
        assert await heard.get() == ["b", "c", "d"]
    assert sent == 2


async def test_an_announcement_returns_when_it_was_made(database: Database, heard: Heard) -> None:
    await Notifier(database).announce("w")
    assert await asyncio.wait_for(heard.get(), 20) == ["w"]


async def test_who_gives_up_leaves_the_announcement_under_way(migrated_url: str, heard: Heard) -> None:
    async with Database.open(migrated_url, pool_size=1) as narrow:
        messenger = Notifier(narrow)
        async with narrow.connection():
            leaving = asyncio.create_task(messenger.announce("a"))
            await asyncio.sleep(0)
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
        await messenger.announce("b")
        assert [await heard.get(), await heard.get()] == [["a"], ["b"]]


@pytest.mark.parametrize("is_noticed", [False, True], ids=["under way", "already gone"])
async def test_an_announcement_that_fails_is_logged_and_no_error(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, is_noticed: bool
) -> None:
    monkeypatch.setattr(databases, "RESTART_SECONDS", 0.0)
    async with Proxy.run(database.url) as proxy, Database.open(proxy.url, pool_size=1) as away:
        assert await away.answers(within=20)
        proxy.stop()
        if is_noticed:
            await until(lambda: not away.pool.get_size())
        await Notifier(away).announce("w")
    (record,) = (record for record in caplog.records if record.name == "db.notifier")
    assert "Could not announce 1 saves" in record.getMessage()


@pytest.mark.parametrize("waiting_for", ["a connection", "its turn"])
async def test_a_save_is_answered_though_its_announcement_hangs(
    migrated_url: str,
    heard: Heard,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    waiting_for: str,
) -> None:
    async with Database.open(migrated_url, pool_size=1) as narrow:
        messenger = Notifier(narrow)
        async with narrow.connection() if waiting_for == "a connection" else messenger._turn:
            with monkeypatch.context() as hurry:
                hurry.setattr(notifier, "ANNOUNCE_SECONDS", 0.01)
                await messenger.announce("a")
        await messenger.announce("b")
    assert await heard.get() == ["a", "b"]
    (record,) = (record for record in caplog.records if record.name == "db.notifier")
    assert record.levelname == "WARNING"
