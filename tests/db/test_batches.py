"""One statement writes many saves: each workflow whole or not at all, whatever becomes of the others."""

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg
import pytest

from db import batches, clients, workflows
from db.batches import Author, Move, OutdatedError, Row
from db.clients import Client
from db.database import Database
from db.workflows import Role
from merge import values
from tests.db import stories
from tests.facts import somebody_waits, until

FRESH = Client(1, 2, {})  # what a client is after its first save


def move(workflow_id: str = "w", *, expected: int = 1, to: int = 2, **fields: Any) -> Move:  # noqa: ANN401 -- of many types
    given: dict[str, Any] = {"revision": 0, "saved_by": "owner", "state": None} | fields
    return Move(workflow_id, expected, version=to, **given)


def author(workflow_id: str = "w", user: str = "owner", client_id: str | None = "tab") -> Author:
    return Author(workflow_id, user, client_id, clients.NEW, FRESH)


def row(workflow_id: str = "w", version: int = 2) -> Row:
    entry = stories.entry(version, workflow_id)
    return Row(entry, stories.receipt(), values.dump(entry.changes))


async def write(
    database: Database, moves: Sequence[Move], authors: Sequence[Author] = (), rows: Sequence[Row] = ()
) -> set[str]:
    """Write a batch, and name the workflows that got into it."""
    async with database.connection() as connection:
        return set(await batches.write(connection, moves, authors, rows))


async def write_all(database: Database, *workflow_ids: str) -> set[str]:
    """Write the second version of workflows."""
    return await write(
        database,
        [move(workflow_id) for workflow_id in workflow_ids],
        [author(workflow_id) for workflow_id in workflow_ids],
        [row(workflow_id) for workflow_id in workflow_ids],
    )


async def create(database: Database, *workflow_ids: str) -> None:
    for workflow_id in workflow_ids:
        await stories.create(database, workflow_id)


async def column(database: Database, select: str) -> list[Any]:
    async with database.connection() as connection:
        return [row[0] for row in await connection.fetch(select)]


async def written(database: Database) -> dict[str, int]:
    """Say at which version each workflow is; whatever was written of it is there, or nothing."""
    async with database.connection() as connection:
        heads = await connection.fetch("SELECT id, version FROM workflows ORDER BY id")
        for head in heads:
            last = "SELECT max(version) FROM workflow_changes WHERE workflow_id = $1"
            assert await connection.fetchval(last, head["id"]) == head["version"]
    return {head["id"]: head["version"] for head in heads}


async def test_whatever_belongs_to_a_batch_is_written_by_one_transaction(database: Database) -> None:
    await create(database, "a", "b")
    assert await write_all(database, "a", "b") == {"a", "b"}
    assert await written(database) == {"a": 2, "b": 2}
    transactions = await column(
        database,
        """
        SELECT xmin::text FROM workflows UNION ALL SELECT xmin::text FROM workflow_changes WHERE version = 2
        UNION ALL SELECT xmin::text FROM workflow_clients
        """,
    )
    assert (len(transactions), len(set(transactions))) == (6, 1)


async def test_several_saves_of_a_workflow_move_its_head_once(database: Database) -> None:
    await create(database, "w")
    assert await write(database, [move(to=4)], [author()], [row(version=n) for n in (2, 3, 4)]) == {"w"}
    assert await column(database, "SELECT version FROM workflow_changes ORDER BY version") == [1, 2, 3, 4]
    assert await column(database, "SELECT version FROM workflows") == [4]
    assert await column(database, "SELECT count(DISTINCT saved_at) FROM workflow_changes WHERE version > 1") == [1]


async def test_the_time_that_is_told_is_the_one_that_is_stored(database: Database) -> None:
    await create(database, "w")
    async with database.connection() as connection:
        told = await batches.write(connection, [move()], [author()], [row()])
    assert await column(database, "SELECT saved_at FROM workflows") == [told["w"]]
    assert await column(database, "SELECT saved_at FROM workflow_changes WHERE version = 2") == [told["w"]]


async def test_a_head_that_is_only_proven_stays_as_it_is(database: Database) -> None:
    await create(database, "w")
    before = await column(database, "SELECT saved_at FROM workflows")
    assert await write(database, [move(to=1)], [author()]) == {"w"}
    assert await column(database, "SELECT saved_at FROM workflows") == before
    assert await column(database, "SELECT last_sequence FROM workflow_clients") == [1]


async def test_the_snapshot_shows_the_version_where_a_state_is_given(database: Database) -> None:
    await create(database, "a", "b")
    moves = [move("a", state={"n": 2, "none": None}), move("b")]
    await write(database, moves, [author("a"), author("b")], [row("a"), row("b")])
    assert await column(database, "SELECT state_version FROM workflows ORDER BY id") == [2, 1]
    assert await column(database, "SELECT state FROM workflows ORDER BY id") == [{"n": 2, "none": None}, {"n": 1}]


