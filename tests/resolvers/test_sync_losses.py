"""Saves whose connection to Postgres is lost, or whose client goes away: never half written, lost or doubled."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import asyncpg
import pytest

from db.database import Database
from db.hub import Hub
from resolvers import errors, sync, workflows
from resolvers.answers import Answer
from resolvers.context import Context
from resolvers.saver import Saver
from resolvers.saves import Mode, Reason, Save, Status
from resolvers.submissions import Ground
from tests.documents import Document
from tests.facts import somebody_waits, until
from tests.losses import BATCH, COMMIT, Loss, LossyProxy
from tests.resolvers import stores
from tests.resolvers.conftest import CACHE_BYTES

FIRST: Document = {"blocks": {"a": {"x": 1}}, "edges": []}  # what `workflow` is at version 1
MOVED: Document = {"blocks": {"a": {"x": 2}}, "edges": []}
TURNED: Document = {"blocks": {"a": {"x": 3}}, "edges": [], "n": 1}
GROWN: Document = {"blocks": {"a": {"x": 1}, "b": {}}, "edges": []}


@pytest.fixture
async def proxy(database: Database) -> AsyncIterator[LossyProxy]:
    """A road to Postgres on which connections are lost."""
    async with LossyProxy.run(database.url) as proxy:
        yield proxy


@pytest.fixture
async def far(owner: Context, proxy: LossyProxy) -> AsyncIterator[Context]:
    """The owner, at the end of that road."""
    async with (
        Database.open(proxy.url, pool_size=2) as database,
        Hub.open(database) as hub,
        Saver.open(database, cache_bytes=CACHE_BYTES, snapshot_every=0) as saver,
    ):
        yield replace(owner, database=database, hub=hub, saver=saver)


@pytest.fixture(params=["together", "alone"])
def way(request: pytest.FixtureRequest, proxy: LossyProxy) -> str:
    """Whether saves are written together with others or alone; either way what is lost is what commits them."""
    if request.param == "alone":
        request.getfixturevalue("alone")
    else:
        proxy.request = BATCH
    return str(request.param)


SAVES: dict[str, tuple[Save, Status]] = {
    "created": (Save("new", FIRST, base_version=0), Status.CREATED),
    "created, empty": (Save("new", {}, base_version=0), Status.CREATED),
    "saved": (Save("w", GROWN, base_version=2), Status.SAVED),
    "unchanged": (Save("w", MOVED | {"m": 1}, base_version=2), Status.UNCHANGED),
    "merged": (Save("w", GROWN, base_version=1), Status.MERGED),
    "merged, with a conflict": (Save("w", TURNED, base_version=1), Status.MERGED),
    "conflict": (Save("w", GROWN, base_version=1, mode=Mode.OVERWRITE), Status.CONFLICT),
    "resync": (Save("w", GROWN, base_version=9), Status.RESYNC),
    "rejected": (Save("w", {}, base_version=2), Status.REJECTED),
}


# Without a sequence these write nothing that anybody would wait for.
IDLE = {Status.UNCHANGED, Status.REJECTED}

# Whatever has something else to be kept, or nothing to be compared with, is written alone.
TOGETHER = {"saved", "unchanged", "merged"}

LOST = [
    pytest.param(
        way,
        sent,
        status,
        sequence,
        loss,
        id=f"{way}: {name}, {'a' if sequence else 'no'} sequence, lost {loss.value}",
    )
    for way in ("together", "alone")
    for name, (sent, status) in SAVES.items()
    for sequence in (1, None)
    for loss in Loss
    if way == "alone" or name in TOGETHER
    if sequence or loss is not Loss.MEANWHILE or status not in IDLE
]


@pytest.mark.usefixtures("way", "workflow")
@pytest.mark.parametrize(("way", "sent", "status", "sequence", "loss"), LOST, indirect=["way"])
async def test_a_save_whose_commit_is_lost_is_decided_once(
    far: Context, editor: Context, proxy: LossyProxy, sent: Save, status: Status, sequence: int | None, loss: Loss
) -> None:
    await sync.sync(editor, Save("w", MOVED | {"m": 1}, base_version=1))
    sent = replace(sent, client_id="tab", sequence=sequence)
    proxy.losses = [loss]
    answer = await sync.sync(far, sent)
    assert proxy.losses == []
    assert (answer.status, answer.last_sequence) == (status, sequence)
    is_written = status in {Status.CREATED, Status.SAVED, Status.MERGED}
    assert await stores.versions(far.database, "w") == [1, 2, 3][: 3 if is_written and sent.id == "w" else 2]
    assert await stores.versions(far.database, "new") == ([1] if status is Status.CREATED else [])
    assert (answer.saved_at is not None) is (is_written or status is Status.UNCHANGED)
    assert len(await stores.kept(far.database)) == (status in {Status.CONFLICT, Status.RESYNC})
    assert len(await stores.told(far.database)) == len(answer.conflicts) == (sent.state == TURNED)
    if sequence is not None:
        again = await sync.sync(far, sent)
        assert replace(again, replayed=answer.replayed) == answer


@pytest.mark.usefixtures("alone", "workflow")
async def test_a_save_is_written_after_several_lost_connections(far: Context, proxy: LossyProxy) -> None:
    proxy.losses = [Loss.BEFORE, Loss.MEANWHILE, Loss.AFTER]
    answer = await sync.sync(far, Save("w", MOVED, base_version=1, client_id="tab", sequence=1))
    assert (answer.status, answer.version) == (Status.SAVED, 2)
    assert await stores.versions(far.database) == [1, 2]
    assert proxy.losses == []  # the second one was written, the third one only looked for it


@pytest.mark.usefixtures("workflow")
async def test_a_save_is_written_after_its_batch_and_several_connections_were_lost(
    far: Context, proxy: LossyProxy
) -> None:
    proxy.request, proxy.losses = b"INTO workflow_changes", [Loss.BEFORE] * 3
    answer = await sync.sync(far, Save("w", MOVED, base_version=1, client_id="tab", sequence=1))
    assert (answer.status, answer.version, answer.replayed) == (Status.SAVED, 2, False)
    assert await stores.versions(far.database) == [1, 2]
    assert proxy.losses == []


@pytest.mark.usefixtures("workflow")
async def test_a_save_that_is_never_committed_is_given_up_and_can_be_sent_again(
    far: Context, proxy: LossyProxy, way: str
) -> None:
    proxy.request = b"INTO workflow_changes" if way == "together" else COMMIT  # a batch is followed by saves alone
    proxy.losses = [Loss.BEFORE] * sync.COMMIT_ATTEMPTS
    sent = Save("w", MOVED, base_version=1, client_id="tab", sequence=1)
    with pytest.raises(ConnectionResetError):
        await sync.sync(far, sent)
    assert await stores.versions(far.database) == [1]
    answer = await sync.sync(far, sent)
    assert (answer.status, answer.version, answer.replayed) == (Status.SAVED, 2, False)


WRITES = [b"UPDATE workflows", b"INTO workflow_changes", b"INTO workflow_clients"]


@pytest.mark.usefixtures("way", "workflow")
@pytest.mark.parametrize("request_", [b"BEGIN", b"FROM workflows w", b"FROM workflow_clients", *WRITES, COMMIT])
async def test_a_connection_lost_anywhere_in_a_save_is_nothing_lost(
    far: Context, proxy: LossyProxy, request_: bytes
) -> None:
    proxy.request, proxy.losses = request_, [Loss.BEFORE]
    answer = await sync.sync(far, Save("w", MOVED, base_version=1, client_id="tab", sequence=1))
    assert proxy.losses == []
    assert (answer.status, answer.version, answer.replayed) == (Status.SAVED, 2, False)
    assert await stores.versions(far.database) == [1, 2]


@pytest.mark.usefixtures("way", "workflow")
async def test_a_save_that_somebody_overtook_while_its_commit_was_lost_is_merged_with_theirs(
    far: Context, editor: Context, proxy: LossyProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = sync._Saving._attempt

    async def overtaken(saving: sync._Saving) -> Answer:
        if saving.unheard is not None:
            await sync.sync(editor, Save("w", GROWN, base_version=1))
        return await attempt(saving)

    monkeypatch.setattr(sync._Saving, "_attempt", overtaken)
    proxy.losses = [Loss.BEFORE]
    answer = await sync.sync(far, Save("w", MOVED, base_version=1, client_id="tab", sequence=1))
    assert (answer.status, answer.version) == (Status.MERGED, 3)
    assert await stores.document(far) == {"blocks": {"a": {"x": 2}, "b": {}}, "edges": []}
    assert await stores.versions(far.database) == [1, 2, 3]


@pytest.mark.usefixtures("workflow")
async def test_a_restore_whose_commit_is_lost_answers_what_it_changed(far: Context, proxy: LossyProxy) -> None:
    await sync.sync(far, Save("w", MOVED, base_version=1))
    proxy.losses = [Loss.AFTER]
    answer = await sync.sync(far, Save("w", FIRST, client_id="tab", reason=Reason.RESTORE), ground=Ground.HEAD)
    assert (answer.status, answer.version) == (Status.SAVED, 3)
    assert [(change.path, change.value) for change in answer.changes] == [(("blocks", "a", "x"), 1)]


@pytest.mark.usefixtures("workflow")
async def test_a_save_whose_announcement_is_lost_is_answered(far: Context, proxy: LossyProxy) -> None:
    proxy.request, proxy.losses = b"pg_notify", [Loss.BEFORE]
    answer = await sync.sync(far, Save("w", MOVED, base_version=1))
    assert (answer.status, answer.version, proxy.losses) == (Status.SAVED, 2, [])


@pytest.fixture
async def locked(database: Database) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Hold the row of `w`, so that whoever saves it waits; call to let go."""
    connection = await asyncpg.connect(database.url)
    await connection.execute("BEGIN")
    await connection.execute("SELECT FROM workflows WHERE id = 'w' FOR UPDATE")

    async def let_go() -> None:
        await connection.execute("ROLLBACK")

    yield let_go
    await connection.close()


