"""What holds whatever people do: tabs edit one workflow at once, on a bad network, with all that is odd about JSON."""

from itertools import combinations
from typing import cast

from hypothesis import given

from db import conflicts
from merge import apply, changes, diff, repair, values
from merge.changes import ABSENT, CLOCK, Absent, Change, Path
from merge.values import Value
from resolvers import documents
from resolvers.answers import Answer
from resolvers.saves import Save, Status
from tests.documents import Document
from tests.merge import drawings, leaves, meetings
from tests.merge.dice import Dice, dice
from tests.resolvers import tabs
from tests.resolvers.memory import OWNER, Decided, Memory

SESSIONS = dice(800)


# Everybody ends with the same document


@given(SESSIONS)
def test_what_a_tab_confirmed_is_the_document_of_its_version_at_every_moment(dice: Dice) -> None:
    session = tabs.opened(dice)
    for _ in range(tabs.EVENTS):
        session.step()
        for tab in session.tabs:
            assert values.equal(tab.confirmed, session.server.states[tab.version])


@given(SESSIONS)
def test_when_everything_has_arrived_every_tab_shows_the_document_of_the_server(dice: Dice) -> None:
    session = tabs.played(dice)
    session.settle()
    for tab in session.tabs:
        assert tab.version == session.server.version
        assert values.equal(tab.shown, session.server.state)


# What is sent again


def content(answer: Answer) -> bytes:
    """Give what a client hears, without the time and without what tells one conflict from another."""
    told = [conflicts.to_json(conflict) | {"id": None, "theirs_at": None} for conflict in answer.conflicts]
    return values.canonical(
        [
            answer.status,
            answer.version,
            [changes.to_json(change) for change in answer.changes],
            told,
            [repair.to_json(found) for found in answer.repairs],
            [[problem.path, problem.code] for problem in answer.problems],
        ]
    )


def saves(server: Memory) -> list[tuple[Decided, Save]]:
    """List the saves that tabs sent, in the order in which they were decided."""
    return [(decided, decided.request) for decided in server.log if isinstance(decided.request, Save)]


@given(SESSIONS)
def test_what_is_sent_again_is_answered_as_before_and_changes_nothing(dice: Dice) -> None:
    server = tabs.played(dice).server
    version, clients = server.version, dict(server.clients)
    for decided, save in dice.shuffled(saves(server)):
        assert content(server.save(decided.user, save)) == content(decided.answer)
    assert (server.version, server.clients) == (version, clients)


# The journal


@given(SESSIONS)
def test_the_journal_folded_from_any_checkpoint_gives_the_stored_state(dice: Dice) -> None:
    server = tabs.played(dice).server
    for version, checkpoint in enumerate(server.states):
        assert values.equal(documents.fold(checkpoint, server.entries[version:]), server.state)


@given(SESSIONS)
def test_undo_of_the_last_version_gives_the_version_before(dice: Dice) -> None:
    server = tabs.played(dice).server
    *_, before, last = server.states
    answer = server.undo("editor", server.version)
    if answer.status is Status.UNCHANGED:
        assert changes.is_only_clock(diff.diff(before, last))  # alone it is no change: this made the first version
    else:
        assert values.equal(server.state, before)


# Edits that do not touch


@given(dice(800))
def test_edits_of_different_paths_all_hold_whatever_their_order_and_their_bases(dice: Dice) -> None:
    server = Memory()
    start = meetings.documents(dice)
    server.save(OWNER, Save("w", start, base_version=0))
    edits = dice.shuffled(apart(start, meetings.edited(dice, meetings.edited(dice, start))))
    for change in edits:
        base = 1 + dice.number(server.version)
        user, client = dice.pick([(OWNER, "tab 1"), (OWNER, "tab 2"), ("editor", "tab 1"), ("editor", None)])
        save = Save("w", changes=(change,), base_version=base, client_id=client, allow_empty=True)
        answer = server.save(user, save)
        assert (answer.status in {Status.SAVED, Status.MERGED}, answer.conflicts, answer.repairs) == (True, (), ())
    expected = apply.apply(start, edits)
    assert all(change.order is not None for change in diff.diff(server.state, expected))


def apart(before: Document, after: Document) -> list[Change]:
    """List changes that have no path in common, and none that is inside another."""
    found = tabs.told(diff.diff(before, after))
    return [change for change in found if change.order is None and change.path[:1] != CLOCK]


# What is told of collisions


def merges(server: Memory) -> list[tuple[Decided, Document, Document]]:
    """List what met saves of others, each with its base and with what its sender made of that."""
    return [
        (decided, decided.standing.base.state, made(decided.submission.save, decided.standing.base.state))
        for decided in server.log
        if decided.standing.base.others and decided.standing.base.state is not None
    ]


def made(save: Save, base: Document) -> Document:
    return cast("Document", save.state) if save.changes is None else apply.apply(base, save.changes)


@given(SESSIONS)
def test_every_value_of_either_side_stands_or_is_told(dice: Dice) -> None:
    for decided, base, yours in merges(tabs.played(dice).server):
        if decided.answer.status in {Status.SAVED, Status.MERGED, Status.UNCHANGED}:
            stands = decided.standing.state
            found = leaves.of(stands if decided.decision.document is None else decided.decision.document)
            mine = leaves.without(leaves.new(base, yours), found)
            theirs = leaves.without(leaves.without(leaves.new(base, stands), found), told(decided.answer))
            assert not [path for path in mine | theirs if not is_repaired(path, decided.answer)]


def told(answer: Answer) -> dict[Path, object]:
    """Give the values of others that lost, by their paths."""
    sides = ((conflict.path, conflict.sides.get("theirs", ABSENT)) for conflict in answer.conflicts)
    return {path: leaf for root, theirs in sides for path, leaf in leaves.of(theirs, root).items()}


def is_repaired(path: Path, answer: Answer) -> bool:
    return any(path[: len(found.path)] == found.path for found in answer.repairs)


@given(SESSIONS)
def test_only_what_both_sides_changed_to_something_else_is_a_conflict_and_each_path_once(dice: Dice) -> None:
    for decided, base, yours in merges(tabs.played(dice).server):
        stands = decided.standing.state
        authors = {entry.version: entry.saved_by for entry in decided.standing.base.others}
        for conflict in decided.answer.conflicts:
            sides = [apply.find(document, conflict.path) for document in (base, stands, yours)]
            assert [conflict.sides.get(side, ABSENT) for side in ("base", "theirs", "yours")] == sides
            assert not any(is_one(a, b) for a, b in combinations(sides, 2))
            assert (conflict.yours_by, conflict.theirs_by) == (decided.user, authors[conflict.theirs_version])
        paths = [conflict.path for conflict in decided.answer.conflicts]
        assert not any(a == b[: len(a)] or b == a[: len(b)] for a, b in combinations(paths, 2))


def is_one(a: Value | Absent, b: Value | Absent) -> bool:
    return a is b or (not isinstance(a, Absent) and not isinstance(b, Absent) and values.equal(a, b))


# The graph


@given(SESSIONS)
def test_the_graph_is_sound_after_any_merge_of_sound_graphs(dice: Dice) -> None:
    for decided, _, yours in merges(tabs.played(dice, drawings.SHAPES).server):
        stands = decided.standing.state
        merged = stands if decided.decision.document is None else decided.decision.document
        if (
            all(map(drawings.is_graph, (yours, stands, merged)))
            and drawings.is_sound(yours)
            and drawings.is_sound(stands)
        ):
            assert drawings.is_sound(merged)
