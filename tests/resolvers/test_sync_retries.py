"""Saves that are sent again: answered again, and never applied twice."""

from dataclasses import replace

import pytest

from db import clients
from merge import apply
from merge.changes import Change
from resolvers import errors, sync, workflows
from resolvers.answers import Answer
from resolvers.context import Context
from resolvers.saves import Mode, Reason, Save, Status
from tests.documents import Document
from tests.resolvers import stores

FIRST: Document = {"blocks": {"a": {"x": 1}}, "edges": []}  # what `workflow` is at version 1
EMPTY: Document = {"blocks": {}, "edges": []}
EDGE: Document = {"id": "e", "source": "a", "target": "a"}


def document(n: int) -> Document:
    return {"blocks": {"a": {"x": n}}, "edges": []}


async def save(context: Context, n: int, sequence: int, base: int | None = None) -> Answer:
    """Save a document that is different for each `n`, as the client `tab`."""
    return await sync.sync(context, Save("w", document(n), base_version=base, client_id="tab", sequence=sequence))


async def last_sequence(context: Context) -> int:
    rows = await stores.rows(context.database, "workflow_clients")
    return max((row["last_sequence"] for row in rows), default=0)


STATUSES: dict[str, tuple[Save, Status]] = {
    "created": (Save("new", FIRST, base_version=0, name="New"), Status.CREATED),
    "saved": (Save("w", document(3), base_version=2), Status.SAVED),
    "unchanged": (Save("w", document(2), base_version=2), Status.UNCHANGED),
    "unchanged on a stale base": (Save("w", FIRST, base_version=1), Status.UNCHANGED),
    "only the clock": (Save("w", document(2) | {"lastSaved": 1}, base_version=2), Status.UNCHANGED),
    "overwriting a value": (Save("w", document(3), base_version=1), Status.MERGED),
    "merged": (Save("w", FIRST | {"n": 1}, base_version=1), Status.MERGED),
    "merged changes": (Save("w", changes=(Change(("n",), value=1),), base_version=1), Status.MERGED),
    "merged without a base": (Save("w", document(3) | {"n": 1}), Status.SAVED),
    "repaired": (Save("w", {"blocks": {}, "edges": [EDGE], "n": 1}, base_version=1, allow_empty=True), Status.MERGED),
    "a strict conflict": (Save("w", document(3), base_version=1, mode=Mode.STRICT), Status.CONFLICT),
    "an overwriting conflict": (Save("w", FIRST | {"n": 1}, base_version=1, mode=Mode.OVERWRITE), Status.CONFLICT),
    "resync": (Save("w", document(3), base_version=7), Status.RESYNC),
    "wiped": (Save("w", EMPTY, base_version=2), Status.REJECTED),
    "no object": (Save("w", [], base_version=2), Status.REJECTED),
    "a new one that is no object": (Save("new", "\0"), Status.REJECTED),
}


@pytest.mark.usefixtures("workflow")
@pytest.mark.parametrize(("sent", "status"), STATUSES.values(), ids=STATUSES.keys())
async def test_a_retry_gets_the_answer_that_the_save_got(
    owner: Context, editor: Context, sent: Save, status: Status
) -> None:
    await sync.sync(editor, Save("w", document(2), base_version=1))
    sent = replace(sent, client_id="tab", sequence=1)
    answer = await sync.sync(owner, sent)
    assert (answer.status, answer.replayed, answer.last_sequence) == (status, False, 1)
    await sync.sync(editor, Save("w", document(9), base_version=answer.version))
    before = await stores.everything(owner.database)
    for _ in range(3):
        again = await sync.sync(owner, sent)
        assert again.replayed
        assert replace(again, replayed=False, head=answer.head) == answer
    assert await stores.everything(owner.database) == before


