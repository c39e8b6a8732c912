"""What holds whatever people do: tabs edit one workflow at once, on a bad network, with all that is odd about JSON."""

import uuid
from dataclasses import replace
from itertools import combinations
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings

from db import conflicts
from db.workflows import Role
from merge import apply, changes, diff, repair, values
from merge.changes import ABSENT, CLOCK, Absent, Change, Path
from merge.values import Value
from resolvers import documents, history, sync, workflows
from resolvers.answers import Answer
from resolvers.context import Context
from resolvers.saves import Save, Status
from tests.documents import Document
from tests.merge import drawings, leaves, meetings
from tests.merge.dice import Dice, dice
from tests.resolvers import stores, tabs
from tests.resolvers.memory import OWNER, Decided, Memory, Undo, stored

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


def is_same(one: Answer, other: Answer) -> bool:
    """Say whether clients hear the same: whenever it was, and in whichever order of paths."""
    return values.equal(content(one), content(other))


def content(answer: Answer) -> Value:
    told = [conflicts.to_json(conflict) | {"id": None, "theirs_at": None} for conflict in answer.conflicts]
    written = [changes.to_json(change) for change in answer.changes]
    repairs = [repair.to_json(found) for found in answer.repairs]
    problems = [[problem.path, problem.code] for problem in answer.problems]
    by_path = [sorted(found, key=lambda row: row["path"]) for found in (written, told, repairs)]
    return cast("Value", stored([answer.status, answer.version, by_path, problems]))


def saves(server: Memory) -> list[tuple[Decided, Save]]:
    """List the saves that tabs sent, in the order in which they were decided."""
    return [(decided, decided.request) for decided in server.log if isinstance(decided.request, Save)]


@given(SESSIONS)
def test_what_is_sent_again_is_answered_as_before_and_changes_nothing(dice: Dice) -> None:
    server = tabs.played(dice).server
    version, clients = server.version, dict(server.clients)
    for decided, save in dice.shuffled(saves(server)):
        assert is_same(server.save(decided.user, save), decided.answer)
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


# The same in Postgres

EVENTS_IN_POSTGRES = 30  # about eight saves
in_postgres = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.fixture
def users(owner: Context, editor: Context) -> dict[str, Context]:
    """Those whose tabs edit workflows."""
    return {OWNER: owner, "editor": editor}


async def ask(users: dict[str, Context], workflow: str, decided: Decided) -> Answer:
    """Ask the server what memory was asked."""
    context, request = users[decided.user], decided.request
    if isinstance(request, Undo):
        return await history.undo(context, workflow, request.version, None)
    return await sync.sync(context, replace(request, id=workflow))


async def replayed(users: dict[str, Context], server: Memory) -> str:
    """Bring a workflow of its own to where one in memory is, and give its id; every answer is the same."""
    workflow = str(uuid.uuid4())
    for decided in server.log:
        assert is_same(await ask(users, workflow, decided), decided.answer)
        if decided.answer.status is Status.CREATED:
            await workflows.share(users[OWNER], workflow, "editor", Role.EDITOR)
    return workflow


@pytest.mark.timeout(900)  # on a busy machine
@in_postgres
@given(dice=SESSIONS)
async def test_what_is_sent_again_changes_nothing_in_postgres(users: dict[str, Context], dice: Dice) -> None:
    server = tabs.played(dice, events=EVENTS_IN_POSTGRES).server
    workflow, database = await replayed(users, server), users[OWNER].database
    before = await stores.everything(database, workflow)
    for decided, save in dice.shuffled(saves(server))[:5]:
        answer = await sync.sync(users[decided.user], replace(save, id=workflow))
        assert answer.replayed
        assert is_same(answer, decided.answer)
    assert await stores.everything(database, workflow) == before


@pytest.mark.timeout(900)  # on a busy machine
@in_postgres
@given(dice=SESSIONS)
async def test_the_journal_in_postgres_folded_from_any_checkpoint_gives_the_stored_state(
    users: dict[str, Context], dice: Dice
) -> None:
    server = tabs.played(dice, events=EVENTS_IN_POSTGRES).server
    workflow, database = await replayed(users, server), users[OWNER].database
    for version in range(1, server.version + 1, 2):
        await history.label(users[OWNER], workflow, version, "kept")  # in a checkpoint of its own
    journal = await stores.rows(database, "workflow_changes", workflow)
    checkpoints = {
        row["version"]: row["state"] for row in await stores.rows(database, "workflow_checkpoints", workflow)
    }
    assert [row["version"] for row in journal] == list(range(1, server.version + 1))
    assert checkpoints.keys() >= set(range(1, server.version + 1, 2))
    for version, state in [(0, {}), *checkpoints.items()]:
        saved = (change for row in journal[version:] for change in row["changes"])
        folded = apply.apply(state, map(changes.from_json, saved))
        assert values.equal(folded, await stores.document(users["editor"], workflow))
