"""Retries: a save that was answered before is answered again, and never applied twice."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from db import clients
from db.clients import Client
from db.database import Connection
from merge.values import Problem
from resolvers import decisions, errors, standings
from resolvers.answers import Answer
from resolvers.decisions import Decision, Standing
from resolvers.saves import Status
from resolvers.submissions import Submission

Stored = Mapping[str, Any]


def noted(submission: Submission, standing: Standing, decision: Decision, answer: Answer) -> Client:
    """Note what a client was answered. Of the answer, what the journal and the save itself tell is left out."""
    sequence, client = submission.save.sequence, standing.client
    if sequence is None:
        return Client(client.last_sequence, decision.held, client.answers)
    stored = {
        "sequence": sequence,
        "digest": submission.digest,
        "status": answer.status,
        "version": answer.version,
        "base": standing.base.version,
        "savedAt": answer.saved_at and answer.saved_at.isoformat(),
        "conflicts": [conflict.id and str(conflict.id) for conflict in answer.conflicts],
        "problems": [[problem.path, problem.code, problem.message] for problem in answer.problems],
    }
    answers = clients.newest({**standing.client.answers, sequence: stored}, sequence)
    return Client(sequence, decision.held, answers)


def find(submission: Submission, client: Client) -> Stored | None:
    """Find the answer that a save got before. Raises BadUserInputError where another save used its sequence."""
    sequence = submission.save.sequence
    stored = None if sequence is None else client.answers.get(sequence)
    if stored is not None and stored["digest"] != submission.digest:
        raise errors.BadUserInputError(
            f"Sequence {sequence} of this client was a different save: a retry must send the same input."
        )
    return stored


async def replay(connection: Connection, submission: Submission, standing: Standing, stored: Stored) -> Answer:
    """Give an answer again. What the client must apply is found as it was the first time: by deciding.

    RESYNC where the journal no longer tells.
    """
    status = Status(stored["status"])
    again = Answer(
        status,
        submission.save.id,
        stored["version"],
        saved_at=stored["savedAt"] and datetime.fromisoformat(stored["savedAt"]),
        replayed=True,
        last_sequence=standing.client.last_sequence,
        problems=tuple(Problem(tuple(path), code, message) for path, code, message in stored["problems"]),
        head=standing.head,
    )
    if status in {Status.REJECTED, Status.RESYNC}:
        return again
    decision = await _decided(connection, submission, standing, stored)
    if decision is None:
        return replace(again, status=Status.RESYNC, version=standing.version)
    ids = [key and uuid.UUID(key) for key in stored["conflicts"]]
    conflicts = tuple(replace(conflict, id=key) for conflict, key in zip(decision.conflicts, ids, strict=True))
    return replace(again, changes=decision.answer, conflicts=conflicts, repairs=decision.repairs)


async def _decided(
    connection: Connection, submission: Submission, standing: Standing, stored: Stored
) -> Decision | None:
    """Decide a save as it was decided before; None where that cannot be told any more."""
    wrote = stored["status"] in {Status.CREATED, Status.SAVED, Status.MERGED}
    version = stored["version"] - 1 if wrote else stored["version"]
    try:
        past = await standings.before(connection, submission, standing, version, stored["base"])
    except errors.ResyncRequiredError:
        return None
    decision = decisions.decide(submission, past)
    is_same = decision.status == stored["status"] and len(decision.conflicts) == len(stored["conflicts"])
    return decision if is_same else None
