"""Saves at the same time: what can be merged gets in, the others hear of it, nothing is mixed or lost."""

import asyncio
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest

from db.database import Database
from db.hub import Hub
from db.workflows import Role
from merge import apply
from merge.changes import Change
from resolvers import errors, history, sync, workflows
from resolvers.answers import Answer
from resolvers.context import Context
from resolvers.saves import Mode, Save, Status
from tests import documents
from tests.documents import Document
from tests.resolvers import stores
from tests.resolvers.conftest import in_both_modes

pytestmark = in_both_modes

MANY = 50


def document(n: int) -> Document:
    return {"blocks": {"a": {"x": n}}, "edges": []}


def statuses(answers: list[Answer]) -> Counter[Status]:
    return Counter(answer.status for answer in answers)


async def test_fifty_who_each_move_another_block_on_one_base_all_get_in_at_once(owner: Context) -> None:
    """Nobody tries again: each is answered once, and every move is in the document."""
    blocks = {f"b{n}": {"position": {"x": 0, "y": n}, "name": f"Block {n}"} for n in range(MANY)}
    await sync.sync(owner, Save("w", {"blocks": blocks, "edges": []}))

    def moved(names: Collection[str]) -> Document:
        here = {name: {**block, "position": {"x": 7, "y": 7}} for name, block in blocks.items() if name in names}
        return {"blocks": blocks | here, "edges": []}

    sent = [
        replace(edit, base_version=1, client_id=f"tab {n}", sequence=1)
        for n in range(MANY)
        for edit in [Save("w", moved([f"b{n}"])) if n % 2 else Save("w", changes=_to(f"b{n}", {"x": 7, "y": 7}))]
    ]
    answers = await asyncio.gather(*(sync.sync(owner, save) for save in sent))
    assert statuses(answers) == {Status.SAVED: 1, Status.MERGED: MANY - 1}
    assert sorted(answer.version for answer in answers) == list(range(2, MANY + 2))
    assert not any(answer.conflicts or answer.repairs for answer in answers)
    assert await stores.versions(owner.database) == list(range(1, MANY + 2))
    assert await stores.document(owner) == moved(blocks)
    for n, (save, answer) in enumerate(zip(sent, answers, strict=True)):
        entry = await history.version(owner, await workflows.visible(owner, "w"), answer.version)
        assert entry is not None
        assert entry.client_id == save.client_id
        mine = moved([f"b{n}"])
        assert apply.apply(mine, answer.changes) == await history.state(owner, "w", answer.version)


def _to(block: str, position: Document) -> tuple[Change, ...]:
    return tuple(Change(("blocks", block, "position", axis), value=value) for axis, value in position.items())


@pytest.mark.usefixtures("workflow")
async def test_of_fifty_who_set_the_same_value_on_one_base_all_are_acknowledged_and_the_last_one_wins(
    owner: Context,
) -> None:
    saves = [Save("w", document(100 + n), base_version=1, client_id=f"tab {n}") for n in range(MANY)]
    answers = await asyncio.gather(*(sync.sync(owner, save) for save in saves))
    assert statuses(answers) == {Status.SAVED: 1, Status.MERGED: MANY - 1}
    assert sorted(answer.version for answer in answers) == list(range(2, MANY + 2))
    assert await stores.versions(owner.database) == list(range(1, MANY + 2))
    by_version = {answer.version: (save, answer) for save, answer in zip(saves, answers, strict=True)}
    assert await stores.document(owner) == by_version[MANY + 1][0].state
    assert by_version[2][1].conflicts == ()
    for version in range(3, MANY + 2):
        (conflict,) = by_version[version][1].conflicts
        overwritten: Any = by_version[version - 1][0].state
        assert conflict.sides["theirs"] == overwritten["blocks"]["a"]["x"]
        assert (conflict.path, conflict.theirs_version) == (("blocks", "a", "x"), version - 1)
    assert len(await stores.told(owner.database)) == MANY - 1


