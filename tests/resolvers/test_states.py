"""What a process knows of workflows: bounded, and brought forward by the journal where it is behind."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from db import journal, workflows
from db.clients import Client
from db.database import Connection, Database
from db.journal import Entry
from db.workflows import Head, Role
from merge import values
from resolvers import states
from resolvers.context import Context
from resolvers.saves import Save
from resolvers.states import Known, States
from resolvers.sync import sync
from tests.documents import Document
from tests.resolvers import stores

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 1, 2, tzinfo=UTC)


def known(workflow_id: str = "w", version: int = 1, *, size: int = 100) -> Known:
    head = Head(workflow_id, "owner", "Plan", version, Role.OWNER, "owner", NOW, NOW, None)
    return Known(head, {"n": version}, size, density=10.0)


def entry(version: int, *, by: str = "owner") -> Entry:
    return Entry("w", version, [{"path": ["n"], "value": version}], [], [], by, NOW, "tab", "MANUAL", None)


def note(known: Known, version: int, *, by: str = "owner", size: int = 30) -> None:
    known.note_save(entry(version, by=by), {"n": version}, size=size, growth=2)


def held(states: States, names: Sequence[str]) -> list[str]:
    return [name for name in names if states.find(name) is not None]


# Bounded


def test_no_more_memory_is_used_than_is_allowed() -> None:
    states, names = States(5_000), [f"w{n}" for n in range(100)]
    for n, name in enumerate(names):
        states.put(known(name, size=1 + n % 7 * 60))
        assert states.used == sum(found.cost for key in names if (found := states._known.get(key)))
        assert states.used <= 5_000
    assert states.evicted == 100 - len(held(states, names)) > 0


def test_those_that_were_not_asked_for_longest_make_room() -> None:
    states = States(3_000)
    for name in ("a", "b", "c"):
        states.put(known(name))
    assert states.find("a") is not None
    states.put(known("d"))
    assert held(states, ["a", "b", "c", "d"]) == ["a", "c", "d"]
    states.put(known("c", 2))
    states.put(known("e"))
    assert held(states, ["a", "c", "d", "e"]) == ["c", "d", "e"]


def test_one_that_is_larger_than_all_the_memory_takes_nobody_s_room() -> None:
    states = States(2_000)
    states.put(known("a"))
    states.put(known("b", size=50))
    states.put(known("huge", size=1_000))
    assert held(states, ["a", "b", "huge"]) == ["a", "b"]
    states.put(known("a", 2, size=1_000))
    assert held(states, ["a", "b"]) == ["b"]
    assert states.used == 500


def test_what_is_older_replaces_nothing() -> None:
    states = States(10_000)
    states.put(known(version=5))
    states.put(known(version=4, size=200))
    found = states.find("w")
    assert found is not None
    assert (found.head.version, states.used) == (5, 1_000)


def test_what_is_forgotten_takes_no_memory() -> None:
    states = States(10_000)
    states.put(known("a"))
    states.put(known("b"))
    states.forget("a")
    states.forget("missing")
    assert (held(states, ["a", "b"]), states.used) == (["b"], 1_000)


def test_what_a_document_really_has_counts() -> None:
    states, weighed = States(10_000), known()
    states.put(weighed)
    states.weigh(weighed, 40)
    assert states.used == weighed.cost == 400


def test_a_copy_can_be_changed_and_leaves_the_other_alone() -> None:
    first = known()
    note(first, 2)
    before = repr(first)
    copy = first.copy()
    assert copy == first
    note(copy, 3)
    copy.note_client("owner", "tab", Client(1, 3, {}))
    copy.roles["editor"] = Role.EDITOR
    copy.date(2, LATER)
    assert repr(first) == before


# Saves and clients


def test_the_newest_saves_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "KEPT_SAVES", 3)
    grown = known()
    for version in range(2, 7):
        note(grown, version)
    assert (grown.head.version, grown.state, grown.size) == (6, {"n": 6}, 110)
    assert [save.version for save in grown.since(3) or ()] == [4, 5, 6]
    assert [save.version for save in grown.since(5) or ()] == [6]
    assert grown.since(6) == []
    assert grown.since(2) is grown.since(0) is grown.since(7) is None


def test_large_saves_are_kept_no_longer_than_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "KEPT_BYTES", 100)
    grown = known()
    for version, size in ((2, 40), (3, 40), (4, 40)):
        note(grown, version, size=size)
    assert [save.version for save in grown.saves] == [3, 4]
    note(grown, 5, size=101)
    assert (grown.saves, grown.sizes) == ([], [])
    grown.keep([entry(4), entry(5)])
    assert [save.version for save in grown.saves] == [4, 5]
    monkeypatch.setattr(states, "KEPT_BYTES", 50)
    grown.keep([entry(4), entry(5)])
    assert [save.version for save in grown.saves] == [5]


def test_saves_that_are_kept_count_as_memory() -> None:
    grown = known()
    note(grown, 2, size=30)
    assert grown.cost == 102 * 10 + states.SAVE_BYTES + 30 * states.PARSED_BYTES


def test_who_made_all_saves_is_known_until_somebody_else_saves() -> None:
    grown = replace(known(), sole="owner")
    known_to_be = []
    for version, by in ((2, "owner"), (3, "editor"), (4, "editor"), (5, "owner")):
        note(grown, version, by=by)
        known_to_be.append(grown.sole)
    assert known_to_be == ["owner", None, None, None]


def test_the_clients_that_saved_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "KEPT_CLIENTS", 3)
    grown = known()
    for n, name in enumerate(("a", "b", "c", "a", "d")):
        grown.note_client("owner", name, Client(n, n, {}))
    assert list(grown.clients) == [("owner", "c"), ("owner", "a"), ("owner", "d")]
    assert grown.clients["owner", "a"].last_sequence == 3


def test_of_what_clients_were_answered_the_journal_tells_some() -> None:
    answers = {n: {"status": status} for n, status in enumerate(("CREATED", "SAVED", "MERGED", "UNCHANGED", "RESYNC"))}
    grown = known()
    grown.note_client("owner", "tab", Client(5, 1, answers))
    assert list(grown.clients["owner", "tab"].answers) == [3, 4]


def test_saves_get_their_time_when_it_is_known() -> None:
    grown = known()
    for version in (2, 3, 4):
        note(grown, version)
    grown.date(2, LATER)
    assert [save.saved_at for save in grown.saves] == [NOW, LATER, LATER]
    assert grown.head.saved_at == LATER


# Brought forward


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was read of documents, in the order in which it was."""
    seen: list[str] = []
    snapshot, between = workflows.snapshot, journal.between

    async def whole(connection: Connection, workflow_id: str) -> tuple[int, Document]:
        seen.append("snapshot")
        return await snapshot(connection, workflow_id)

    async def some(connection: Connection, workflow_id: str, after: int, to: int) -> list[Entry]:
        seen.append(f"{after}..{to}")
        return await between(connection, workflow_id, after, to)

    monkeypatch.setattr(workflows, "snapshot", whole)
    monkeypatch.setattr(journal, "between", some)
    return seen