async def waits(database: Database) -> bool:
    async with database.connection() as connection:
        return await somebody_waits(connection)


Lock = Callable[[], Awaitable[None]]


async def abandoned(database: Database, saving: Awaitable[object]) -> None:
    """Begin to save, and go away while the save waits for the row of `w`."""
    task = asyncio.ensure_future(saving)
    await until(lambda: waits(database))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_save_whose_client_goes_away_is_brought_to_its_end(owner: Context, workflow: str, locked: Lock) -> None:
    sent = Save("w", MOVED, base_version=1, client_id="tab", sequence=1)
    await abandoned(owner.database, sync.sync(owner, sent))
    assert await stores.versions(owner.database) == [1]
    await locked()

    async def is_saved() -> bool:
        return (await workflows.visible(owner, workflow)).version == 2

    await until(is_saved)
    again = await sync.sync(owner, sent)
    assert (again.status, again.version, again.replayed) == (Status.SAVED, 2, True)


@pytest.mark.usefixtures("workflow")
async def test_a_client_that_goes_away_cancels_nothing_of_its_batch(owner: Context, locked: Lock) -> None:
    batch = [Save("v", FIRST), Save("w", MOVED, base_version=1), Save("w", GROWN, base_version=2), Save("u", FIRST)]
    await abandoned(owner.database, sync.sync_all(owner, batch))
    await locked()

    async def is_last_saved() -> bool:
        return await workflows.find(owner, "u") is not None

    await until(is_last_saved)
    assert [await stores.versions(owner.database, name) for name in ("v", "w", "u")] == [[1], [1, 2, 3], [1]]
    assert await stores.document(owner) == GROWN


@pytest.mark.usefixtures("workflow")
async def test_a_failure_that_nobody_waits_for_is_logged(
    owner: Context, locked: Lock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise LookupError("broken")

    monkeypatch.setattr("db.journal.append", broken)
    await abandoned(owner.database, sync.sync(owner, Save("w", MOVED, base_version=1)))
    await locked()
    await until(lambda: bool(caplog.records))
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("resolvers.sync", logging.ERROR)
    assert await stores.versions(owner.database) == [1]


async def test_a_refusal_that_nobody_waits_for_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def refused() -> None:
        raise errors.ForbiddenError

    task = asyncio.create_task(refused())
    await asyncio.wait([task])
    sync._log_failure(task)
    assert not caplog.records