STATEMENTS = {
    "at another version": "UPDATE workflows SET version = 2 WHERE id = 'w'",
    "of another revision": "UPDATE workflows SET revision = 1 WHERE id = 'w'",
    "in the trash": "UPDATE workflows SET deleted_at = now() WHERE id = 'w'",
    "purged": "UPDATE workflows SET purged_at = now() WHERE id = 'w'",
    "missing": "DELETE FROM workflow_changes WHERE workflow_id = 'w'; DELETE FROM workflows WHERE id = 'w'",
    "somebody else's": "UPDATE workflows SET owner_id = 'other' WHERE id = 'w'",
    "saved by the same client": "INSERT INTO workflow_clients VALUES ('w', 'owner', 'tab', 1, 1, '[]')",
    "known to the same client": "INSERT INTO workflow_clients VALUES ('w', 'owner', 'tab', 0, 1, '[]')",
}


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS.keys())
async def test_a_workflow_that_is_not_as_it_is_known_is_left_out_alone(database: Database, statement: str) -> None:
    await create(database, "v", "w")
    async with database.connection() as connection:
        await connection.execute(statement)
    before = await column(database, "SELECT t::text FROM workflows t WHERE id = 'w' ORDER BY id")
    entries = await column(database, "SELECT count(*) FROM workflow_changes")
    known = await column(database, "SELECT t::text FROM workflow_clients t")
    assert await write_all(database, "v", "w") == {"v"}
    assert await column(database, "SELECT version FROM workflows WHERE id = 'v'") == [2]
    assert await column(database, "SELECT t::text FROM workflows t WHERE id = 'w' ORDER BY id") == before
    assert await column(database, "SELECT count(*) FROM workflow_changes") == [entries[0] + 1]
    assert await column(database, "SELECT t::text FROM workflow_clients t WHERE workflow_id = 'w'") == known


@pytest.mark.parametrize(("role", "may"), [(Role.EDITOR, True), (Role.VIEWER, False), (None, False)])
async def test_every_author_must_be_allowed_to_save(database: Database, role: Role | None, may: bool) -> None:
    await create(database, "v", "w")
    if role is not None:
        async with database.connection() as connection:
            await connection.execute("INSERT INTO workflow_members VALUES ('w', 'other', $1)", role)
    moves, rows = [move("v"), move("w", to=3)], [row("v"), row("w"), row("w", 3)]
    authors = [author("v"), author("w"), author("w", "other", None)]
    assert await write(database, moves, authors, rows) == ({"v", "w"} if may else {"v"})
    assert await written(database) == {"v": 2, "w": 3 if may else 1}


async def test_nobody_waits_for_a_workflow_that_somebody_holds(database: Database) -> None:
    await create(database, "a", "b", "c")
    async with database.transaction() as other:
        await other.execute("SELECT FROM workflows WHERE id = 'b' FOR UPDATE")
        async with asyncio.timeout(20):
            assert await write_all(database, "c", "b", "a") == {"a", "c"}
    assert await written(database) == {"a": 2, "b": 1, "c": 2}
    assert await column(database, "SELECT workflow_id FROM workflow_clients ORDER BY 1") == ["a", "c"]


async def test_where_a_client_changes_in_the_same_moment_nothing_is_written(database: Database) -> None:
    await create(database, "v", "w")
    async with database.connection() as connection:
        async with database.transaction() as other:
            await clients.write(other, "w", "owner", "tab", Client(1, 0, {}))
            writing = asyncio.create_task(write_all(database, "v", "w"))
            await until(lambda: somebody_waits(connection))
        with pytest.raises(OutdatedError):
            await writing
    assert await written(database) == {"v": 1, "w": 1}
    assert await column(database, "SELECT last_version FROM workflow_clients") == [0]


async def test_a_client_that_is_proven_is_not_outdated(database: Database) -> None:
    await create(database, "w")
    assert await write_all(database, "w") == {"w"}
    again = Author("w", "owner", "tab", FRESH, Client(2, 3, {}))
    assert await write(database, [move(expected=2, to=3)], [again], [row(version=3)]) == {"w"}
    assert await column(database, "SELECT last_sequence FROM workflow_clients") == [2]


async def test_what_is_wrong_with_a_statement_stays_what_it_is(database: Database) -> None:
    await create(database, "v", "w")
    broken = Row(stories.entry(2, "w"), stories.receipt(), b'["\\u0000"]')
    with pytest.raises(asyncpg.DataError):
        await write(database, [move("v"), move("w")], [author("v"), author("w")], [row("v"), broken])
    assert await written(database) == {"v": 1, "w": 1}


async def test_processes_that_write_the_same_workflows_at_once_hold_up_nobody(database: Database) -> None:
    """Whatever the order in which they name them; for each workflow one of them is first."""
    names = [f"w{n}" for n in range(20)]
    await create(database, *names)

    async def rival(n: int) -> set[str]:
        order = names if n % 2 else names[::-1]
        return await write(database, [move(name) for name in order], [], [row(name) for name in order])

    async with asyncio.timeout(60):
        outcomes = await asyncio.gather(*(rival(n) for n in range(8)))
    assert sorted(name for outcome in outcomes for name in outcome) == sorted(names)
    assert await written(database) == dict.fromkeys(sorted(names), 2)


async def test_only_the_answers_that_the_journal_does_not_tell_are_written(database: Database) -> None:
    await create(database, "w")
    answers = {n: {"sequence": n, "status": status} for n, status in ((1, "SAVED"), (2, "UNCHANGED"))}
    await write(database, [move()], [Author("w", "owner", "tab", clients.NEW, Client(2, 2, answers))], [row()])
    assert await column(database, "SELECT answers FROM workflow_clients") == [[answers[2]]]


async def test_a_batch_is_seen_by_those_who_read_heads(database: Database) -> None:
    await create(database, "w")
    await write_all(database, "w")
    async with database.connection() as connection:
        head = await workflows.read(connection, "w", "owner")
    assert head is not None
    assert (head.version, head.saved_by, head.revision) == (2, "owner", 0)
