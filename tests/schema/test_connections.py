"""Cursors are read back as they were given out, and anything else is refused in words."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.workflows import Head, Role
from resolvers import errors
from resolvers.workflows import HeadPage
from schema import connections, versions, workflows
from schema.workflows import WorkflowConnection

NOON = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
HEAD = Head("w", "owner", "Plan", 1, Role.OWNER, "owner", NOON, NOON, None)


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@given(
    st.timedeltas(timedelta(0), timedelta(days=100_000)).map(lambda age: NOON - age),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=128),
)
def test_the_cursor_of_a_workflow_is_exact(saved_at: datetime, workflow_id: str) -> None:
    head = replace(HEAD, id=workflow_id, saved_at=saved_at)
    page = WorkflowConnection.of(HeadPage([head], has_next=False), None)
    assert workflows.cursor(page.page_info.start_cursor) == (saved_at, workflow_id)


@given(st.integers(1, 2**31 - 1))
def test_the_cursor_of_a_version_is_exact(version: int) -> None:
    assert versions.cursor(connections.encode(version)) == version


def test_no_cursor_is_the_beginning() -> None:
    assert workflows.cursor(None) is None
    assert versions.cursor(None) is None


GARBAGE = [
    "",
    "w",
    "=",
    "====",
    "é",
    "\0",
    "\ud800",
    "a" * 100_001,
    encoded(None),
    encoded({}),
    encoded([]),
    encoded([[]]),
    encoded("text"),
    base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    base64.urlsafe_b64encode(b"[" * 10_000).decode(),
    base64.urlsafe_b64encode(b'[0,"\\ud800"]').decode(),
]


@pytest.mark.parametrize(
    "cursor",
    [
        *GARBAGE,
        encoded([0]),
        encoded(["2026-01-01T00:00:00", "w"]),
        encoded([0, "w", 1]),
        encoded([0, 0]),
        encoded([True, "w"]),
        encoded([0.5, "w"]),
        encoded([None, "w"]),
        encoded([2**63 - 1, "w"]),
        encoded([-(2**63), "w"]),
        encoded([253402300800_000000, "w"]),
        encoded([0, ""]),
        encoded([0, "\0"]),
        encoded([0, "x" * 129]),
    ],
    ids=lambda cursor: f"{cursor!r:.30}",
)
def test_what_is_no_cursor_of_a_workflow_is_refused(cursor: str) -> None:
    with pytest.raises(errors.BadUserInputError, match="`after` is no cursor"):
        workflows.cursor(cursor)


@pytest.mark.parametrize(
    "cursor",
    [
        *GARBAGE,
        encoded([0]),
        encoded([-1]),
        encoded([2**31]),
        encoded([2**70]),
        encoded([True]),
        encoded(["1"]),
        encoded([1, 2]),
    ],
    ids=lambda cursor: f"{cursor!r:.30}",
)
def test_what_is_no_cursor_of_a_version_is_refused(cursor: str) -> None:
    with pytest.raises(errors.BadUserInputError, match="`after` is no cursor"):
        versions.cursor(cursor)


def test_a_page_says_where_it_stands() -> None:
    first = connections.page_info(["a", "b"], has_next=True, after=None)
    assert (first.has_previous_page, first.has_next_page, first.start_cursor, first.end_cursor) == (
        False,
        True,
        "a",
        "b",
    )
    last = connections.page_info([], has_next=False, after="b")
    assert (last.has_previous_page, last.has_next_page, last.start_cursor, last.end_cursor) == (True, False, None, None)
