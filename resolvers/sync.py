"""Saving: who may, is it a retry, decide, write, announce, answer.

          +--------- overtaken: somebody else committed first, nothing was written ---------+
          v                                                                                 |
sent -> read what stands -> retry? -> decide -> write head, journal, client, payload -> COMMIT -> announce -> answer
          ^                                                                                 |
          +--- connection lost in COMMIT: look the save up by its id before anything else --+
"""

import asyncio
import hashlib
import logging
import uuid
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

import asyncpg

from db import clients, conflicts, database, journal, workflows
from db.clients import Client
from db.database import Connection
from db.journal import Entry
from db.workflows import Head
from merge import apply, changes, diff, values
from merge.changes import ABSENT, Change
from merge.values import Problem
from resolvers import documents, errors, inputs, saves
from resolvers.context import Context, UserId
from resolvers.saves import Base, Decision, Save, Standing, Status

Result = TypeVar("Result")

DEFAULT_NAME = "Untitled"
COMMIT_ATTEMPTS = 5  # connections lost in the middle of one save before it is given up unanswered

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client hears of its save.

    `version` is the one that the answer describes, `changes` lead there from what the client holds: the state that it
    sent, or, where it sent none, what stood before. `head` is the workflow as it stands by now, None where there is
    none, or none that the client may see.
    """

    status: Status
    id: str
    version: int
    saved_at: datetime | None = None
    replayed: bool = False
    last_sequence: int | None = None
    changes: tuple[Change, ...] = ()
    problems: tuple[Problem, ...] = ()
    head: Head | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """A save with what was found out about it before the database was asked.

    `save_id` tells this one save from every other, `digest` (SHA-256) a retry from a different save. `on_top`: the
    base is whatever stands.
    """

    save: Save
    user: UserId
    save_id: uuid.UUID
    problems: tuple[Problem, ...]
    digest: str
    on_top: bool = False


async def sync(context: Context, save: Save, *, on_top: bool = False) -> Answer:
    """Save one document, on its own base or on top of whatever stands.

    Raises UnauthenticatedError, NotFoundError, ForbiddenError, BadUserInputError; everything else that can become of
    a save is a status. Once begun it is brought to its end, whether or not the caller still waits.
    """
    submission = _submission(context, save, on_top=on_top)
    return await _to_its_end(_sync(context, submission))


async def sync_all(context: Context, batch: Sequence[Save]) -> list[Answer]:
    """Save several documents in order. What fails is REJECTED and stops the later saves of its own workflow only."""
    context.known_viewer()
    if len(batch) > context.limits.batch_items:
        raise errors.BadUserInputError(f"At most {context.limits.batch_items} saves go into one batch.")
    return await _to_its_end(_sync_all(context, batch))


async def _to_its_end(work: Coroutine[Any, Any, Result]) -> Result:
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(_log_failure)
        raise


def _log_failure(task: asyncio.Task[Any]) -> None:
    """Log what nobody else would hear of."""
    if not task.cancelled() and not isinstance(error := task.exception(), errors.OperationError | None):
        logger.error("A save failed whose sender had gone away.", exc_info=error)


async def _sync_all(context: Context, batch: Sequence[Save]) -> list[Answer]:
    answers: list[Answer] = []
    stopped: set[str] = set()
    for save in batch:
        answer = _refusal(save, SKIPPED) if save.id in stopped else await _sync_or_refuse(context, save)
        if answer.status is Status.REJECTED:
            stopped.add(save.id)
        answers.append(answer)
    return answers


async def _sync_or_refuse(context: Context, save: Save) -> Answer:
    try:
        return await _sync(context, _submission(context, save, on_top=False))
    except errors.OperationError as error:
        return _refusal(save, Problem((), error.code, str(error)))


def _refusal(save: Save, problem: Problem) -> Answer:
    return Answer(Status.REJECTED, save.id, version=save.base_version or 0, problems=(problem,))


SKIPPED = Problem((), "SKIPPED", "An earlier save of this workflow in the same batch failed; this one was not tried.")


def _submission(context: Context, save: Save, *, on_top: bool) -> Submission:
    viewer = context.known_viewer()
    _check(save)
    limits = context.limits
    found = values.problems(save.state, max_depth=limits.document_depth, max_bytes=limits.document_bytes)
    problems = tuple(found)
    return Submission(save, viewer.id, uuid.uuid4(), problems, _digest(save, problems), on_top)


def _check(save: Save) -> None:
    inputs.identifier("id", save.id)
    if save.client_id is not None:
        inputs.identifier("clientId", save.client_id)
    if save.name is not None:
        inputs.name(save.name)
    if save.base_version is not None:
        inputs.version("baseVersion", save.base_version)
    if save.sequence is not None and (save.sequence < 1 or save.client_id is None):
        raise errors.BadUserInputError("`sequence` counts the saves of a `clientId` from 1 on: send both.")
    if (save.state is ABSENT) is (save.changes is None):
        raise errors.BadUserInputError("Send exactly one of `state` and `changes`.")
    if save.changes is not None:
        raise errors.NotYetError("changes")


def _digest(save: Save, problems: tuple[Problem, ...]) -> str:
    document = save.state if not problems else [[*problem.path, problem.code] for problem in problems]
    fields = [document, save.base_version, save.name, save.reason, save.mode, save.allow_empty]
    return hashlib.sha256(values.canonical(fields)).hexdigest()


async def _sync(context: Context, submission: Submission) -> Answer:
    lost = 0
    while True:
        try:
            answer, written = await _attempt(context, submission, in_doubt=lost > 0)
            break
        except database.OVERTAKEN_ERRORS:
            continue
        except database.CONNECTION_ERRORS:
            lost += 1
            if lost == COMMIT_ATTEMPTS:
                raise
    if written:
        await context.hub.announce(submission.save.id)
    return answer


async def _attempt(context: Context, submission: Submission, *, in_doubt: bool) -> tuple[Answer, bool]:
    """Decide and write in one transaction. Returns the answer and whether there is something to announce.

    `in_doubt`: an earlier attempt may have been committed without our hearing of it.
    """
    async with context.database.transaction() as connection:
        if in_doubt and (answer := await _committed(connection, submission)):
            return answer, True
        standing = await _read(connection, submission)
        save = submission.save
        if (retry := _retry(submission, standing.client)) is not None:
            return await _replay(connection, submission, standing, retry), False
        if save.sequence is not None and save.sequence != standing.client.last_sequence + 1:
            return _out_of_order(save, standing), False
        decision = saves.decide(save, standing, submission.problems)
        if save.dry_run:
            return _answer(submission, standing, decision, saved_at=None), False
        return await _write(connection, submission, standing, decision)


async def _committed(connection: Connection, submission: Submission) -> Answer | None:
    save = submission.save
    entry = await journal.find(connection, save.id, submission.save_id)
    if entry is None:
        return None
    client = await _client(connection, submission)
    return Answer(
        Status.CREATED if entry.version == 1 else Status.SAVED,
        save.id,
        entry.version,
        saved_at=entry.saved_at,
        last_sequence=client.last_sequence or None,
        changes=tuple(documents.changes_of(entry)) if submission.on_top else (),
        head=await workflows.read(connection, save.id, submission.user),
    )


async def _client(connection: Connection, submission: Submission) -> Client:
    save = submission.save
    if save.client_id is None:
        return clients.NEW
    return await clients.read(connection, save.id, submission.user, save.client_id)


async def _read(connection: Connection, submission: Submission) -> Standing:
    head = await _allowed_head(connection, submission.save, submission.user)
    client = await _client(connection, submission)
    if head is None:
        return Standing(None, {}, client, Base(0))
    state = await documents.state_at(connection, head.id, head.version)
    return Standing(head, state, client, await _base(connection, submission, head, client))


async def _allowed_head(connection: Connection, save: Save, user: UserId) -> Head | None:
    taken, head = await workflows.claim(connection, save.id, user)
    if head is None and save.base_version:
        raise errors.NotFoundError
    if head is None and taken:
        raise errors.ForbiddenError("This id is taken: choose another one, a random UUID.")
    if head is not None and not head.role.may_save:
        raise errors.ForbiddenError("You may see this workflow, but not save it.")
    return head


async def _base(connection: Connection, submission: Submission, head: Head, client: Client) -> Base:
    save = submission.save
    version = save.base_version
    if version is None:
        version = client.last_version or head.version
    if submission.on_top or version == head.version:
        return Base(head.version)
    if version > head.version:
        return Base(version, reachable=False)
    entries = await journal.between(connection, head.id, version, head.version)
    if len(entries) != head.version - version:
        return Base(version, reachable=False)
    own = [entry for entry in entries if _is_own(entry, submission)]
    if len(own) == len(entries):
        return Base(version)
    try:
        state = await documents.state_at(connection, head.id, version)
        return Base(version, state=documents.fold(state, own))
    except (errors.ResyncRequiredError, apply.PathError):  # own saves on top of others', which the base cannot lack
        return Base(version, reachable=False)


def _is_own(entry: Entry, submission: Submission) -> bool:
    return entry.client_id is not None and (entry.saved_by, entry.client_id) == (
        submission.user,
        submission.save.client_id,
    )


def _retry(submission: Submission, client: Client) -> Mapping[str, Any] | None:
    """Find the answer that this save got before. Raises BadUserInputError where another save used its sequence."""
    if submission.save.sequence is None:
        return None
    stored = client.answers.get(submission.save.sequence)
    if stored is not None and stored["digest"] != submission.digest:
        sequence = submission.save.sequence
        raise errors.BadUserInputError(
            f"Sequence {sequence} of this client was a different save: a retry must send the same input."
        )
    return stored


async def _replay(
    connection: Connection, submission: Submission, standing: Standing, stored: Mapping[str, Any]
) -> Answer:
    status, version = Status(stored["status"]), stored["version"]
    answer: tuple[Change, ...] = ()
    if status in {Status.UNCHANGED, Status.CONFLICT}:
        state = await documents.state_at(connection, submission.save.id, version)
        answer = tuple(diff.diff(submission.save.state, state))
    return Answer(
        status,
        submission.save.id,
        version,
        saved_at=stored["savedAt"] and datetime.fromisoformat(stored["savedAt"]),
        replayed=True,
        last_sequence=standing.client.last_sequence,
        changes=answer,
        problems=tuple(Problem(tuple(path), code, message) for path, code, message in stored["problems"]),
        head=standing.head,
    )


def _out_of_order(save: Save, standing: Standing) -> Answer:
    return Answer(
        Status.OUT_OF_ORDER,
        save.id,
        standing.version,
        last_sequence=standing.client.last_sequence,
        head=standing.head,
    )


async def _write(
    connection: Connection, submission: Submission, standing: Standing, decision: Decision
) -> tuple[Answer, bool]:
    saved_at = None
    if decision.written is not None:
        saved_at = await _write_document(connection, submission, standing, decision.version, decision.written)
    answer = _answer(submission, standing, decision, saved_at=saved_at)
    save = submission.save
    if save.client_id is not None:
        client = _answered(standing.client, submission, decision, answer)
        await clients.write(connection, save.id, submission.user, save.client_id, client)
    if decision.kept:
        await conflicts.keep(
            connection,
            save.id,
            submission.user,
            save.client_id,
            base_version=save.base_version,
            payload=save.state,
        )
    return answer, saved_at is not None


async def _write_document(
    connection: Connection, submission: Submission, standing: Standing, version: int, written: Sequence[Change]
) -> datetime:
    save, user = submission.save, submission.user
    if standing.head is None:
        name = inputs.name(save.name or DEFAULT_NAME)
        saved_at = await workflows.create(connection, save.id, user, name=name, state=save.state)
    else:
        saved_at = await workflows.write(connection, save.id, user, expected=standing.version, state=save.state)
    if saved_at is None:
        raise asyncpg.SerializationError("the head is not what was read: decide again")
    entry = Entry(
        save.id,
        version,
        [changes.to_json(change) for change in written],
        saved_by=user,
        saved_at=saved_at,
        client_id=save.client_id,
        reason=save.reason,
        label=None,
    )
    await journal.append(connection, entry, save_id=submission.save_id, state=save.state)
    return saved_at


def _answer(submission: Submission, standing: Standing, decision: Decision, *, saved_at: datetime | None) -> Answer:
    save, head = submission.save, standing.head
    if saved_at is not None:
        head = _saved_head(submission, standing, saved_at)
    counted = save.sequence is not None and not save.dry_run
    return Answer(
        decision.status,
        save.id,
        decision.version,
        saved_at=saved_at or (head.saved_at if head and decision.status is Status.UNCHANGED else None),
        last_sequence=save.sequence if counted else standing.client.last_sequence or None,
        changes=decision.written or () if submission.on_top else decision.answer,
        problems=decision.problems,
        head=head,
    )


def _saved_head(submission: Submission, standing: Standing, saved_at: datetime) -> Head:
    save, user = submission.save, submission.user
    if standing.head is not None:
        return replace(standing.head, version=standing.version + 1, saved_by=user, saved_at=saved_at)
    return Head(
        save.id,
        owner_id=user,
        name=inputs.name(save.name or DEFAULT_NAME),
        version=1,
        role=workflows.Role.OWNER,
        saved_by=user,
        saved_at=saved_at,
        created_at=saved_at,
        deleted_at=None,
    )


def _answered(client: Client, submission: Submission, decision: Decision, answer: Answer) -> Client:
    """Note what the client was answered, for its retries."""
    sequence = submission.save.sequence
    if sequence is None:
        return replace(client, last_version=decision.held)
    stored = {
        "sequence": sequence,
        "digest": submission.digest,
        "status": answer.status,
        "version": answer.version,
        "savedAt": answer.saved_at and answer.saved_at.isoformat(),
        "problems": [[problem.path, problem.code, problem.message] for problem in answer.problems],
    }
    return Client(sequence, decision.held, {**client.answers, sequence: stored})
