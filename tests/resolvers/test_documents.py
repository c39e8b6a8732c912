"""Documents built from what is stored, whatever the snapshot shows."""

import pytest

from db import journal
from db.database import Database
from merge.apply import PathError
from resolvers import documents, errors, sync
from resolvers.context import Context
from resolvers.saves import Save
from tests.documents import Document
from tests.resolvers import stores


def document(n: int) -> Document:
    return {"blocks": {"a": {"x": n}}, "edges": []}


async def at(database: Database, version: int) -> Document:
    async with database.transaction() as connection:
        return await documents.state_at(connection, "w", version)


@pytest.fixture
async def versions(owner: Context) -> int:
    """The number of versions of a workflow, which has a checkpoint and some more."""
    for n in range(1, 56):
        await sync.sync(owner, Save("w", document(n), client_id="tab"))
    await stores.keep(owner, 50)
    await stores.fold(owner)
    return 55


@pytest.mark.parametrize("shown", [1, 30, 50, 52, 55])
async def test_each_version_is_read_right_whatever_the_snapshot_shows(
    database: Database, versions: int, shown: int
) -> None:
    async with database.connection() as connection:
        await connection.execute("UPDATE workflows SET state = $1, state_version = $2", document(shown), shown)
    for version in (1, 29, 30, 31, 49, 50, 51, versions):
        assert await at(database, version) == document(version)


async def test_before_the_first_save_there_was_an_empty_document(database: Database, versions: int) -> None:
    assert versions
    assert await at(database, 0) == {}


@pytest.mark.parametrize("missing", [3, 20, 40])
async def test_a_gap_in_the_journal_is_never_read_over(database: Database, versions: int, missing: int) -> None:
    assert versions
    async with database.connection() as connection:
        await connection.execute("DELETE FROM workflow_changes WHERE version = $1", missing)
    for version in (missing, missing + 1, 49):
        with pytest.raises(errors.ResyncRequiredError):
            await at(database, version)
    assert await at(database, missing - 1) == document(missing - 1)
    assert await at(database, 54) == document(54)


async def test_a_version_that_does_not_exist_yet_needs_a_resync(database: Database, versions: int) -> None:
    with pytest.raises(errors.ResyncRequiredError):
        await at(database, versions + 1)


async def test_saves_are_folded_one_after_the_other(owner: Context, versions: int) -> None:
    async with owner.database.connection() as connection:
        entries = await journal.between(connection, "w", 0, versions)
    assert documents.fold({}, entries) == document(versions)
    assert documents.fold(document(1), entries[1:10]) == document(10)
    assert documents.fold(document(1), []) == document(1)
    with pytest.raises(PathError):
        documents.fold({}, entries[1:])


async def test_the_snapshot_is_the_fold_of_the_journal(owner: Context, editor: Context, workflow: str) -> None:
    states: list[Document] = [
        {"blocks": {"a": {"x": 1}, "b": {"list": []}}, "edges": [{"id": "1"}, {"id": "2"}]},
        {"blocks": {"b": {"list": [1, 2]}}, "edges": [{"id": "2"}, {"id": "3"}, {"id": "1"}], "lastSaved": 1},
        {"blocks": {"b": {"list": [{"id": "x"}]}}, "edges": [{"id": "3", "y": None}], "": {"": 0}},
        {"blocks": {"b": {"list": {}}}, "edges": {}, "": {"": False}},
    ]
    for n, state in enumerate(states, start=1):
        await sync.sync((owner, editor)[n % 2], Save(workflow, state, base_version=n))
    async with owner.database.connection() as connection:
        entries = await journal.between(connection, workflow, 0, len(states) + 1)
    await stores.fold(owner)
    (row,) = await stores.rows(owner.database, "workflows")
    assert repr(documents.fold({}, entries)["blocks"]) == repr(row["state"]["blocks"])
    assert documents.fold({}, entries) == row["state"] == states[-1]