@pytest.mark.usefixtures("workflow")
async def test_a_replayed_answer_still_leads_to_the_version_that_it_names(owner: Context, editor: Context) -> None:
    await sync.sync(editor, Save("w", document(2) | {"n": 1}, base_version=1))
    answer = await save(owner, 3, 1, base=1)
    for n in range(4, 60):
        await sync.sync(editor, Save("w", document(n), base_version=n - 1))
    again = await save(owner, 3, 1, base=1)
    assert (again.status, again.version, again.replayed) == (Status.MERGED, 3, True)
    assert apply.apply(document(3), again.changes) == document(3) | {"n": 1}
    assert again.conflicts == answer.conflicts != ()
    assert again.head == await workflows.visible(owner, "w")


@pytest.mark.usefixtures("workflow")
async def test_a_retry_of_a_save_made_on_one_s_own_later_saves_gets_the_same_answer(
    owner: Context, editor: Context
) -> None:
    """Its base is a version with what the client itself saved since, also when it is decided again."""
    await save(owner, 2, 1, base=1)
    await sync.sync(editor, Save("w", document(2) | {"n": 1}, base_version=2))
    answer = await save(owner, 3, 2, base=1)
    await save(owner, 4, 3, base=1)
    again = await save(owner, 3, 2, base=1)
    assert (again.status, again.conflicts, again.replayed) == (Status.MERGED, (), True)
    assert replace(again, replayed=False, last_sequence=2, head=answer.head) == answer


@pytest.mark.usefixtures("workflow")
async def test_a_retry_whose_answer_the_journal_no_longer_tells_needs_a_resync(owner: Context, editor: Context) -> None:
    await sync.sync(editor, Save("w", document(2) | {"n": 1}, base_version=1))
    await save(owner, 3, 1, base=1)
    await stores.prune(owner, 2)
    again = await save(owner, 3, 1, base=1)
    assert (again.status, again.version, again.replayed, again.changes) == (Status.RESYNC, 3, True, ())
    assert await stores.versions(owner.database) == [3]


@pytest.mark.usefixtures("workflow")
async def test_a_retry_of_a_save_without_a_base_needs_a_resync_where_nobody_knows_what_it_replaced(
    owner: Context, editor: Context
) -> None:
    for n in range(2, 51):
        await sync.sync(editor, Save("w", document(n), base_version=n - 1))
    await stores.keep(owner, 50)  # so that what stood is still known
    assert len((await save(owner, 99, 1)).conflicts) == 1
    await stores.prune(owner, 50)
    again = await save(owner, 99, 1)
    assert (again.status, again.version, again.replayed, again.changes) == (Status.RESYNC, 51, True, ())


@pytest.mark.usefixtures("workflow")
async def test_every_decided_save_uses_its_sequence_up(owner: Context) -> None:
    sent = [
        (Save("w", FIRST), Status.UNCHANGED),
        (Save("w", EMPTY), Status.REJECTED),
        (Save("w", 7), Status.REJECTED),
        (Save("w", document(2), base_version=9), Status.RESYNC),
        (Save("w", document(9), base_version=0, mode=Mode.STRICT), Status.CONFLICT),
        (Save("w", FIRST | {"n": 1}, base_version=0), Status.SAVED),
        (Save("w", document(2)), Status.SAVED),
    ]
    for sequence, (item, status) in enumerate(sent, start=1):
        answer = await sync.sync(owner, replace(item, client_id="tab", sequence=sequence))
        assert (answer.status, answer.last_sequence) == (status, sequence)


async def test_a_rejected_first_save_uses_its_sequence_up(owner: Context) -> None:
    assert (await sync.sync(owner, Save("w", 7, client_id="tab", sequence=1))).status is Status.REJECTED
    assert (await save(owner, 1, 2)).status is Status.CREATED


