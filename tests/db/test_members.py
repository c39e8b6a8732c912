"""Members are the ones with whom a workflow is shared, each with one role."""

from db import members
from db.database import Database
from db.members import Member
from db.workflows import Role
from tests.db import stories


async def test_a_member_has_the_role_that_was_given_last(database: Database) -> None:
    await stories.create(database)
    async with database.connection() as connection:
        assert await members.put(connection, "w", "b", Role.VIEWER)
        assert await members.put(connection, "w", "a", Role.VIEWER)
        assert await members.put(connection, "w", "b", Role.EDITOR)
        assert not await members.put(connection, "w", "b", Role.EDITOR)
        assert await members.read(connection, "w") == [Member("a", Role.VIEWER), Member("b", Role.EDITOR)]
        assert await members.read(connection, "other") == []


async def test_a_member_can_be_removed_once(database: Database) -> None:
    await stories.create(database)
    async with database.connection() as connection:
        await members.put(connection, "w", "a", Role.VIEWER)
        assert await members.remove(connection, "w", "a")
        assert not await members.remove(connection, "w", "a")
        assert await members.read(connection, "w") == []
