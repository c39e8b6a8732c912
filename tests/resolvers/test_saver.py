"""Saves that arrive together: one statement, one transaction, and to each what it would have got alone."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import asyncpg
import pytest

from db import batches, clients, workflows
from db.batches import Author, Move, Row
from db.database import Connection, Database
from db.hub import Hub
from db.journal import Entry
from merge import apply
from merge.changes import Change
from resolvers import errors, history, records, saver, sync
from resolvers.answers import Answer
from resolvers.context import Context
from resolvers.decisions import Decision
from resolvers.saver import Saver
from resolvers.saves import Save, Status
from resolvers.submissions import Submission
from tests.documents import Document
from tests.facts import somebody_waits, until
from tests.resolvers import stores
from tests.resolvers.conftest import CACHE_BYTES, in_both_modes

pytestmark = in_both_modes

MANY = 20


def document(n: int, **blocks: int) -> Document:
    return {"blocks": {"a": {"x": n}} | {name: {"x": x} for name, x in blocks.items()}, "edges": []}


async def known(context: Context, *workflow_ids: str, tabs: Sequence[str] = ("tab",)) -> None:
    """Have workflows at version 1 that this process knows, and each of these tabs with its sequence 1 behind it."""
    for workflow_id in workflow_ids:
        if await workflows_of(context, workflow_id) is None:
            await sync.sync(context, Save(workflow_id, document(1)))
        for tab in tabs:
            answer = await sync.sync(context, Save(workflow_id, document(1), base_version=1, client_id=tab, sequence=1))
            assert answer.status is Status.UNCHANGED


async def workflows_of(context: Context, workflow_id: str) -> object:
    async with context.database.connection() as connection:
        return await workflows.read(connection, workflow_id, context.known_viewer().id)


async def save(context: Context, workflow_id: str, n: int, **fields: Any) -> Answer:  # noqa: ANN401 -- of many types
    return await sync.sync(context, Save(workflow_id, document(n), **fields))


@dataclass(slots=True)
class Statements:
    """What was written together; a statement is held up before it is sent where `gate` is closed."""

    sent: list[tuple[Sequence[Move], Sequence[Row]]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """Of each statement, how many workflows it concerned and how many saves it wrote."""
        return [(len(moves), len(rows)) for moves, rows in self.sent]


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Statements:
    """The statements that were sent."""
    seen, write = Statements(), batches.write
    seen.gate.set()

    async def recorded(
        connection: Connection, moves: Sequence[Move], authors: Sequence[Author], rows: Sequence[Row]
    ) -> dict[str, datetime]:
        seen.sent.append((moves, rows))
        await seen.gate.wait()
        return await write(connection, moves, authors, rows)

    monkeypatch.setattr(batches, "write", recorded)
    return seen


# Together


async def test_saves_that_arrive_together_share_one_statement_and_one_transaction(
    owner: Context, statements: Statements
) -> None:
    names = [f"w{n}" for n in range(MANY)]
    await known(owner, *names)
    statements.sent.clear()
    answers = await asyncio.gather(
        *(save(owner, name, 2, base_version=1, client_id="tab", sequence=2) for name in names)
    )
    assert [(answer.status, answer.version) for answer in answers] == [(Status.SAVED, 2)] * MANY
    assert statements.sizes == [(MANY, MANY)]
    async with owner.database.connection() as connection:
        for table in ("workflows", "workflow_clients", "workflow_changes WHERE version = 2"):
            rows = await connection.fetch(f"SELECT xmin::text FROM {table}")
            assert (len(rows), len(set(rows))) == (MANY, 1)


@pytest.mark.usefixtures("workflow")
async def test_several_saves_of_one_workflow_are_one_move_and_as_many_rows(
    owner: Context, editor: Context, statements: Statements
) -> None:
    tabs = [f"tab {n}" for n in range(10)]
    await known(owner, "w", tabs=tabs)
    await known(editor, "w", tabs=tabs)
    statements.sent.clear()
    sent = [
        (context, Save("w", document(1, **{f"{tab} {n}": 1}), base_version=1, client_id=tab, sequence=2))
        for n, context in enumerate((owner, editor))
        for tab in tabs
    ]
    answers = await asyncio.gather(*(sync.sync(context, save) for context, save in sent))
    assert statements.sizes == [(1, 20)]
    assert Counter(answer.status for answer in answers) == {Status.SAVED: 1, Status.MERGED: 19}
    assert [answer.version for answer in answers] == list(range(2, 22))
    assert await stores.versions(owner.database) == list(range(1, 22))
    entries = await stores.rows(owner.database, "workflow_changes", "w")
    assert [entry["saved_by"] for entry in entries] == ["owner"] * 11 + ["editor"] * 10
    assert {answer.saved_at for answer in answers} == {entry["saved_at"] for entry in entries[1:]}
    for answer, (_, save) in zip(answers, sent, strict=True):
        assert apply.apply(save.state, answer.changes) == await history.state(owner, "w", answer.version)  # type: ignore[arg-type]
        assert answer.head is not None
        assert (answer.head.version, answer.head.saved_at) == (answer.version, answer.saved_at)


async def test_several_saves_of_one_tab_count_one_after_the_other(owner: Context, statements: Statements) -> None:
    await known(owner, "w")
    statements.sent.clear()
    saves = [Save("w", document(n), base_version=1, client_id="tab", sequence=n) for n in range(2, 12)]
    answers = await asyncio.gather(*(sync.sync(owner, save) for save in saves))
    assert statements.sizes == [(1, 10)]
    assert [(answer.version, answer.last_sequence, answer.changes) for answer in answers] == [
        (n, n, ()) for n in range(2, 12)
    ]
    assert await stores.document(owner) == document(11)
    for n, sent in enumerate(saves, start=2):
        again = await sync.sync(owner, sent)
        assert (again.replayed, again.version, again.last_sequence) == (True, n, 11)


async def test_nobody_is_answered_before_the_commit(owner: Context, statements: Statements) -> None:
    await known(owner, "v", "w")
    statements.sent.clear()
    statements.gate.clear()
    saving = [asyncio.create_task(save(owner, name, 2, base_version=1, client_id="tab")) for name in ("v", "w")]
    await until(lambda: bool(statements.sent))
    assert not any(task.done() for task in saving)
    assert await stores.versions(owner.database) == [1]
    assert owner.saver.states.find("w").head.version == 1  # type: ignore[union-attr]
    statements.gate.set()
    assert [(await task).version for task in saving] == [2, 2]


async def test_what_arrives_during_a_commit_is_the_next_batch(owner: Context, statements: Statements) -> None:
    names = [f"w{n}" for n in range(6)]
    await known(owner, *names)
    statements.sent.clear()
    statements.gate.clear()
    first = asyncio.create_task(save(owner, "w0", 2, base_version=1, client_id="tab"))
    await until(lambda: bool(statements.sent))
    later = [asyncio.create_task(save(owner, name, 3, base_version=1, client_id="tab")) for name in names]
    for _ in range(10):
        await asyncio.sleep(0)
    statements.gate.set()
    await asyncio.gather(first, *later)
    assert statements.sizes == [(1, 1), (6, 6)]
    assert await stores.versions(owner.database, "w0") == [1, 2, 3]


async def test_a_batch_has_a_limit(owner: Context, statements: Statements, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"w{n}" for n in range(7)]
    await known(owner, *names)
    statements.sent.clear()
    monkeypatch.setattr(saver, "MOST_SAVES", 3)
    await asyncio.gather(*(save(owner, name, 2, base_version=1, client_id="tab") for name in names))
    assert statements.sizes == [(3, 3), (3, 3), (1, 1)]


async def test_a_save_that_changes_nothing_is_proven_with_the_others(owner: Context, statements: Statements) -> None:
    await known(owner, "v", "w")
    before = await stores.rows(owner.database, "workflows", "w")
    statements.sent.clear()
    answers = await asyncio.gather(
        save(owner, "v", 2, base_version=1, client_id="tab", sequence=2),
        save(owner, "w", 1, base_version=1, client_id="tab", sequence=2),
    )
    assert [answer.status for answer in answers] == [Status.SAVED, Status.UNCHANGED]
    assert statements.sizes == [(2, 1)]
    assert await stores.rows(owner.database, "workflows", "w") == before
    assert answers[1].saved_at == before[0]["saved_at"]


async def test_a_save_that_changes_nothing_tells_when_the_one_before_it_was_saved(owner: Context) -> None:
    await known(owner, "w", tabs=["one", "two"])
    saved, unchanged = await asyncio.gather(
        save(owner, "w", 2, base_version=1, client_id="one"), save(owner, "w", 2, base_version=1, client_id="two")
    )
    assert (saved.status, unchanged.status, unchanged.version) == (Status.SAVED, Status.UNCHANGED, 2)
    (row,) = await stores.rows(owner.database, "workflows")
    assert saved.saved_at == unchanged.saved_at == row["saved_at"]


async def test_a_save_that_meets_a_conflict_leaves_the_others_together(owner: Context, statements: Statements) -> None:
    await known(owner, "v", "w", tabs=["one", "two"])
    statements.sent.clear()
    answers = await asyncio.gather(
        save(owner, "w", 2, base_version=1, client_id="one"),
        save(owner, "w", 3, base_version=1, client_id="two"),
        save(owner, "v", 2, base_version=1, client_id="one"),
    )
    assert [(answer.status, len(answer.conflicts)) for answer in answers] == [
        (Status.SAVED, 0),
        (Status.MERGED, 1),
        (Status.SAVED, 0),
    ]
    assert statements.sizes == [(2, 2)]
    assert [path for path, _, _ in await stores.told(owner.database)] == [["blocks", "a", "x"]]


async def test_the_row_of_a_small_change_is_small(owner: Context) -> None:
    await sync.sync(owner, Save("w", {"blocks": {f"b{n}": {"x": 1, "name": "x" * 500} for n in range(200)}}))
    for n in range(2, 5):
        change = Change(("blocks", "b7", "x"), value=n)
        edit = Save("w", changes=(change,), base_version=n - 1, client_id="tab", sequence=n - 1)
        assert (await sync.sync(owner, edit)).status is Status.SAVED
    async with owner.database.connection() as connection:
        sizes = await connection.fetch("SELECT pg_column_size(c.*) FROM workflow_changes c WHERE version > 1")
    assert all(size[0] < 400 for size in sizes)


# Apart


async def test_a_bad_save_fails_alone(
    owner: Context, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await known(owner, "v", "w", "bad")
    make = records.entry

    def unstorable(submission: Submission, decision: Decision, saved_at: datetime) -> Entry:
        entry = make(submission, decision, saved_at)
        return replace(entry, changes=[{"path": ["\0"]}]) if entry.workflow_id == "bad" else entry

    monkeypatch.setattr(records, "entry", unstorable)
    saving = (save(owner, name, 2, base_version=1, client_id="tab", sequence=2) for name in ("v", "bad", "w"))
    good, bad, fine = await asyncio.gather(*saving, return_exceptions=True)
    assert isinstance(bad, asyncpg.DataError)
    assert isinstance(good, Answer)
    assert isinstance(fine, Answer)
    assert (good.status, fine.status) == (Status.SAVED, Status.SAVED)
    assert {(record.name, record.levelno) for record in caplog.records} == {("resolvers.saver", logging.WARNING)}
    for name, versions in (("v", [1, 2]), ("bad", [1]), ("w", [1, 2])):
        assert await stores.versions(owner.database, name) == versions
    monkeypatch.undo()
    assert (await save(owner, "bad", 2, base_version=1, client_id="tab", sequence=2)).status is Status.SAVED


@asynccontextmanager
async def held(database: Database, workflow_id: str) -> AsyncIterator[None]:
    """Hold the row of a workflow."""
    connection = await asyncpg.connect(database.url)
    try:
        await connection.execute("BEGIN")
        await connection.execute("SELECT FROM workflows WHERE id = $1 FOR UPDATE", workflow_id)
        yield
    finally:
        await connection.close()


async def test_a_batch_that_breaks_off_after_its_commit_is_looked_up_and_nothing_is_doubled(
    owner: Context, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await known(owner, "a", "b")
    with monkeypatch.context() as broken:
        broken.setattr(Saver, "_settle", broken_off)
        answers = await asyncio.gather(save(owner, "a", 2, base_version=1), save(owner, "b", 3, base_version=1))
    assert [(answer.status, answer.version) for answer in answers] == [(Status.SAVED, 2)] * 2
    assert await stores.versions(owner.database, "a") == await stores.versions(owner.database, "b") == [1, 2]
    assert all(answer.saved_at is not None and answer.saved_at.year < 9999 for answer in answers)
    assert [record.levelname for record in caplog.records if record.name == "resolvers.saver"] == ["ERROR"]
    assert (await save(owner, "a", 4, base_version=2)).version == 3


def broken_off(*_: object) -> None:
    raise LookupError


async def test_a_row_that_somebody_holds_stalls_its_own_save_only(owner: Context) -> None:
    names = [f"w{n}" for n in range(5)]
    await known(owner, *names)
    async with held(owner.database, "w2"):
        saving = {
            name: asyncio.create_task(save(owner, name, 2, base_version=1, client_id="tab", sequence=2))
            for name in names
        }
        stalled = saving.pop("w2")
        async with asyncio.timeout(20):
            await asyncio.gather(*saving.values())
            for n in range(3, 6):
                await asyncio.gather(*(save(owner, name, n, client_id="tab", sequence=n) for name in saving))
        assert not stalled.done()
        assert await stores.versions(owner.database, "w2") == [1]
    assert ((await stalled).status, (await stalled).version) == (Status.SAVED, 2)
    assert await stores.versions(owner.database, "w2") == [1, 2]


async def test_a_client_that_goes_away_cancels_nobody(owner: Context, statements: Statements) -> None:
    await known(owner, "u", "v", "w")
    statements.sent.clear()
    statements.gate.clear()
    saving = [asyncio.create_task(save(owner, name, 2, base_version=1, client_id="tab")) for name in ("u", "v", "w")]
    await until(lambda: bool(statements.sent))
    saving[1].cancel()
    with pytest.raises(asyncio.CancelledError):
        await saving[1]
    statements.gate.set()
    assert [(await saving[n]).version for n in (0, 2)] == [2, 2]
    assert await stores.versions(owner.database, "v") == [1, 2]


async def test_a_document_larger_than_the_cache_is_saved_all_the_same(owner: Context, snapshot_every: int) -> None:
    async with Saver.open(owner.database, cache_bytes=1_000, snapshot_every=snapshot_every) as small:
        context = replace(owner, saver=small)
        for n in range(1, 5):
            state = document(n) | {"text": "x" * 5_000}
            sent = Save("w", state, base_version=n - 1, client_id="tab", sequence=n)
            assert (await sync.sync(context, sent)).version == n
            assert (await sync.sync(context, sent)).replayed
        assert small.states.used == 0
    assert await stores.versions(owner.database) == [1, 2, 3, 4]


# Who may, whatever is known


TAKEN: dict[str, tuple[str, type[Exception]]] = {
    "unshared": ("DELETE FROM workflow_members WHERE user_id = 'editor'", errors.NotFoundError),
    "made a viewer": ("UPDATE workflow_members SET role = 'VIEWER' WHERE user_id = 'editor'", errors.ForbiddenError),
}


@pytest.mark.usefixtures("workflow")
@pytest.mark.parametrize(("statement", "error"), TAKEN.values(), ids=TAKEN.keys())
async def test_a_role_that_was_taken_away_without_a_trace_counts_no_more(
    owner: Context, editor: Context, statement: str, error: type[Exception]
) -> None:
    await known(editor, "w")
    await known(owner, "w")
    async with owner.database.connection() as connection:
        await connection.execute(statement)
    refused, saved = await asyncio.gather(
        save(editor, "w", 2, base_version=1, client_id="tab", sequence=2),
        sync.sync(owner, Save("w", document(1, b=1), base_version=1, client_id="tab", sequence=2)),
        return_exceptions=True,
    )
    assert type(refused) is error
    assert isinstance(saved, Answer)
    assert (saved.status, saved.version) == (Status.SAVED, 2)
    assert [row["saved_by"] for row in await stores.rows(owner.database, "workflow_changes")] == ["owner", "owner"]


async def test_a_workflow_that_was_given_away_is_its_owner_s_no_more(owner: Context, workflow: str) -> None:
    await known(owner, workflow)
    async with owner.database.connection() as connection:
        await connection.execute("UPDATE workflows SET owner_id = 'another'")
    with pytest.raises(errors.NotFoundError):
        await save(owner, workflow, 2, base_version=1, client_id="tab", sequence=2)
    assert await stores.versions(owner.database) == [1]


# Several processes


@pytest.fixture
def whole_reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The workflows whose column `state` was read."""
    seen: list[str] = []
    snapshot = workflows.snapshot

    async def recorded(connection: Connection, workflow_id: str) -> tuple[int, Document]:
        seen.append(workflow_id)
        return await snapshot(connection, workflow_id)

    monkeypatch.setattr(workflows, "snapshot", recorded)
    return seen


