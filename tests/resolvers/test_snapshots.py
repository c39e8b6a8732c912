"""Snapshots that lag behind the saves: when they are brought up, by whom, and that nobody who reads can tell."""

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

import pytest

from db import journal
from db import snapshots as stored
from db.database import CONNECTION_ERRORS, Connection, Database
from db.journal import Entry
from db.retention import Retention
from db.workflows import Role
from merge import values
from merge.changes import Change
from resolvers import errors, history, snapshots, subscriptions, sync, workflows
from resolvers.context import Context
from resolvers.saver import Saver
from resolvers.saves import Save, Status
from resolvers.snapshots import Lag
from tests.documents import Document
from tests.facts import somebody_waits, until
from tests.resolvers import stores
from tests.resolvers.conftest import CACHE_BYTES


def document(n: int) -> Document:
    return {"blocks": {"a": {"x": n}}, "edges": []}


async def grow(context: Context, first: int, last: int, workflow_id: str = "w") -> None:
    """Save until so many versions are there, each with its number in it."""
    for n in range(first, last + 1):
        answer = await sync.sync(context, Save(workflow_id, document(n), base_version=n - 1, client_id="tab"))
        assert answer.version == n


async def shows(context: Context, workflow_id: str = "w") -> int:
    """Say which version a snapshot shows."""
    (row,) = await stores.rows(context.database, "workflows", workflow_id)
    return int(row["state_version"])


async def is_shown(context: Context) -> bool:
    return await stores.lagging(context.database) == []


@asynccontextmanager
async def process(context: Context, *, every: int = 0) -> AsyncIterator[Context]:
    """A process of its own, which stops when the block ends."""
    async with Saver.open(context.database, cache_bytes=CACHE_BYTES, snapshot_every=every) as saver:
        yield replace(context, saver=saver)


