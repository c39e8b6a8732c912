"""What callers may send besides documents."""

import pytest

from db.database import Database
from resolvers import errors, inputs


@pytest.mark.parametrize("value", ["a", "x" * 128, "é" * 128, "🦊" * 128, " ", "\n", "a/b?c#d", "\\u0000", "\ufffd"])
def test_ids_are_any_text_of_some_length(value: str) -> None:
    assert inputs.identifier("id", value) == value


@pytest.mark.parametrize("value", ["", "x" * 129, "\0", "a\0b", "\ud800", "a\udfffb", "\udc00\ud800"])
def test_ids_that_cannot_be_stored_are_refused_by_the_name_of_their_field(value: str) -> None:
    with pytest.raises(errors.BadUserInputError, match="`clientId`"):
        inputs.identifier("clientId", value)


@pytest.mark.parametrize(("value", "name"), [(" Plan \n", "Plan"), ("x" * 200, "x" * 200), (" " * 300 + "é", "é")])
def test_blanks_around_a_name_do_not_count(value: str, name: str) -> None:
    assert inputs.name(value) == name


@pytest.mark.parametrize("value", ["", " ", "\n\t", "x" * 201, "a\0", "\ud800"])
def test_names_that_say_nothing_or_too_much_are_refused(value: str) -> None:
    with pytest.raises(errors.BadUserInputError, match="`name`"):
        inputs.name(value)


@pytest.mark.parametrize(("first", "size"), [(None, 20), (1, 1), (100, 100)])
def test_pages_have_a_size(first: int | None, size: int) -> None:
    assert inputs.page_size(first) == size


@pytest.mark.parametrize("first", [0, -1, 101, 2**31])
def test_pages_without_items_or_with_too_many_are_refused(first: int) -> None:
    with pytest.raises(errors.BadUserInputError, match="1 to 100"):
        inputs.page_size(first)


def test_versions_are_counted_from_0() -> None:
    assert inputs.version("baseVersion", 0) == 0
    with pytest.raises(errors.BadUserInputError, match="`baseVersion`"):
        inputs.version("baseVersion", -1)


@pytest.mark.parametrize("value", ["", "plain", "é", "🦊", "\ud7ff\ue000", "\x01\x7f\u2028\uffff"])
async def test_what_is_called_storable_is_taken_by_postgres(database: Database, value: str) -> None:
    assert inputs.is_storable(value)
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT $1::text", value) == value


@pytest.mark.parametrize("value", ["\0", "a\ud800", "\udfffb", "\udc00\ud800"])
def test_what_postgres_refuses_is_not_called_storable(value: str) -> None:
    assert not inputs.is_storable(value)


async def test_three_of_the_longest_ids_share_one_index_entry(database: Database) -> None:
    longest = [f"{n}{'🦊' * (inputs.ID_CHARACTERS - 1)}" for n in range(3)]
    user = "🦊" * inputs.USER_ID_CHARACTERS
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO workflow_clients VALUES ($1, $2, $3, 0, 0, '[]')", longest[0], user, longest[1]
        )