async def read(database: Database, states: States, user: str = "owner") -> Known:
    async with database.transaction() as connection:
        head = await workflows.read(connection, "w", user)
        assert head is not None
        found = await states.read(connection, head, user)
    states.put(found)
    return found


def document(n: int) -> Document:
    return {"blocks": {"a": {"x": n}}, "edges": []}


async def grow(owner: Context, first: int, last: int) -> None:
    for n in range(first, last + 1):
        await sync(owner, Save("w", document(n), base_version=n - 1, client_id="tab"))


@pytest.mark.usefixtures("workflow")
async def test_a_workflow_that_is_known_is_brought_forward_by_the_journal(owner: Context, reads: list[str]) -> None:
    known = States(1_000_000)
    await read(owner.database, known)
    await grow(owner, 2, 5)
    reads.clear()
    found = await read(owner.database, known)
    assert reads == ["1..5"]
    assert (found.head, found.state) == (await workflows_read(owner), document(5))
    assert [save.version for save in found.saves] == [2, 3, 4, 5]
    assert found.size >= len(values.dump(document(5)))
    reads.clear()
    assert (await read(owner.database, known)).state == document(5)
    assert reads == []


async def workflows_read(owner: Context) -> Head | None:
    async with owner.database.connection() as connection:
        return await workflows.read(connection, "w", "owner")


@pytest.mark.usefixtures("workflow")
async def test_a_workflow_whose_saves_were_forgotten_is_read_as_a_whole(owner: Context, reads: list[str]) -> None:
    known = States(1_000_000)
    await read(owner.database, known)
    await grow(owner, 2, 5)
    await stores.prune(owner, 3)
    reads.clear()
    found = await read(owner.database, known)
    assert "snapshot" in reads
    assert (found.head.version, found.state, found.saves) == (5, document(5), [])


@pytest.mark.usefixtures("workflow")
async def test_who_is_shown_an_older_head_gets_what_belongs_to_it(owner: Context) -> None:
    """A transaction that began before somebody else's save still sees what stood then."""
    known = States(1_000_000)
    async with owner.database.transaction() as connection:
        head = await workflows.read(connection, "w", "owner")
        assert head is not None
        await grow(owner, 2, 3)
        await read(owner.database, known)
        found = await known.read(connection, head, "owner")
    assert (found.head.version, found.state) == (1, document(1))
    known.put(found)
    newest = known.find("w")
    assert newest is not None
    assert newest.head.version == 3


@pytest.mark.usefixtures("workflow")
async def test_roles_are_known_until_something_but_a_save_happens(owner: Context) -> None:
    known = States(1_000_000)
    await read(owner.database, known, "editor")
    assert (await read(owner.database, known)).roles == {"owner": Role.OWNER, "editor": Role.EDITOR}
    await grow(owner, 2, 2)
    assert (await read(owner.database, known)).roles == {"owner": Role.OWNER, "editor": Role.EDITOR}
    async with owner.database.connection() as connection:
        await workflows.rename(connection, "w", "owner", "Another")
    assert (await read(owner.database, known)).roles == {"owner": Role.OWNER}
