"""Changes as the journal keeps them: written, read, taken back."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from db.database import Database
from merge import apply, changes, diff, values
from merge.changes import Change
from tests.merge.strategies import PAIRS, Document


@given(PAIRS)
def test_taken_back_changes_lead_back(pair: tuple[Document, Document]) -> None:
    before, after = pair
    assert values.equal(apply.apply(after, changes.inverse(diff.diff(before, after))), before)


@given(PAIRS)
def test_taking_back_twice_changes_nothing(pair: tuple[Document, Document]) -> None:
    before, after = pair
    there = changes.inverse(changes.inverse(diff.diff(before, after)))
    assert values.equal(apply.apply(before, there), after)


@given(PAIRS)
def test_changes_are_read_as_they_were_written(pair: tuple[Document, Document]) -> None:
    there = diff.diff(*pair)
    assert _written_and_read(there) == there


def _written_and_read(there: Sequence[Change]) -> list[Change]:
    text = values.dump([changes.to_json(change) for change in there])
    read: Any = values.load(text)
    return [changes.from_json(change) for change in read]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(PAIRS)
async def test_changes_lead_there_and_back_after_postgres_has_kept_them(
    database: Database, pair: tuple[Document, Document]
) -> None:
    before, after = pair
    encoded = [changes.to_json(change) for change in diff.diff(before, after)]
    async with database.connection() as connection:
        kept = await connection.fetchval("SELECT $1::jsonb", encoded)
    there = [changes.from_json(change) for change in kept]
    assert values.equal(apply.apply(before, there), after)
    assert values.equal(apply.apply(after, changes.inverse(there)), before)


@pytest.mark.parametrize(
    ("change", "encoded"),
    [
        (Change(("a",), value=None), {"path": ["a"], "value": None}),
        (Change(("a",), value=1, before=None), {"path": ["a"], "value": 1, "before": None}),
        (Change(("a", "1"), removal=True, before={}, behind=""), None),
        (Change(("a",), order=("2", "1"), previous_order=("1", "2")), None),
        (Change(("a",), order=(), previous_order=()), {"path": ["a"], "order": [], "before": []}),
    ],
)
def test_null_and_nothing_are_told_apart(change: Change, encoded: dict[str, Any] | None) -> None:
    written: Any = values.load(values.dump(changes.to_json(change)))
    assert encoded is None or written == encoded
    assert changes.from_json(written) == change


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"value": None, "removal": True},
        {"value": 1, "order": ("1",)},
        {"removal": True, "order": ()},
        {"value": 1, "removal": True, "order": ("1",)},
    ],
)
def test_a_change_is_exactly_one_of_a_value_a_removal_and_an_order(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        Change(("a",), **fields)


@pytest.mark.parametrize(
    ("paths", "only"),
    [
        ([], True),
        ([("lastSaved",)], True),
        ([("lastSaved", "at")], True),
        ([("lastSaved",), ("a",)], False),
        ([("a", "lastSaved")], False),
        ([("lastSavedBy",)], False),
    ],
)
def test_the_clock_alone_is_no_change(paths: list[tuple[str, ...]], *, only: bool) -> None:
    assert changes.is_only_clock(Change(path, value=1) for path in paths) is only