async def crash(context: Context) -> None:
    """Have a process forget what it has left behind."""
    context.saver.snapshots.lags.clear()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Have processes look again and again for what is due, and nothing be due."""
    monkeypatch.setattr(snapshots, "TICK_SECONDS", 0.01)
    monkeypatch.setattr(snapshots, "QUIET_SECONDS", math.inf)
    monkeypatch.setattr(snapshots, "SWEEP_SECONDS", math.inf)
    return monkeypatch


# When


@pytest.mark.usefixtures("workflow")
async def test_a_save_leaves_the_snapshot_behind(owner: Context) -> None:
    await grow(owner, 2, 6)
    (row,) = await stores.rows(owner.database, "workflows")
    assert (row["version"], row["state_version"], row["state"]) == (6, 1, document(1))
    assert await stores.document(owner) == document(6)


@pytest.mark.parametrize(
    ("journal", "document", "quiet", "due"),
    [
        (snapshots.LEAST_BYTES, 1, 0, False),
        (snapshots.LEAST_BYTES + 1, 1, 0, True),
        (4_000_000, 1_000_000, 0, False),
        (4_000_001, 1_000_000, 0, True),
        (1, 1_000_000, snapshots.QUIET_SECONDS, False),
        (1, 1_000_000, snapshots.QUIET_SECONDS + 1, True),
    ],
)
def test_a_snapshot_is_due_by_weight_or_when_nobody_saves(
    journal: int, document: int, quiet: float, *, due: bool
) -> None:
    assert Lag(journal, document, saved_at=100.0).is_due(100.0 + quiet) is due


async def test_a_snapshot_is_brought_up_when_the_journal_outweighs_it(
    owner: Context, quick: pytest.MonkeyPatch
) -> None:
    quick.setattr(snapshots, "LEAST_BYTES", 2_000)
    async with process(owner) as context:
        await sync.sync(context, Save("w", document(1)))
        await grow(context, 2, 4)
        lag = context.saver.snapshots.lags["w"]
        assert 0 < lag.journal < 2_000
        assert lag.document >= len(str(document(4)).replace(" ", ""))
        await grow(context, 5, 60)
        await until(lambda: context.saver.snapshots.folded > 0)
    assert await is_shown(owner)


async def test_a_snapshot_is_brought_up_when_its_workflow_is_quiet(owner: Context, quick: pytest.MonkeyPatch) -> None:
    async with process(owner) as context:
        await sync.sync(context, Save("w", document(1)))
        await grow(context, 2, 4)
        quick.setattr(snapshots, "QUIET_SECONDS", 0)
        await until(lambda: is_shown(context))
        assert context.saver.snapshots.lags == {}


@pytest.mark.usefixtures("quick")
async def test_a_process_that_stops_leaves_nothing_behind(owner: Context) -> None:
    async with process(owner) as context:
        for name in ("v", "w"):
            await sync.sync(context, Save(name, document(1)))
            await grow(context, 2, 4, name)
        assert await stores.lagging(owner.database) == ["v", "w"]
    assert await is_shown(owner)


@pytest.mark.usefixtures("workflow")
async def test_what_a_killed_process_left_behind_is_brought_up_by_others(
    owner: Context, quick: pytest.MonkeyPatch
) -> None:
    await grow(owner, 2, 4)
    await crash(owner)
    quick.setattr(snapshots, "SWEEP_SECONDS", 0)
    async with process(owner) as other:
        await until(lambda: is_shown(owner))
        assert other.saver.snapshots.folded == 1


@pytest.mark.usefixtures("workflow")
async def test_what_failed_is_tried_again(
    owner: Context, quick: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failures = [LookupError("broken"), CONNECTION_ERRORS[0]("lost")]
    write = stored.write

    async def failing(connection: Connection, workflow_id: str, version: int, state: bytes) -> None:
        if failures:
            raise failures.pop()
        await write(connection, workflow_id, version, state)

    quick.setattr(stored, "write", failing)
    async with process(owner) as context:
        await grow(context, 2, 4)
        quick.setattr(snapshots, "QUIET_SECONDS", 0)
        await until(lambda: is_shown(context))
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.ERROR]


@pytest.mark.usefixtures("workflow")
async def test_a_workflow_that_is_purged_meanwhile_is_none_s_business(
    owner: Context, caplog: pytest.LogCaptureFixture
) -> None:
    async with process(owner) as context:
        await grow(context, 2, 4)
        await workflows.purge(context, "w")
    assert not caplog.records
    (row,) = await stores.rows(owner.database, "workflows")
    assert (row["state"], row["state_version"]) == ({}, 0)


# By whom


@pytest.mark.usefixtures("workflow")
async def test_of_two_processes_one_brings_a_snapshot_up(owner: Context, elsewhere: Context) -> None:
    await grow(owner, 2, 4)
    async with owner.database.transaction() as other:
        assert await stored.claim(other, "w") == (4, 1)
        assert await snapshots.fold(owner.database, owner.saver.states, "w") is False
        assert await shows(owner) == 1
    outcomes = await asyncio.gather(
        *(snapshots.fold(context.database, context.saver.states, "w") for context in (owner, elsewhere) * 3)
    )
    assert sum(outcomes) == 1
    assert await is_shown(owner)


@pytest.mark.usefixtures("workflow")
async def test_who_needs_a_snapshot_waits_for_whoever_is_at_it(owner: Context) -> None:
    await grow(owner, 2, 4)
    async with owner.database.transaction() as other:
        await stored.claim(other, "w")
        waiting = asyncio.create_task(stores.fold(owner))
        async with owner.database.connection() as connection:
            await until(lambda: somebody_waits(connection))
        assert not waiting.done()
    await waiting
    assert await is_shown(owner)


@pytest.mark.usefixtures("workflow")
async def test_snapshots_that_are_brought_up_during_saves_never_go_back(owner: Context, elsewhere: Context) -> None:
    seen = []

    async def fold(context: Context) -> None:
        while not done:
            await snapshots.fold(context.database, context.saver.states, "w")
            seen.append(await shows(owner))

    done: list[bool] = []
    folding = [asyncio.create_task(fold(context)) for context in (owner, elsewhere)]
    for n in range(2, 60, 2):
        await asyncio.gather(
            sync.sync(owner, Save("w", changes=(Change(("n",), value=n),), base_version=1, client_id="one")),
            sync.sync(elsewhere, Save("w", changes=(Change(("m",), value=n),), base_version=1, client_id="two")),
        )
    done.append(True)
    await asyncio.gather(*folding)
    assert len(set(seen)) > 2
    assert all(before <= after for before, after in zip(seen[:-2], seen[2:], strict=True))
    await stores.fold(owner)
    assert await is_shown(owner)
    assert await stores.versions(owner.database) == list(range(1, 60))


@pytest.mark.usefixtures("workflow")
async def test_a_snapshot_that_is_brought_up_slowly_does_not_hide_a_newer_one(
    owner: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its writer was overtaken by a save that writes the snapshot itself, as in a process with another setting."""
    await grow(owner, 2, 4)
    write = stored.write

    async def late(connection: Connection, workflow_id: str, version: int, state: bytes) -> None:
        async with process(owner, every=1) as eager:
            await grow(eager, 5, 6)
        await write(connection, workflow_id, version, state)

    monkeypatch.setattr(stored, "write", late)
    await stores.fold(owner)
    assert await shows(owner) == 6
    assert await is_shown(owner)


