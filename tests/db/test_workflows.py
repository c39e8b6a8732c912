"""The statements on the heads of workflows: who is let in is decided in them, and they find things by index."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from db import members, workflows
from db.database import Connection, Database
from db.workflows import Filter, Head, Role
from tests.db import stories
from tests.db.plans import explain, indexes, scanned


async def create(connection: Connection, workflow_id: str = "w", owner: str = "owner") -> None:
    assert await workflows.create(connection, workflow_id, owner, name="Plan", state={"n": 1})


@pytest.mark.parametrize(
    "wanted",
    [
        Filter(20),
        Filter(20, after=(datetime(2026, 1, 1, tzinfo=UTC), "w")),
        Filter(20, search="plan 4"),
        Filter(20, deleted=True),
        Filter(20, containing={"blocks": {}}),
    ],
    ids=["all", "after", "search", "trash", "containing no leaf"],
)
@pytest.mark.parametrize("user", ["u7", "m7"], ids=["owner", "member"])
async def test_a_page_reads_nobody_elses_workflows(database: Database, user: str, wanted: Filter) -> None:
    async with database.connection() as connection:
        await stories.crowd(connection)
        plan = await explain(connection, *workflows.page_statement(user, wanted))
    assert scanned(plan) == set()
    assert indexes(plan) == {"workflows_owner_id_idx", "workflow_members_user_id_idx", "workflows_pkey"}


async def test_a_search_inside_documents_uses_their_index(database: Database) -> None:
    async with database.connection() as connection:
        await stories.crowd(connection)
        wanted = Filter(20, containing={"tag": "t57"})
        plan = await explain(connection, *workflows.page_statement("u57", wanted))
        found = await workflows.page(connection, "u57", wanted)
    assert scanned(plan) == set()
    assert "workflows_state_idx" in indexes(plan)
    assert [head.id for head in found] == ["w57"]


@pytest.mark.parametrize(
    ("part", "is_indexed"),
    [({"blocks": {}, "edges": [[], {}]}, False), ({}, False), ({"blocks": {"a": [None]}}, True)],
    ids=["no leaf", "nothing", "a leaf"],
)
async def test_a_search_without_any_leaf_does_not_read_the_index_from_end_to_end(
    database: Database, part: dict[str, object], is_indexed: bool
) -> None:
    async with database.transaction() as connection:
        await connection.execute("SET LOCAL enable_seqscan = off; DROP INDEX workflows_owner_id_idx")
        plan = await explain(connection, *workflows.page_statement("u", Filter(20, containing=part)))
        await connection.execute("CREATE INDEX workflows_owner_id_idx ON workflows (owner_id)")
    assert ("workflows_state_idx" in indexes(plan)) is is_indexed


async def test_only_an_id_that_nobody_has_is_free(database: Database) -> None:
    async with database.connection() as connection:
        assert await workflows.claim(connection, "w", "owner") == (False, None)
        await create(connection)
        assert await workflows.claim(connection, "w", "stranger") == (True, None)
        taken, head = await workflows.claim(connection, "w", "owner")
        assert taken
        assert isinstance(head, Head)
        assert head.role is Role.OWNER
        assert await workflows.create(connection, "w", "stranger", name="Mine", state={}) is None


async def _trash(connection: Connection) -> None:
    assert await workflows.trash(connection, "w", "owner")


async def _purge(connection: Connection) -> None:
    assert await workflows.purge(connection, "w", "owner")


async def test_the_statement_that_writes_lets_in_owner_and_editor_alone(database: Database) -> None:
    async with database.connection() as connection:
        await create(connection)
        await members.put(connection, "w", "editor", Role.EDITOR)
        await members.put(connection, "w", "viewer", Role.VIEWER)
        for user, version, is_let_in in [
            ("owner", 1, True),
            ("editor", 2, True),
            ("viewer", 3, False),
            ("stranger", 3, False),
            ("owner", 2, False),
            ("owner", 4, False),
        ]:
            written = await workflows.write(connection, "w", user, expected=version, state={"by": user})
            assert (written is not None) is is_let_in, (user, version)
        assert await workflows.snapshot(connection, "w") == (3, {"by": "editor"})


@pytest.mark.parametrize("happen", [_trash, _purge])
async def test_nothing_is_written_to_what_was_thrown_away(
    database: Database, happen: Callable[[Connection], Awaitable[None]]
) -> None:
    async with database.connection() as connection:
        await create(connection)
        await happen(connection)
        assert await workflows.write(connection, "w", "owner", expected=1, state={}) is None
        assert not await workflows.rename(connection, "w", "owner", "Other")


async def test_only_the_owner_throws_away(database: Database) -> None:
    async with database.connection() as connection:
        await create(connection)
        await members.put(connection, "w", "editor", Role.EDITOR)
        for user in ("editor", "stranger"):
            assert not await workflows.trash(connection, "w", user)
            assert not await workflows.purge(connection, "w", user)
            assert not await workflows.revise(connection, "w", user)
        assert await workflows.trash(connection, "w", "owner")
        assert not await workflows.trash(connection, "w", "owner")
        assert not await workflows.untrash(connection, "w", "editor")
        assert await workflows.untrash(connection, "w", "owner")
        assert not await workflows.untrash(connection, "w", "owner")


async def test_everything_that_happens_is_counted(database: Database) -> None:
    """Version and revision together tell whether anything did; that is how hubs look."""
    async with database.connection() as connection:
        await create(connection)
        await workflows.rename(connection, "w", "owner", "Other")
        await workflows.trash(connection, "w", "owner")
        await workflows.untrash(connection, "w", "owner")
        await workflows.revise(connection, "w", "owner")
        await workflows.purge(connection, "w", "owner")
        assert await connection.fetchval("SELECT revision FROM workflows") == 5


async def test_no_index_stands_on_what_every_save_changes(database: Database) -> None:
    async with database.connection() as connection:
        indexed = await connection.fetch(
            """
            SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
            WHERE i.indrelid = 'workflows'::regclass
            """
        )
    assert {row["attname"] for row in indexed} == {"id", "owner_id", "state"}
