"""Saving: who may, is it a retry, decide, write, announce, answer.

          +--------- overtaken: somebody else committed first, nothing was written ---------+
          v                                                                                 |
sent -> read what stands -> retry? -> decide -> write head, journal, client, payload -> COMMIT -> announce -> answer
          ^                                                                                 |
          +--- connection lost in COMMIT: look the save up by its id before anything else --+
"""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from datetime import datetime
from typing import Any, TypeVar

import asyncpg

from db import clients, conflicts, database, journal, workflows
from db.database import Connection
from db.journal import Entry
from merge import changes
from merge.changes import Change
from merge.values import Problem
from resolvers import answers, errors, saves, standings, submissions
from resolvers.answers import Answer
from resolvers.context import Context
from resolvers.saves import Decision, Save, Standing, Status
from resolvers.submissions import Submission

Result = TypeVar("Result")

COMMIT_ATTEMPTS = 5  # connections lost in the middle of one save before it is given up unanswered

logger = logging.getLogger(__name__)


async def sync(context: Context, save: Save, *, on_top: bool = False) -> Answer:
    """Save one document, on its own base or on top of whatever stands.

    Raises UnauthenticatedError, NotFoundError, ForbiddenError, BadUserInputError; everything else that can become of
    a save is a status. Once begun it is brought to its end, whether or not the caller still waits.
    """
    submission = submissions.submit(context, save, on_top=on_top)
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
    answered: list[Answer] = []
    stopped: set[str] = set()
    for save in batch:
        answer = _refusal(save, SKIPPED) if save.id in stopped else await _sync_or_refuse(context, save)
        if answer.status is Status.REJECTED:
            stopped.add(save.id)
        answered.append(answer)
    return answered


async def _sync_or_refuse(context: Context, save: Save) -> Answer:
    try:
        return await _sync(context, submissions.submit(context, save, on_top=False))
    except errors.OperationError as error:
        return _refusal(save, Problem((), error.code, str(error)))


def _refusal(save: Save, problem: Problem) -> Answer:
    return Answer(Status.REJECTED, save.id, version=save.base_version or 0, problems=(problem,))


SKIPPED = Problem((), "SKIPPED", "An earlier save of this workflow in the same batch failed; this one was not tried.")


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
        if in_doubt and (answer := await answers.of_committed(connection, submission)):
            return answer, True
        standing = await standings.read(connection, submission)
        save = submission.save
        if (stored := answers.remembered(submission, standing.client)) is not None:
            return await answers.again(connection, submission, standing, stored), False
        if save.sequence is not None and save.sequence != standing.client.last_sequence + 1:
            return answers.out_of_order(save, standing), False
        decision = saves.decide(save, standing, submission.problems)
        if save.dry_run:
            return answers.of(submission, standing, decision, saved_at=None), False
        return await _write(connection, submission, standing, decision)


async def _write(
    connection: Connection, submission: Submission, standing: Standing, decision: Decision
) -> tuple[Answer, bool]:
    saved_at = None
    if decision.written is not None:
        saved_at = await _write_document(connection, submission, standing, decision.version, decision.written)
    answer = answers.of(submission, standing, decision, saved_at=saved_at)
    save = submission.save
    if save.client_id is not None:
        client = answers.remember(standing.client, submission, decision, answer)
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
        saved_at = await workflows.create(connection, save.id, user, name=submission.name, state=save.state)
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