@pytest.mark.usefixtures("workflow")
@pytest.mark.parametrize("mode", [Mode.STRICT, Mode.OVERWRITE])
async def test_of_fifty_saves_on_one_base_that_may_not_collide_one_is_saved(owner: Context, mode: Mode) -> None:
    saves = [Save("w", document(100 + n), base_version=1, client_id=f"tab {n}", mode=mode) for n in range(MANY)]
    answers = await asyncio.gather(*(sync.sync(owner, save) for save in saves))
    assert statuses(answers) == {Status.SAVED: 1, Status.CONFLICT: MANY - 1}
    assert {answer.version for answer in answers} == {2}
    assert await stores.versions(owner.database) == [1, 2]
    (winner,) = [save for save, answer in zip(saves, answers, strict=True) if answer.status is Status.SAVED]
    assert await stores.document(owner) == winner.state
    losers = [("owner", save.client_id, 1, save.state) for save in saves if save is not winner]
    assert await stores.kept(owner.database) == sorted(losers, key=lambda loser: str(loser[1]))


@pytest.mark.usefixtures("workflow")
async def test_fifty_saves_of_a_client_without_a_name_are_decided_too(owner: Context) -> None:
    saves = [Save("w", document(100 + n), base_version=1, mode=Mode.STRICT) for n in range(MANY)]
    answers = await asyncio.gather(*(sync.sync(owner, save) for save in saves))
    assert statuses(answers) == {Status.SAVED: 1, Status.CONFLICT: MANY - 1}
    assert len(await stores.kept(owner.database)) == 1


async def test_of_fifty_first_saves_by_two_users_one_makes_the_owner(owner: Context, stranger: Context) -> None:
    async def create(n: int) -> Status | str:
        context = (owner, stranger)[n % 2]
        try:
            sent = Save("new", document(n), base_version=0, client_id=f"tab {n}", mode=Mode.STRICT)
            answer = await sync.sync(context, sent)
        except errors.ForbiddenError as error:
            return error.code
        return answer.status

    outcomes = await asyncio.gather(*(create(n) for n in range(MANY)))
    first = outcomes.index(Status.CREATED)
    winner, loser = (owner, stranger)[first % 2], (stranger, owner)[first % 2]
    assert outcomes[first % 2 :: 2].count(Status.CONFLICT) == MANY // 2 - 1
    assert set(outcomes[(first + 1) % 2 :: 2]) == {"FORBIDDEN"}
    assert await workflows.find(loser, "new") is None
    assert await stores.document(winner, "new") == document(first)
    assert await stores.versions(owner.database, "new") == [1]
    name = winner.known_viewer().id
    for table in ("workflow_clients", "workflow_conflicts"):
        assert {row["user_id"] for row in await stores.rows(owner.database, table)} == {name}
    (row,) = await stores.rows(owner.database, "workflow_changes")
    assert row["saved_by"] == name


@pytest.mark.usefixtures("workflow")
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (Save("w", document(2), base_version=1), Status.SAVED),
        (Save("new", document(2), base_version=0), Status.CREATED),
        (Save("w", document(1), base_version=1), Status.UNCHANGED),
        (Save("w", document(2) | {"n": 1}, base_version=0), Status.MERGED),
        (Save("w", {"n": 1}, base_version=0), Status.MERGED),
        (Save("w", document(2), base_version=0, mode=Mode.STRICT), Status.CONFLICT),
        (Save("w", {}, base_version=1), Status.REJECTED),
    ],
)
async def test_of_twenty_retries_at_once_one_is_decided(owner: Context, sent: Save, status: Status) -> None:
    sent = replace(sent, client_id="tab", sequence=1)
    answers = await asyncio.gather(*(sync.sync(owner, sent) for _ in range(20)))
    assert {(answer.status, answer.version, answer.saved_at) for answer in answers} == {
        (status, answers[0].version, answers[0].saved_at)
    }
    assert Counter(answer.replayed for answer in answers) == {False: 1, True: 19}
    assert len(await stores.versions(owner.database, sent.id)) == answers[0].version


@pytest.mark.usefixtures("workflow")
async def test_of_different_saves_at_once_with_one_sequence_one_counts(owner: Context) -> None:
    async def save(n: int) -> Status | str:
        try:
            return (await sync.sync(owner, Save("w", document(100 + n), client_id="tab", sequence=1))).status
        except errors.BadUserInputError as error:
            return error.code

    outcomes = await asyncio.gather(*(save(n) for n in range(20)))
    assert Counter(outcomes) == {Status.SAVED: 1, "BAD_USER_INPUT": 19}
    assert await stores.versions(owner.database) == [1, 2]


