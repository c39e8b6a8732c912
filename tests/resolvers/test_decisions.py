"""How a save is decided, whatever the database: from what stands and what was sent to what is answered and written."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given

from db.clients import NEW, Client
from db.journal import Entry
from db.workflows import Head, Role
from merge import apply, changes, diff, shapes, values
from merge.changes import Change
from merge.three_way import Side
from resolvers import decisions, submissions
from resolvers.context import Context, Limits, UserId, Viewer
from resolvers.decisions import Base, Decision, Standing
from resolvers.saves import Mode, Reason, Save, Status
from resolvers.submissions import Submission
from tests.documents import Document
from tests.merge.strategies import DOCUMENTS, PAIRS

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HEAD = Head("w", "owner", "Plan", 5, Role.OWNER, "owner", NOW, NOW, None)
KNOWN = Client(last_sequence=7, last_version=3, answers={})
OFFLINE: Any = None  # a decision asks no database


def submit(save: Save) -> Submission:
    return submissions.submit(Context(OFFLINE, OFFLINE, OFFLINE, Limits(), Viewer(UserId("owner"))), save)


def base(state: Document, *, stands: Document) -> Base:
    """Make a base at version 3, since when somebody else has changed the document to what stands."""
    written = [changes.to_json(change) for change in diff.diff(state, stands)]
    other = Entry("w", 5, written, [], [], "other", NOW, "their tab", "MANUAL", None)
    return Base(3, state, (other,))


def decide(sent: Any, *, stands: Document, base: Base | None = None, **how: Any) -> Decision:  # noqa: ANN401 -- JSON
    """Decide a save of `sent` on version 5."""
    standing = Standing(HEAD, stands, KNOWN, base or Base(5, stands))
    return decisions.decide(submit(Save("w", sent, **how)), standing)


def told(decision: Decision) -> list[tuple[tuple[str, ...], object, str]]:
    """Give the path, the sides and the winner of each conflict."""
    return [(conflict.path, conflict.sides, conflict.winner) for conflict in decision.conflicts]


def test_a_workflow_that_is_not_there_is_created() -> None:
    decision = decisions.decide(submit(Save("w", {"a": 1})), Standing(None, {}, NEW, Base(0, {})))
    assert decision == Decision(Status.CREATED, 1, 1, document={"a": 1}, written=(Change(("a",), value=1),))


def test_an_empty_document_is_created_too() -> None:
    decision = decisions.decide(submit(Save("w", {})), Standing(None, {}, NEW, Base(0, {})))
    assert decision == Decision(Status.CREATED, 1, 1, document={})


def test_changes_create_from_nothing() -> None:
    save = Save("w", changes=(Change(("a",), value={}), Change(("a", "b"), value=1)), base_version=0)
    decision = decisions.decide(submit(save), Standing(None, {}, NEW, Base(0, {})))
    assert (decision.status, decision.document) == (Status.CREATED, {"a": {"b": 1}})


def test_what_changed_is_saved() -> None:
    decision = decide({"a": 2}, stands={"a": 1})
    written = (Change(("a",), value=2, before=1),)
    assert decision == Decision(Status.SAVED, 6, 6, document={"a": 2}, written=written)


def test_what_did_not_change_is_not_saved() -> None:
    assert decide({"a": 1.0}, stands={"a": 1}) == Decision(Status.UNCHANGED, 5, 5)


def test_a_document_with_problems_is_rejected_and_nothing_of_it_is_looked_at() -> None:
    decision = decide("no document", stands={"a": 1})
    assert (decision.status, decision.version, decision.held, decision.document) == (Status.REJECTED, 5, 3, None)
    assert [problem.code for problem in decision.problems] == ["NOT_AN_OBJECT"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (Change((), value=1), "empty"),
        (Change(("a", "x"), value=1), "single value"),
        (Change(("gone", "x"), value=1), "nothing at 'gone'"),
        (Change(("gone",), removal=True), "nothing at 'gone'"),
        (Change(("list", "i"), value=1), "object with the `id`"),
        (Change(("list",), order=("i", "i")), "name each item"),
    ],
)
def test_a_change_that_leads_nowhere_is_rejected_with_its_path(change: Change, reason: str) -> None:
    stands = {"a": 1, "list": [{"id": "i"}]}
    decision = decide(changes.ABSENT, stands=stands, changes=(change,), base_version=5)
    (problem,) = decision.problems
    assert (decision.status, problem.code, problem.path) == (Status.REJECTED, "PATH", change.path)
    assert reason in problem.message


def test_a_change_that_brings_what_cannot_be_stored_is_rejected_with_its_path() -> None:
    change = Change(("a",), value={"b": "\0"})
    decision = decide(changes.ABSENT, stands={}, changes=(change,), base_version=5)
    assert [(problem.path, problem.code) for problem in decision.problems] == [(("a", "b"), "NUL_CHARACTER")]


def test_a_save_to_the_trash_is_rejected_and_kept() -> None:
    standing = Standing(replace(HEAD, deleted_at=NOW), {"a": 1}, KNOWN, Base(5, {"a": 1}))
    decision = decisions.decide(submit(Save("w", {"a": 1})), standing)
    assert (decision.status, decision.version, decision.document) == (Status.REJECTED, 5, None)
    assert decision.payload == {"a": 1}
    assert [problem.code for problem in decision.problems] == ["DELETED"]


def test_a_base_out_of_reach_is_resynced_and_kept() -> None:
    decision = decide({"a": 2}, stands={"a": 1}, base=Base(9, None))
    assert decision == Decision(Status.RESYNC, 5, 3, payload={"a": 2})


def test_of_two_values_the_later_one_wins_and_the_other_is_told() -> None:
    stands = {"a": 3, "b": 1}
    decision = decide({"a": 2, "b": 1}, stands=stands, base=base({"a": 1, "b": 1}, stands=stands))
    assert (decision.status, decision.version, decision.document) == (Status.MERGED, 6, {"a": 2, "b": 1})
    assert told(decision) == [(("a",), {"base": 1, "theirs": 3, "yours": 2}, Side.YOURS)]


def test_edits_of_both_are_merged_and_the_client_is_told_what_it_lacks() -> None:
    stands = {"a": 1, "b": 2}
    decision = decide({"a": 2, "b": 1}, stands=stands, base=base({"a": 1, "b": 1}, stands=stands))
    assert (decision.status, decision.document) == (Status.MERGED, {"a": 2, "b": 2})
    assert decision.answer == (Change(("b",), value=2, before=1),)
    assert decision.held == 3  # it may not apply that


def test_strict_writes_nothing_where_something_collides() -> None:
    stands = {"a": 3, "b": 1}
    decision = decide({"a": 2, "b": 1}, stands=stands, base=base({"a": 1, "b": 1}, stands=stands), mode=Mode.STRICT)
    assert (decision.status, decision.version, decision.document) == (Status.CONFLICT, 5, None)
    assert decision.payload == {"a": 2, "b": 1}
    assert decision.answer == (Change(("a",), value=3, before=2),)
    assert told(decision) == [(("a",), {"base": 1, "theirs": 3, "yours": 2}, Side.THEIRS)]


def test_strict_merges_what_does_not_collide() -> None:
    stands = {"a": 1, "b": 2}
    decision = decide({"a": 2, "b": 1}, stands=stands, base=base({"a": 1, "b": 1}, stands=stands), mode=Mode.STRICT)
    assert (decision.status, decision.document) == (Status.MERGED, {"a": 2, "b": 2})


def test_overwrite_writes_nothing_where_anything_was_saved_since() -> None:
    stands = {"a": 1, "b": 2}
    decision = decide({"a": 2, "b": 1}, stands=stands, base=base({"a": 1, "b": 1}, stands=stands), mode=Mode.OVERWRITE)
    assert (decision.status, decision.document, decision.payload) == (Status.CONFLICT, None, {"a": 2, "b": 1})


def test_an_emptying_save_at_unload_is_kept_for_nobody_waits_for_its_answer() -> None:
    assert decide(EMPTIED, stands=FULL, reason=Reason.UNLOAD).payload == EMPTIED
    assert decide(EMPTIED, stands=FULL).payload is None


def test_values_of_somebody_else_that_a_save_without_a_base_replaces_are_told() -> None:
    stands: Document = {"mine": 1, "theirs": 1, "reset": 2}
    rows = [("other", {"mine": 1, "theirs": 1, "reset": 1}), ("owner", {"reset": 2})]
    trace = tuple(
        Entry(
            "w",
            4 + n,
            [{"path": [key], "value": value} for key, value in made.items()],
            [],
            [],
            by,
            NOW,
            None,
            "",
            None,
        )
        for n, (by, made) in enumerate([("owner", {"mine": 0}), *rows, ("owner", {"mine": 1})])
    )
    decision = decide({"mine": 5, "reset": 5}, stands=stands, base=Base(0, stands, trace=trace))
    assert told(decision) == [(("theirs",), {"base": 1, "theirs": 1}, Side.YOURS)]


def test_the_same_content_as_what_stands_is_unchanged_on_a_stale_base() -> None:
    decision = decide({"a": 3}, stands={"a": 3}, base=base({"a": 1}, stands={"a": 3}))
    assert decision == Decision(Status.UNCHANGED, 5, 5)


def test_the_same_content_as_the_base_is_unchanged_and_leads_on() -> None:
    decision = decide({"a": 1}, stands={"a": 3}, base=base({"a": 1}, stands={"a": 3}))
    assert decision == Decision(Status.UNCHANGED, 5, 3, answer=(Change(("a",), value=3, before=1),))


CLOCKS = [
    ({"lastSaved": 1}, {"lastSaved": 2}),
    ({"lastSaved": 1}, {}),
    ({}, {"lastSaved": "2026-01-01"}),
    ({"lastSaved": {"at": 1}}, {"lastSaved": {"at": 2}}),
]


@pytest.mark.parametrize(("stands", "sent"), CLOCKS)
def test_the_clock_alone_is_no_change(stands: Document, sent: Document) -> None:
    decision = decide({"a": 1, **sent}, stands={"a": 1, **stands})
    assert (decision.status, decision.document) == (Status.UNCHANGED, None)
    assert apply.apply({"a": 1, **sent}, decision.answer) == {"a": 1, **stands}


@pytest.mark.parametrize(("stands", "sent"), CLOCKS)
def test_the_clock_is_written_with_the_next_real_change(stands: Document, sent: Document) -> None:
    decision = decide({"a": 2, **sent}, stands={"a": 1, **stands})
    assert decision.status is Status.SAVED
    assert apply.apply({"a": 1, **stands}, decision.written) == {"a": 2, **sent}


@pytest.mark.parametrize(("stands", "sent"), CLOCKS)
def test_the_clock_never_conflicts(stands: Document, sent: Document) -> None:
    ticked = base({"a": 1, "b": 1, "lastSaved": 0}, stands={"a": 2, "b": 1, **stands})
    decision = decide({"a": 1, "b": 2, **sent}, stands={"a": 2, "b": 1, **stands}, base=ticked)
    assert (decision.status, decision.conflicts) == (Status.MERGED, ())
    assert decision.document == {"a": 2, "b": 2, **sent}


def test_a_clock_further_down_is_content() -> None:
    assert decide({"a": {"lastSaved": 2}}, stands={"a": {"lastSaved": 1}}).status is Status.SAVED


FULL: Document = {"blocks": {"a": {}}, "edges": []}
EMPTIED: Document = {"blocks": {}, "edges": []}


def test_a_save_that_wipes_every_block_is_rejected() -> None:
    decision = decide(EMPTIED, stands=FULL)
    assert (decision.status, decision.document, decision.version, decision.held) == (Status.REJECTED, None, 5, 3)
    assert [problem.code for problem in decision.problems] == ["EMPTY"]


def test_a_save_that_may_wipe_every_block_is_saved() -> None:
    assert decide(EMPTIED, stands=FULL, allow_empty=True).status is Status.SAVED


def test_what_somebody_else_emptied_stays_empty() -> None:
    assert decide(EMPTIED, stands=EMPTIED, base=base(FULL, stands=EMPTIED)).status is Status.UNCHANGED
    assert decide(FULL, stands=EMPTIED, base=base(FULL, stands=EMPTIED)).status is Status.UNCHANGED


def test_a_save_wipes_what_its_base_had_and_not_what_came_since() -> None:
    """The client never saw a block: an unhydrated page and a new workflow look the same to it."""
    sent: Document = {"blocks": {}, "edges": [], "x": 1}
    assert decide(sent, stands=FULL, base=base(EMPTIED, stands=FULL)).document == {**FULL, "x": 1}
    assert decide(sent, stands=EMPTIED, base=base(FULL, stands=EMPTIED)).status is Status.REJECTED


@given(PAIRS)
def test_what_is_written_leads_from_what_stood_to_what_was_sent(pair: tuple[Document, Document]) -> None:
    stands, sent = pair
    decision = decide(sent, stands=stands, allow_empty=True)
    if decision.document is None:
        assert decision.status is Status.UNCHANGED
        assert values.equal(apply.apply(sent, decision.answer), stands)
    else:
        assert decision.status is Status.SAVED
        assert not changes.is_only_clock(decision.written)
        assert decision.answer == ()
        assert values.equal(apply.apply(stands, decision.written), sent)


@given(PAIRS, DOCUMENTS)
def test_every_answer_leads_from_what_was_sent_to_what_then_stands(
    pair: tuple[Document, Document], ground: Document
) -> None:
    stands, sent = pair
    decision = decide(sent, stands=stands, base=base(ground, stands=stands))
    if decision.status is Status.REJECTED:
        assert shapes.empties(ground, sent)
        return
    assert decision.status in {Status.UNCHANGED, Status.SAVED, Status.MERGED}
    then = stands if decision.document is None else decision.document
    assert values.equal(apply.apply(sent, decision.answer), then)
    assert values.equal(apply.apply(stands, decision.written), then)