@pytest.mark.usefixtures("workflow")
async def test_a_save_to_the_trash_uses_its_sequence_up(owner: Context) -> None:
    await workflows.delete(owner, "w")
    assert (await save(owner, 2, 1)).status is Status.REJECTED
    await workflows.undelete(owner, "w")
    again = await save(owner, 2, 1)
    assert (again.status, again.replayed) == (Status.REJECTED, True)
    assert (await save(owner, 2, 2)).status is Status.SAVED


@pytest.mark.usefixtures("workflow")
async def test_a_dry_run_leaves_its_sequence(owner: Context) -> None:
    for _ in range(2):
        dry = await sync.sync(owner, Save("w", document(2), client_id="tab", sequence=1, dry_run=True))
        assert (dry.status, dry.replayed, dry.last_sequence) == (Status.SAVED, False, None)
    answer = await save(owner, 3, 1)
    assert (answer.status, answer.version, answer.replayed) == (Status.SAVED, 2, False)
    dry = await sync.sync(owner, Save("w", document(4), client_id="tab", sequence=2, dry_run=True))
    assert (dry.status, dry.last_sequence) == (Status.SAVED, 1)


@pytest.mark.usefixtures("workflow")
async def test_a_refused_save_leaves_its_sequence(owner: Context, viewer: Context) -> None:
    with pytest.raises(errors.ForbiddenError):
        await save(viewer, 2, 1)
    with pytest.raises(errors.NotFoundError):
        await sync.sync(owner, Save("missing", FIRST, base_version=1, client_id="tab", sequence=1))
    assert await last_sequence(owner) == 0


OTHERS: dict[str, Save] = {
    "another document": Save("w", document(3), base_version=1),
    "the document written in another way": Save("w", dict(reversed(document(2).items())), base_version=1),
    "a document of another kind": Save("w", [], base_version=1),
    "true for 1": Save("w", {"blocks": {"a": {"x": 2, "y": True}}, "edges": []}, base_version=1),
    "another base": Save("w", document(2), base_version=0),
    "no base": Save("w", document(2)),
    "another name": Save("w", document(2), base_version=1, name="Another"),
    "another reason": Save("w", document(2), base_version=1, reason=Reason.UNLOAD),
    "another mode": Save("w", document(2), base_version=1, mode=Mode.STRICT),
    "allowed to empty": Save("w", document(2), base_version=1, allow_empty=True),
}


@pytest.mark.usefixtures("workflow")
@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
async def test_another_save_under_the_same_sequence_is_refused(owner: Context, other: Save) -> None:
    await save(owner, 2, 1, base=1)
    before = await stores.everything(owner.database)
    with pytest.raises(errors.BadUserInputError, match="Sequence 1"):
        await sync.sync(owner, replace(other, client_id="tab", sequence=1))
    assert await stores.everything(owner.database) == before


@pytest.mark.usefixtures("workflow")
async def test_the_order_of_keys_in_changes_does_not_make_another_save(owner: Context) -> None:
    """A whole state is told apart by how it is written, so that nobody has to read it for that."""
    values: list[tuple[Document, bool]] = [({"x": 2, "y": 1}, False), ({"y": 1, "x": 2}, True)]
    for value, replayed in values:
        edit = (Change(("blocks", "a"), value=value),)
        answer = await sync.sync(owner, Save("w", changes=edit, base_version=1, client_id="tab", sequence=1))
        assert answer.replayed is replayed


@pytest.mark.usefixtures("workflow")
async def test_sequences_with_a_gap_are_out_of_order(owner: Context) -> None:
    await save(owner, 2, 1)
    before = await stores.everything(owner.database)
    for sequence in (3, 17, 2**31 - 1):
        answer = await save(owner, 3, sequence)
        assert (answer.status, answer.version, answer.last_sequence) == (Status.OUT_OF_ORDER, 2, 1)
        assert (answer.changes, answer.replayed) == ((), False)
    assert await stores.everything(owner.database) == before
    assert (await save(owner, 3, 2)).status is Status.SAVED


