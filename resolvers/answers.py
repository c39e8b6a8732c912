"""What a client hears of its save, and hears again when it retries."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from db import journal, workflows
from db.clients import Client
from db.database import Connection
from db.workflows import Head, Role
from merge import diff
from merge.changes import Change
from merge.values import Problem
from resolvers import documents, errors, standings
from resolvers.saves import Decision, Save, Standing, Status
from resolvers.submissions import Submission


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


def of(submission: Submission, standing: Standing, decision: Decision, *, saved_at: datetime | None) -> Answer:
    """Say what became of a save, which was written at `saved_at`, None where it was not."""
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
        name=submission.name,
        version=1,
        role=Role.OWNER,
        saved_by=user,
        saved_at=saved_at,
        created_at=saved_at,
        deleted_at=None,
    )


def out_of_order(save: Save, standing: Standing) -> Answer:
    """Say that a save is not the next one of its client."""
    return Answer(
        Status.OUT_OF_ORDER,
        save.id,
        standing.version,
        last_sequence=standing.client.last_sequence,
        head=standing.head,
    )


async def of_committed(connection: Connection, submission: Submission) -> Answer | None:
    """Say what became of a save whose commit nobody heard of; None where the journal does not have it."""
    save = submission.save
    entry = await journal.find(connection, save.id, submission.save_id)
    if entry is None:
        return None
    client = await standings.client_of(connection, submission)
    return Answer(
        Status.CREATED if entry.version == 1 else Status.SAVED,
        save.id,
        entry.version,
        saved_at=entry.saved_at,
        last_sequence=client.last_sequence or None,
        changes=tuple(documents.changes_of(entry)) if submission.on_top else (),
        head=await workflows.read(connection, save.id, submission.user),
    )


def remember(client: Client, submission: Submission, decision: Decision, answer: Answer) -> Client:
    """Note what a client was answered, for its retries."""
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


def remembered(submission: Submission, client: Client) -> Mapping[str, Any] | None:
    """Find what was noted of an answer to this save. Raises BadUserInputError where another save used its sequence."""
    if submission.save.sequence is None:
        return None
    stored = client.answers.get(submission.save.sequence)
    if stored is not None and stored["digest"] != submission.digest:
        sequence = submission.save.sequence
        raise errors.BadUserInputError(
            f"Sequence {sequence} of this client was a different save: a retry must send the same input."
        )
    return stored


async def again(
    connection: Connection, submission: Submission, standing: Standing, stored: Mapping[str, Any]
) -> Answer:
    """Give the answer again that was noted."""
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