# What is read meanwhile


async def read(context: Context, version: int) -> object:
    return await history.state(context, "w", version)


async def read_text(context: Context, version: int) -> object:
    return values.parse((await history.text(context, "w", version)).data)


async def difference(context: Context, start: int, end: int | None) -> object:
    return await history.difference(context, await workflows.visible(context, "w"), start, end)


async def copied(context: Context) -> object:
    await workflows.duplicate(context, "w", "copy", None)
    return await stores.document(context, "copy")


async def restored(context: Context, version: int) -> object:
    await history.restore(context, "w", version, None)
    return await stores.document(context)


async def undone(context: Context, version: int) -> object:
    await history.undo(context, "w", version, None)
    return await stores.document(context)


async def found(context: Context, n: int) -> object:
    page = await workflows.page(context, containing={"blocks": {"a": {"x": n}}})
    return [head.id for head in page.heads]


async def heard(context: Context, since: int) -> object:
    async with aclosing(subscriptions.saves(context, "w", since=since, except_client=None)) as stream:
        return [(await anext(stream)).version for _ in range(3)]


READS: dict[str, tuple[Callable[[Context], Awaitable[object]], object]] = {
    "the current version": (lambda context: read(context, 6), document(6)),
    "the current version, as text": (lambda context: read_text(context, 6), document(6)),
    "one that is not shown yet, as text": (lambda context: read_text(context, 5), document(5)),
    "the one that is shown, as text": (lambda context: read_text(context, 3), document(3)),
    "one that is not shown yet": (lambda context: read(context, 5), document(5)),
    "the one that is shown": (lambda context: read(context, 3), document(3)),
    "one before": (lambda context: read(context, 2), document(2)),
    "a difference": (
        lambda context: difference(context, 2, None),
        [Change(("blocks", "a", "x"), value=6, before=2)],
    ),
    "a difference back": (
        lambda context: difference(context, 5, 2),
        [Change(("blocks", "a", "x"), value=2, before=5)],
    ),
    "a copy": (copied, document(6)),
    "a restore": (lambda context: restored(context, 5), document(5)),
    "an undo": (lambda context: undone(context, 6), document(5)),
    "a search": (lambda context: found(context, 6), ["w"]),
    "a search for what was": (lambda context: found(context, 3), []),
    "what came since": (lambda context: heard(context, 3), [4, 5, 6]),
}


@pytest.mark.usefixtures("workflow")
@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
@pytest.mark.parametrize(("read", "expected"), READS.values(), ids=READS.keys())
async def test_whoever_reads_gets_the_version_that_stands(
    owner: Context, elsewhere: Context, read: Callable[[Context], Awaitable[object]], expected: object, *, known: bool
) -> None:
    await grow(owner, 2, 3)
    await stores.fold(owner)
    await grow(owner, 4, 6)
    assert await shows(owner) == 3
    assert await read(owner if known else elsewhere) == expected


async def test_a_search_brings_up_what_its_user_may_see_and_nothing_else(
    owner: Context, viewer: Context, stranger: Context
) -> None:
    for context, name in ((owner, "shared"), (owner, "own"), (stranger, "theirs")):
        await sync.sync(context, Save(name, document(1)))
        await grow(context, 2, 3, name)
    await workflows.share(owner, "shared", "viewer", Role.VIEWER)
    assert await found(viewer, 3) == ["shared"]
    assert await stores.lagging(owner.database) == ["own", "theirs"]
    assert await found(owner, 3) == ["own", "shared"]
    assert await stores.lagging(owner.database) == ["theirs"]


# What is kept on the way


