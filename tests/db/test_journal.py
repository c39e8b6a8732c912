"""The journal gives every save back, in pages that fit into memory."""

import pytest

from db import journal
from db.database import Connection, Database
from db.journal import Entry
from tests.db import stories


def versions(entries: list[Entry]) -> list[int]:
    return [entry.version for entry in entries]


async def fill(connection: Connection, database: Database, count: int, text: str = "") -> None:
    """Give the workflow a history of so many versions."""
    await stories.create(database)
    for version in range(2, count + 1):
        entry = stories.entry(version, text=text)
        await journal.append(connection, entry, stories.receipt())


async def test_a_page_goes_on_after_a_version(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "PAGE_SAVES", 4)
    async with database.connection() as connection:
        await fill(connection, database, 9)
        assert versions(await journal.page(connection, "w", 0, 9)) == [1, 2, 3, 4]
        assert versions(await journal.page(connection, "w", 4, 6)) == [5, 6]
        assert versions(await journal.page(connection, "w", 8, 99)) == [9]
        assert await journal.page(connection, "w", 9, 99) == []
        assert await journal.page(connection, "other", 0, 9) == []


async def test_a_page_holds_only_so_many_bytes_but_one_save_at_least(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.connection() as connection:
        await fill(connection, database, 9, text="x" * 1_000)
        size = await connection.fetchval(
            "SELECT pg_column_size(changes) + pg_column_size(conflicts) FROM workflow_changes WHERE version = 9"
        )
        monkeypatch.setattr(journal, "PAGE_BYTES", 3 * size)
        assert versions(await journal.page(connection, "w", 3, 9)) == [4, 5, 6]
        monkeypatch.setattr(journal, "PAGE_BYTES", 0)
        assert versions(await journal.page(connection, "w", 3, 9)) == [4]


async def test_who_is_behind_the_journal_sees_it_by_the_first_save(database: Database) -> None:
    async with database.connection() as connection:
        await fill(connection, database, 5)
        await connection.execute("DELETE FROM workflow_changes WHERE version <= 3")
        assert versions(await journal.page(connection, "w", 3, 5)) == [4, 5]
        assert versions(await journal.page(connection, "w", 1, 5)) == [4, 5]