async def test_two_processes_that_take_turns_lose_nothing_and_read_no_document(
    owner: Context, elsewhere: Context, whole_reads: list[str]
) -> None:
    await known(owner, "w", tabs=["here"])
    await known(elsewhere, "w", tabs=["there"])
    whole_reads.clear()
    mine, theirs = document(1), document(1)
    for n in range(2, 22):
        tab, context = ("here", owner) if n % 2 else ("there", elsewhere)
        stands = mine if n % 2 else theirs
        state = apply.apply(stands, [Change(("blocks", f"b{n}"), value={"x": n})])
        base = 1 if n <= 3 else n - 2
        answer = await sync.sync(context, Save("w", state, base_version=base, client_id=tab, sequence=(n + 2) // 2))
        assert (answer.version, answer.conflicts) == (n, ())
        stands = apply.apply(state, answer.changes)
        mine, theirs = (stands, theirs) if n % 2 else (mine, stands)
    assert whole_reads == []
    assert await stores.document(owner) == document(1, **{f"b{n}": n for n in range(2, 22)}) == mine
    assert await stores.versions(owner.database) == list(range(1, 22))


async def test_two_processes_that_race_for_a_head_both_get_in(owner: Context, elsewhere: Context) -> None:
    tabs = [f"tab {n}" for n in range(10)]
    await known(owner, "w", tabs=tabs[:5])
    await known(elsewhere, "w", tabs=tabs[5:])
    for sequence in range(2, 6):
        answers = await asyncio.gather(
            *(
                sync.sync(
                    (owner, elsewhere)[n // 5],
                    Save(
                        "w",
                        changes=(Change(("blocks", f"{tab} {sequence}"), value={"x": 1}),),
                        base_version=1,
                        client_id=tab,
                        sequence=sequence,
                    ),
                )
                for n, tab in enumerate(tabs)
            )
        )
        first = 2 + 10 * (sequence - 2)
        assert sorted(answer.version for answer in answers) == list(range(first, first + 10))
        assert not any(answer.replayed or answer.conflicts for answer in answers)
    assert await stores.versions(owner.database) == list(range(1, 42))
    added = {f"{tab} {sequence}": 1 for tab in tabs for sequence in range(2, 6)}
    assert await stores.document(elsewhere) == document(1, **added)


@pytest.mark.parametrize("n", [1, 2], ids=["unchanged", "saved"])
async def test_a_save_that_is_sent_to_two_processes_at_once_counts_once(
    owner: Context, elsewhere: Context, n: int
) -> None:
    await known(owner, "w")
    assert (await save(elsewhere, "w", 1, base_version=1, client_id="tab", sequence=1)).replayed
    for sequence in range(2, 12):
        stands = await stores.versions(owner.database)
        state = document(sequence) if n == 2 else document(1)
        sent = Save("w", state, base_version=stands[-1], client_id="tab", sequence=sequence)
        answers = await asyncio.gather(*(sync.sync(context, sent) for context in (owner, elsewhere)))
        assert sorted(answer.replayed for answer in answers) == [False, True]
        assert len({(answer.status, answer.version, answer.saved_at) for answer in answers}) == 1
        assert await stores.versions(owner.database) == list(range(1, len(stands) + n))
    (row,) = await stores.rows(owner.database, "workflow_clients")
    assert row["last_sequence"] == 11


async def test_of_two_saves_with_one_sequence_at_two_processes_one_is_refused(
    owner: Context, elsewhere: Context
) -> None:
    await known(owner, "w")
    assert (await save(elsewhere, "w", 1, base_version=1, client_id="tab", sequence=1)).replayed
    for sequence in range(2, 12):
        outcomes = await asyncio.gather(
            *(
                save(context, "w", 100 * sequence + n, base_version=sequence - 1, client_id="tab", sequence=sequence)
                for n, context in enumerate((owner, elsewhere))
            ),
            return_exceptions=True,
        )
        assert Counter(map(type, outcomes)) == {Answer: 1, errors.BadUserInputError: 1}
        assert await stores.versions(owner.database) == list(range(1, sequence + 1))


async def test_where_a_client_changes_while_a_batch_is_written_nothing_is_lost_or_doubled(
    owner: Context, database: Database, statements: Statements
) -> None:
    await known(owner, "u", "v", "w")
    statements.sent.clear()
    async with database.connection() as connection:
        async with database.transaction() as other:
            await other.execute("UPDATE workflow_clients SET last_version = 0 WHERE workflow_id = 'v'")
            saving = [
                asyncio.create_task(save(owner, name, 2, base_version=1, client_id="tab", sequence=2))
                for name in ("u", "v", "w")
            ]
            await until(lambda: somebody_waits(connection))
        answers = await asyncio.gather(*saving)
    assert [(answer.status, answer.version, answer.replayed) for answer in answers] == [(Status.SAVED, 2, False)] * 3
    assert statements.sizes[0] == (3, 3)
    assert len(statements.sizes) > 1
    for name in ("u", "v", "w"):
        assert await stores.versions(owner.database, name) == [1, 2]
        assert (await save(owner, name, 2, base_version=1, client_id="tab", sequence=2)).replayed


# Sent again


async def test_a_save_that_wrote_is_answered_again_from_the_journal(owner: Context, elsewhere: Context) -> None:
    await known(owner, "w")
    sent = Save("w", document(2), base_version=1, client_id="tab", sequence=2)
    answer = await sync.sync(owner, sent)
    (row,) = await stores.rows(owner.database, "workflow_clients")
    assert [kept["sequence"] for kept in row["answers"]] == [1]  # which wrote nothing
    for context in (owner, elsewhere):
        again = await sync.sync(context, sent)
        assert replace(again, replayed=False) == answer


async def test_the_last_answers_are_kept_whether_or_not_something_was_written(
    owner: Context, elsewhere: Context
) -> None:
    """Saves that change something and saves that do not take turns."""
    last = clients.KEPT_ANSWERS + 6
    sent = [Save("w", document(n // 2), client_id="tab", sequence=n) for n in range(1, last + 1)]
    given = [await sync.sync(owner, item) for item in sent]
    assert {answer.status for answer in given} == {Status.CREATED, Status.SAVED, Status.UNCHANGED}
    (row,) = await stores.rows(owner.database, "workflow_clients")
    assert {answer["status"] for answer in row["answers"]} == {"UNCHANGED"}
    assert len(row["answers"]) == clients.KEPT_ANSWERS // 2
    before = await stores.everything(owner.database)
    for context in (owner, elsewhere):
        for item, answer in zip(sent, given, strict=True):
            again = await sync.sync(context, item)
            is_kept = item.sequence is not None and item.sequence > last - clients.KEPT_ANSWERS
            assert (again.status, again.replayed) == (
                (answer.status, True) if is_kept else (Status.OUT_OF_ORDER, False)
            )
    assert await stores.everything(owner.database) == before


@pytest.mark.usefixtures("workflow")
async def test_more_saves_than_connections_hinder_nobody(owner: Context, snapshot_every: int) -> None:
    async with (
        Database.open(owner.database.url, pool_size=1) as database,
        Hub.open(database) as hub,
        Saver.open(database, cache_bytes=CACHE_BYTES, snapshot_every=snapshot_every) as small,
    ):
        context = replace(owner, database=database, hub=hub, saver=small)
        names = ["w", *(f"new {n}" for n in range(20))]
        answers = await asyncio.gather(*(save(context, name, 2) for name in names * 2))
    statuses = Counter(answer.status for answer in answers)
    assert statuses == {Status.CREATED: 20, Status.SAVED: 1, Status.UNCHANGED: 21}
