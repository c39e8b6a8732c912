"""How a save is decided, whatever the database: from what stands and what was sent to what is answered and written."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given

from db.clients import NEW, Client
from db.workflows import Head, Role
from merge import apply, changes, shapes, values
from merge.changes import Change
from merge.values import Problem
from resolvers import saves
from resolvers.saves import Base, Decision, Document, Mode, Save, Standing, Status
from tests.merge.strategies import DOCUMENTS, PAIRS

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HEAD = Head("w", "owner", "Plan", 5, Role.OWNER, "owner", NOW, NOW, None)
KNOWN = Client(last_sequence=7, last_version=3, answers={})


def decide(
    sent: Document, *, stands: Document, base: Base | None = None, mode: Mode = Mode.MERGE, allow_empty: bool = False
) -> Decision:
    """Decide a save of `sent` on version 5."""
    standing = Standing(HEAD, stands, KNOWN, base or Base(5))
    return saves.decide(Save("w", sent, mode=mode, allow_empty=allow_empty), standing, ())


def test_a_workflow_that_is_not_there_is_created() -> None:
    decision = saves.decide(Save("w", {"a": 1}), Standing(None, {}, NEW, Base(0)), ())
    assert decision == Decision(Status.CREATED, 1, 1, written=(Change(("a",), value=1),))


def test_an_empty_document_is_created_too() -> None:
    decision = saves.decide(Save("w", {}), Standing(None, {}, NEW, Base(0)), ())
    assert decision == Decision(Status.CREATED, 1, 1, written=())


def test_what_changed_is_saved() -> None:
    decision = decide({"a": 2}, stands={"a": 1})
    assert decision == Decision(Status.SAVED, 6, 6, written=(Change(("a",), value=2, before=1),))


def test_what_did_not_change_is_not_saved() -> None:
    assert decide({"a": 1.0}, stands={"a": 1}) == Decision(Status.UNCHANGED, 5, 5)


def test_a_document_with_problems_is_rejected_and_nothing_of_it_is_looked_at() -> None:
    problem = Problem(("a",), "NUL_CHARACTER", "...")
    standing = Standing(HEAD, {"a": 1}, KNOWN, Base(5))
    decision = saves.decide(Save("w", "no document"), standing, (problem,))
    assert decision == Decision(Status.REJECTED, 5, 3, problems=(problem,))


def test_a_save_to_the_trash_is_rejected_and_kept() -> None:
    standing = Standing(replace(HEAD, deleted_at=NOW), {"a": 1}, KNOWN, Base(5))
    decision = saves.decide(Save("w", {"a": 1}), standing, ())
    assert (decision.status, decision.version, decision.written, decision.kept) == (Status.REJECTED, 5, None, True)
    assert [problem.code for problem in decision.problems] == ["DELETED"]


def test_a_base_out_of_reach_is_resynced_and_kept() -> None:
    decision = decide({"a": 2}, stands={"a": 1}, base=Base(9, reachable=False))
    assert decision == Decision(Status.RESYNC, 5, 3, kept=True)


@pytest.mark.parametrize("mode", Mode)
def test_different_content_on_a_stale_base_conflicts_whatever_the_mode(mode: Mode) -> None:
    decision = decide({"a": 2, "b": 1}, stands={"a": 3, "b": 1}, base=Base(3, state={"a": 1, "b": 1}), mode=mode)
    back = Change(("a",), value=3, before=2)
    assert decision == Decision(Status.CONFLICT, 5, 3, answer=(back,), kept=True)


def test_the_same_content_as_what_stands_is_unchanged_on_a_stale_base() -> None:
    decision = decide({"a": 3}, stands={"a": 3}, base=Base(3, state={"a": 1}))
    assert decision == Decision(Status.UNCHANGED, 5, 5)


def test_the_same_content_as_the_base_is_unchanged_and_leads_on() -> None:
    decision = decide({"a": 1}, stands={"a": 3}, base=Base(3, state={"a": 1}))
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
    assert (decision.status, decision.written) == (Status.UNCHANGED, None)
    assert apply.apply({"a": 1, **sent}, decision.answer) == {"a": 1, **stands}


@pytest.mark.parametrize(("stands", "sent"), CLOCKS)
def test_the_clock_is_written_with_the_next_real_change(stands: Document, sent: Document) -> None:
    decision = decide({"a": 2, **sent}, stands={"a": 1, **stands})
    assert decision.status is Status.SAVED
    assert decision.written is not None
    assert apply.apply({"a": 1, **stands}, decision.written) == {"a": 2, **sent}


@pytest.mark.parametrize(("stands", "sent"), CLOCKS)
def test_the_clock_never_conflicts(stands: Document, sent: Document) -> None:
    decision = decide({"a": 1, **sent}, stands={"a": 2, **stands}, base=Base(3, state={"a": 1, "lastSaved": 0}))
    assert decision.status is Status.UNCHANGED


def test_a_clock_further_down_is_content() -> None:
    assert decide({"a": {"lastSaved": 2}}, stands={"a": {"lastSaved": 1}}).status is Status.SAVED


FULL: Document = {"blocks": {"a": {}}, "edges": []}
EMPTIED: Document = {"blocks": {}, "edges": []}


def test_a_save_that_wipes_every_block_is_rejected() -> None:
    decision = decide(EMPTIED, stands=FULL)
    assert (decision.status, decision.written, decision.version, decision.held) == (Status.REJECTED, None, 5, 3)
    assert [problem.code for problem in decision.problems] == ["EMPTY"]


def test_a_save_that_may_wipe_every_block_is_saved() -> None:
    assert decide(EMPTIED, stands=FULL, allow_empty=True).status is Status.SAVED


def test_what_somebody_else_emptied_stays_empty() -> None:
    assert decide(EMPTIED, stands=EMPTIED, base=Base(3, state=FULL)).status is Status.UNCHANGED


def test_a_save_wipes_what_its_base_had_and_not_what_came_since() -> None:
    """The client never saw a block: an unhydrated page and a new workflow look the same to it."""
    assert decide({"blocks": {}, "x": 1}, stands=FULL, base=Base(3, state=EMPTIED)).status is Status.CONFLICT
    assert decide({"blocks": {}, "x": 1}, stands=EMPTIED, base=Base(3, state=FULL)).status is Status.REJECTED


@given(PAIRS)
def test_what_is_written_leads_from_what_stood_to_what_was_sent(pair: tuple[Document, Document]) -> None:
    stands, sent = pair
    decision = decide(sent, stands=stands, allow_empty=True)
    if decision.written is None:
        assert decision.status is Status.UNCHANGED
        assert values.equal(apply.apply(sent, decision.answer), stands)
    else:
        assert decision.status is Status.SAVED
        assert not changes.is_only_clock(decision.written)
        assert decision.answer == ()
        assert values.equal(apply.apply(stands, decision.written), sent)


@given(PAIRS, DOCUMENTS)
def test_every_answer_leads_from_what_was_sent_to_what_stands(pair: tuple[Document, Document], base: Document) -> None:
    stands, sent = pair
    decision = decide(sent, stands=stands, base=Base(3, state=base))
    if decision.status is Status.REJECTED:
        assert shapes.empties(base, sent)
    else:
        assert decision.status in {Status.UNCHANGED, Status.CONFLICT}
        assert decision.kept is (decision.status is Status.CONFLICT)
        assert values.equal(apply.apply(sent, decision.answer), stands)
    assert decision.written is None