@pytest.mark.usefixtures("workflow")
async def test_writers_who_try_again_on_what_stands_all_get_in(owner: Context, editor: Context) -> None:
    """A counter that everybody raises: what was acknowledged is never overwritten."""

    async def raise_it(context: Context, times: int, client: str) -> None:
        while times:
            head = await workflows.visible(context, "w")
            stands: Any = await history.state(context, "w", head.version)
            state = document(stands["blocks"]["a"]["x"] + 1)
            sent = Save("w", state, base_version=head.version, client_id=client, mode=Mode.STRICT)
            answer = await sync.sync(context, sent)
            times -= answer.status is Status.SAVED

    writers = [raise_it(context, 10, f"tab {n}") for n, context in enumerate([owner, editor] * 4)]
    await asyncio.gather(*writers)
    assert await stores.document(owner) == document(1 + 80)
    assert await stores.versions(owner.database) == list(range(1, 82))


@pytest.mark.usefixtures("workflow")
async def test_every_version_is_what_was_acknowledged_for_it(owner: Context) -> None:
    async def type_away(client: str) -> list[tuple[int, Document]]:
        acknowledged = []
        for n in range(15):
            state = {"blocks": {"a": {"x": client, "y": n}}}
            answer = await sync.sync(owner, Save("w", state))
            assert answer.status is Status.SAVED
            acknowledged.append((answer.version, state))
        return acknowledged

    typed = await asyncio.gather(*(type_away(f"tab {n}") for n in range(6)))
    acknowledged = dict(save for saves in typed for save in saves)
    assert sorted(acknowledged) == list(range(2, 92))
    for version, state in acknowledged.items():
        assert await history.state(owner, "w", version) == state


@pytest.mark.usefixtures("workflow")
async def test_more_savers_than_connections_hinder_nobody(owner: Context, database: Database) -> None:
    async with Database.open(database.url, pool_size=2) as small, Hub.open(small) as hub:
        context = replace(owner, database=small, hub=hub)
        hot = [sync.sync(context, Save("w", document(n))) for n in range(MANY)]
        others = [sync.sync(context, Save(f"other {n}", document(n))) for n in range(MANY)]
        answers = await asyncio.gather(*hot, *others)
    assert statuses(answers[MANY:]) == {Status.CREATED: MANY}
    assert statuses(answers[:MANY]) <= Counter({Status.SAVED: MANY, Status.UNCHANGED: MANY})
    saved = statuses(answers[:MANY])[Status.SAVED]
    assert await stores.versions(database) == list(range(1, saved + 2))


@pytest.mark.usefixtures("workflow")
async def test_saving_sharing_trashing_and_renaming_at_once_ends(owner: Context, editor: Context) -> None:
    async def save(context: Context, n: int) -> None:
        try:
            await sync.sync(context, Save("w", document(n), client_id=f"tab {n % 3}"))
        except errors.ForbiddenError:
            assert context is editor

    async def manage(n: int) -> None:
        await workflows.unshare(owner, "w", "editor")
        await workflows.rename(owner, "w", f"Plan {n}")
        await workflows.share(owner, "w", "editor", Role.EDITOR)

    await asyncio.gather(*(save((owner, editor)[n % 2], n) for n in range(60)), *(manage(n) for n in range(10)))
    versions = await stores.versions(owner.database)
    assert versions == list(range(1, len(versions) + 1))
    head = await workflows.visible(editor, "w")
    assert (head.version, head.role) == (len(versions), Role.EDITOR)


@pytest.mark.usefixtures("workflow")
async def test_saves_while_a_workflow_is_purged_leave_nothing_behind(owner: Context) -> None:
    async def save(n: int) -> None:
        try:
            await sync.sync(owner, Save("w", document(n), base_version=0, client_id=f"tab {n}"))
        except errors.ForbiddenError:
            return

    saving = asyncio.gather(*(save(n) for n in range(30)))
    await workflows.purge(owner, "w")
    await saving
    tables = await stores.everything(owner.database)
    (tombstone,) = tables.pop("workflows")
    assert (tombstone["state"], tombstone["name"]) == ({}, "")
    tables.pop("workflow_clients")  # digests of what was sent may come late; they name no content
    assert not any(tables.values())


async def test_large_documents_are_saved_at_once_without_mixing(owner: Context) -> None:
    shapes = [documents.of_size(shape, 350_000) for shape in documents.SHAPES.values()]
    await asyncio.gather(*(sync.sync(owner, Save(f"w {n}", shapes[n % 3])) for n in range(6)))
    for n in range(6):
        assert await stores.document(owner, f"w {n}") == shapes[n % 3]
