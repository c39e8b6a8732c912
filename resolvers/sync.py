"""Saving: who may, is it a retry, decide, write, announce, answer.

sent -> together with others (`saver`) -------------------------------------------------------> announce -> answer
          | not decided there                                                                           ^
          |  +------ overtaken: somebody else committed first, nothing was written ---------+           |
          v  v                                                                              |           |
        read what stands -> retry? -> decide -> write head, journal, client, payload -> COMMIT ---------+
          ^                                                                                 |
          +--- connection lost in COMMIT: look the save up by its id before anything else --+
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import asyncpg

from db import clients, conflicts, database, journal, workflows
from db.conflicts import Conflict, Kept
from db.database import Connection
from db.workflows import Head, Role
from merge import values
from merge.three_way import Side
from merge.values import Problem
from resolvers import answers, decisions, errors, inputs, records, retries, standings, submissions
from resolvers.answers import Answer
from resolvers.context import Context
from resolvers.decisions import Decision, Standing
from resolvers.saver import LostError, Saver
from resolvers.saves import Save, Status, Unreadable
from resolvers.snapshots import Snapshots
from resolvers.submissions import Ground, Submission

Result = TypeVar("Result")

DEFAULT_NAME = "Untitled"
COMMIT_ATTEMPTS = 5  # connections lost in the middle of one save before it is given up unanswered

logger = logging.getLogger(__name__)

SKIPPED = Problem((), "SKIPPED", "An earlier save of this workflow in the same batch failed; this one was not tried.")


async def sync(context: Context, save: Save, *, ground: Ground = Ground.CLIENT, resolves: Kept | None = None) -> Answer:
    """Save one document, and close a conflict with it.

    Raises UnauthenticatedError, NotFoundError, ForbiddenError, BadUserInputError; everything else that can become of
    a save is a status. Once begun it is brought to its end, whether or not the caller still waits.
    """
    submission = submissions.submit(context, save, ground=ground, resolves=resolves)
    return await _to_its_end(_Saving(context, submission).run())


async def sync_all(context: Context, batch: Sequence[Save | Unreadable]) -> list[Answer]:
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


async def _sync_all(context: Context, batch: Sequence[Save | Unreadable]) -> list[Answer]:
    given: list[Answer] = []
    stopped: set[str] = set()
    for save in batch:
        answer = answers.refusal(save.id, SKIPPED) if save.id in stopped else await _sync_or_refuse(context, save)
        if answer.status is Status.REJECTED:
            stopped.add(save.id)
        given.append(answer)
    return given


async def _sync_or_refuse(context: Context, save: Save | Unreadable) -> Answer:
    try:
        if isinstance(save, Unreadable):
            raise save.error
        return await _Saving(context, submissions.submit(context, save)).run()
    except errors.OperationError as error:
        return answers.refusal(save.id, Problem((), error.code, str(error)))


@dataclass(slots=True)
class _Saving:
    """One save on its way. `unheard` is the answer of an attempt whose commit was lost sight of."""

    context: Context
    submission: Submission
    unheard: Answer | None = None

    async def run(self) -> Answer:
        """Save together with others, or else alone. Raises one of CONNECTION_ERRORS after COMMIT_ATTEMPTS."""
        began = time.perf_counter()
        answer = await self._together()
        if answer is None:
            answer = await self._alone()
        if _is_written(answer):
            await self.context.hub.announce(answer.id)
        self.context.saver.tally.save(self.submission.save, answer, time.perf_counter() - began)
        return answer

    async def _together(self) -> Answer | None:
        try:
            return await self.context.saver.save(self.submission)
        except LostError as lost:
            self.unheard = lost.answer
        except (*database.OVERTAKEN_ERRORS, *database.CONNECTION_ERRORS):
            pass  # while reading: nothing was written, and alone it is tried until it can be
        return None

    async def _alone(self) -> Answer:
        """Try until the save is decided."""
        lost = 0 if self.unheard is None else 1
        while True:
            try:
                return await self._attempt()
            except database.OVERTAKEN_ERRORS:
                self.unheard = self.unheard if lost else None
            except database.CONNECTION_ERRORS:
                lost += 1
                if lost == COMMIT_ATTEMPTS:
                    raise

    async def _attempt(self) -> Answer:
        """Decide and write in one transaction."""
        async with self.context.database.transaction() as connection:
            if self.unheard is not None and (answer := await self._committed(connection, self.unheard)) is not None:
                return answer
            self.unheard = await _decide_and_write(connection, self.context.saver, self.submission)
        return self.unheard

    async def _committed(self, connection: Connection, unheard: Answer) -> Answer | None:
        """Look whether the save was written after all."""
        saved_at = await journal.saved_at(connection, self.submission.save.id, self.submission.save_id)
        return None if saved_at is None else answers.at(unheard, saved_at)


def _is_written(answer: Answer) -> bool:
    return not answer.replayed and answer.status in {Status.CREATED, Status.SAVED, Status.MERGED}


async def _decide_and_write(connection: Connection, saver: Saver, submission: Submission) -> Answer:
    standing, save = await standings.read(connection, saver.states, submission), submission.save
    if (stored := retries.find(submission, standing.client)) is not None:
        return await retries.replay(connection, submission, standing, stored)
    if save.sequence is not None and save.sequence != standing.client.last_sequence + 1:
        return answers.out_of_order(submission, standing)
    decision = decisions.decide(submission, standing)
    if save.dry_run:
        return answers.of(submission, standing, decision, standing.head)
    return await _write(connection, saver.snapshots, submission, standing, decision)


async def _write(
    connection: Connection, snapshots: Snapshots, submission: Submission, standing: Standing, decision: Decision
) -> Answer:
    save, head = submission.save, standing.head
    if decision.document is not None:
        head = await _write_document(connection, snapshots, submission, standing, decision)
    answer = answers.of(submission, standing, decision, head)
    if save.client_id is not None:
        client = retries.noted(submission, standing, decision, answer)
        await clients.write(connection, save.id, submission.user, save.client_id, client)
    if head is not None:
        await _keep(connection, submission, decision, head)
    return answer


async def _keep(connection: Connection, submission: Submission, decision: Decision, head: Head) -> None:
    """Keep what lost, and close the conflict that was dealt with. Raises NoConflictError where somebody else did."""
    save = submission.save
    kept = [conflict for conflict in decision.conflicts if conflict.id is not None]
    if decision.payload is not None:
        kept.append(_payload(decision, submission, head))
    if kept:
        await conflicts.keep(connection, save.id, save.client_id, kept, base=save.base_version)
    if submission.resolves is None or decision.status in {Status.REJECTED, Status.RESYNC}:
        return
    if not await conflicts.close(connection, submission.resolves.conflict):
        raise errors.NoConflictError


def _payload(decision: Decision, submission: Submission, head: Head) -> Conflict:
    return Conflict(
        id=uuid.uuid4(),
        path=(),
        sides={"yours": decision.payload},
        winner=Side.THEIRS,
        yours_by=submission.user,
        theirs_by=head.saved_by,
        theirs_at=head.saved_at,
        theirs_version=head.version,
    )


async def _write_document(
    connection: Connection, snapshots: Snapshots, submission: Submission, standing: Standing, decision: Decision
) -> Head:
    """Write the document and its journal row, and give the head that then stands."""
    save, user, state = submission.save, submission.user, decision.document
    assert state is not None
    if standing.head is None:
        name = inputs.name(save.name or DEFAULT_NAME)
        saved_at = await workflows.create(connection, save.id, user, name=name, state=state)
    else:
        shown = snapshots.is_shown(standing.version, decision.version)
        snapshot = state if shown else None
        saved_at = await workflows.write(connection, save.id, user, expected=standing.version, state=snapshot)
    if saved_at is None:
        raise asyncpg.SerializationError("the head is not what was read: decide again")
    entry = records.entry(submission, decision, saved_at)
    await journal.append(connection, entry, records.receipt(submission, standing, decision))
    if standing.head is not None:
        size = values.dump(entry.changes)
        snapshots.note(save.id, journal=len(size), document=standing.size or 0, shown=shown)
        return replace(standing.head, version=decision.version, saved_by=user, saved_at=saved_at)
    return Head(
        save.id,
        owner_id=user,
        name=name,
        version=1,
        role=Role.OWNER,
        saved_by=user,
        saved_at=saved_at,
        created_at=saved_at,
        deleted_at=None,
    )