@pytest.fixture
def entries_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows of the journal were read at once."""
    seen: list[int] = []
    between = journal.between

    async def recorded(connection: Connection, workflow_id: str, after: int, to: int) -> list[Entry]:
        entries = await between(connection, workflow_id, after, to)
        seen.append(len(entries))
        return entries

    monkeypatch.setattr(journal, "between", recorded)
    return seen


@pytest.fixture
async def long_history(owner: Context, workflow: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A workflow with 99 versions whose snapshot was brought up at each seventh, and then kept by its weight."""
    monkeypatch.setattr(stored, "CHECKPOINT_BYTES", 1_500)
    for first in range(2, 100, 7):
        await grow(owner, first, first + 6)
        await stores.fold(owner)
    return workflow


async def test_any_version_is_read_from_a_part_of_the_journal(
    elsewhere: Context, long_history: str, entries_read: list[int]
) -> None:
    checkpoints = [row["version"] for row in await stores.rows(elsewhere.database, "workflow_checkpoints")]
    assert len(checkpoints) >= 3
    for version in range(1, 100):
        entries_read.clear()
        assert await history.state(elsewhere, long_history, version) == document(version)
        assert sum(entries_read) < 35


async def test_old_versions_are_forgotten_under_what_is_kept(owner: Context, long_history: str) -> None:
    async with owner.database.connection() as connection:
        await connection.execute("UPDATE workflow_changes SET saved_at = now() - interval '1 year'")
    await Retention(versions=20, days=30).forget(owner.database)
    left = await stores.versions(owner.database)
    checkpoints = [row["version"] for row in await stores.rows(owner.database, "workflow_checkpoints")]
    floor = checkpoints[0]
    assert floor <= 80
    assert left == list(range(floor + 1, 100))
    async with process(owner) as context:
        for version in range(floor, 100):
            assert await history.state(context, long_history, version) == document(version)
        with pytest.raises(errors.ResyncRequiredError):
            await history.state(context, long_history, floor - 1)


async def test_what_no_snapshot_shows_is_not_forgotten(owner: Context, workflow: str) -> None:
    await grow(owner, 2, 30)
    await stores.keep(owner, 20)
    async with owner.database.connection() as connection:
        await connection.execute("UPDATE workflow_changes SET saved_at = now() - interval '1 year'")
    retention = Retention(versions=1, days=30)
    await retention.forget(owner.database)
    assert await stores.versions(owner.database) == list(range(1, 31))
    await stores.fold(owner)
    await retention.forget(owner.database)
    assert await stores.versions(owner.database) == list(range(21, 31))
    assert await stores.document(owner, workflow) == document(30)


# With each save


async def test_with_1_the_column_is_always_the_document(owner: Context) -> None:
    async with process(owner, every=1) as context:
        edits: list[tuple[Save, Status]] = [
            (Save("w", document(1)), Status.CREATED),
            (Save("w", document(2), base_version=1, client_id="tab", sequence=1), Status.SAVED),
            (Save("w", document(3), base_version=2, client_id="tab", sequence=2), Status.SAVED),
            (Save("w", document(3), base_version=3), Status.UNCHANGED),
            (Save("w", document(2) | {"n": 1}, base_version=2, client_id="other"), Status.MERGED),
            (Save("w", document(9), base_version=2, client_id="third"), Status.MERGED),
            (Save("w", changes=(Change(("n",), removal=True),), base_version=5, client_id="tab"), Status.SAVED),
        ]
        for save, status in edits:
            assert (await sync.sync(context, save)).status is status
            assert await is_shown(owner)
        for going_back in (history.restore(context, "w", 1, None), history.undo(context, "w", 2, None)):
            await going_back
            assert await is_shown(owner)
        await asyncio.gather(
            *(sync.sync(context, Save("w", changes=(Change((f"n{n}",), value=n),), base_version=1)) for n in range(10))
        )
        assert await is_shown(owner)
        assert context.saver.snapshots.lags == {}
        assert context.saver.snapshots.folded == 0


async def test_with_n_each_nth_version_is_shown_by_its_save(owner: Context, database: Database) -> None:
    async with process(owner, every=3) as context:
        await sync.sync(context, Save("w", document(1)))
        seen = [await shows(owner)]
        for n in range(2, 8):
            await grow(context, n, n)
            seen.append(await shows(owner))
        assert seen == [1, 1, 3, 3, 3, 6, 6]
        assert list(context.saver.snapshots.lags) == ["w"]
    assert await stores.lagging(database) == []