async def test_a_client_begins_with_1(owner: Context) -> None:
    answer = await save(owner, 2, 2)
    assert (answer.status, answer.version, answer.last_sequence, answer.head) == (Status.OUT_OF_ORDER, 0, 0, None)
    assert not any((await stores.everything(owner.database)).values())


@pytest.mark.usefixtures("workflow")
async def test_the_last_answers_are_kept_and_older_ones_are_out_of_order(owner: Context) -> None:
    last = clients.KEPT_ANSWERS + 4
    for sequence in range(1, last + 1):
        await save(owner, sequence + 1, sequence)
    before = await stores.everything(owner.database)
    for sequence in range(1, last + 1):
        answer = await save(owner, sequence + 1, sequence)
        assert answer.last_sequence == last
        if sequence > last - clients.KEPT_ANSWERS:
            assert (answer.status, answer.version, answer.replayed) == (Status.SAVED, sequence + 1, True)
        else:
            assert (answer.status, answer.version, answer.replayed) == (Status.OUT_OF_ORDER, last + 1, False)
    assert await stores.everything(owner.database) == before
    assert clients.KEPT_ANSWERS == 16


async def test_no_document_is_stored_with_the_answers(owner: Context) -> None:
    await sync.sync(owner, Save("w", {"secret": "x" * 10_000}, client_id="tab", sequence=1))
    (row,) = await stores.rows(owner.database, "workflow_clients")
    assert len(str(row)) < 1_000


@pytest.mark.usefixtures("workflow")
async def test_sequences_are_counted_for_each_client_of_each_user_and_workflow(owner: Context, editor: Context) -> None:
    saves = [
        (owner, Save("w", document(2), client_id="tab", sequence=1)),
        (owner, Save("w", document(3), client_id="other", sequence=1)),
        (editor, Save("w", document(4), client_id="tab", sequence=1)),
        (owner, Save("v", document(2), client_id="tab", sequence=1)),
    ]
    for context, sent in saves:
        assert not (await sync.sync(context, sent)).replayed
    assert len(await stores.rows(owner.database, "workflow_clients")) == 4


@pytest.mark.usefixtures("workflow")
async def test_a_save_without_a_sequence_does_not_count(owner: Context) -> None:
    await save(owner, 2, 1)
    answer = await sync.sync(owner, Save("w", document(3), client_id="tab"))
    assert (answer.status, answer.last_sequence) == (Status.SAVED, 1)
    assert (await save(owner, 4, 2)).version == 4
    assert (await save(owner, 2, 1)).replayed


@pytest.mark.usefixtures("workflow")
async def test_a_retry_of_somebody_who_lost_the_right_is_refused(owner: Context, editor: Context) -> None:
    await save(editor, 2, 1)
    await workflows.unshare(owner, "w", "editor")
    with pytest.raises(errors.ForbiddenError):
        await save(editor, 2, 1)


async def test_a_batch_that_is_sent_again_changes_nothing(owner: Context) -> None:
    batch = [Save("w", document(n), client_id="tab", sequence=n) for n in range(1, 6)]
    answers = await sync.sync_all(owner, batch)
    before = await stores.everything(owner.database)
    again = await sync.sync_all(owner, batch)
    assert [(a.status, a.version) for a in again] == [(a.status, a.version) for a in answers]
    assert all(answer.replayed for answer in again)
    assert await stores.everything(owner.database) == before


async def test_what_a_batch_left_out_can_be_sent_again(owner: Context) -> None:
    batch = [Save("w", document(1), client_id="tab", sequence=1), Save("w", [], client_id="tab", sequence=2)]
    batch.append(Save("w", document(3), client_id="tab", sequence=3))
    answers = await sync.sync_all(owner, batch)
    assert [answer.status for answer in answers] == [Status.CREATED, Status.REJECTED, Status.REJECTED]
    assert await last_sequence(owner) == 2
    assert (await sync.sync(owner, batch[2])).status is Status.SAVED
