"""What clients hear of their saves, the first time and again."""

from dataclasses import dataclass, replace
from datetime import datetime

from db.conflicts import Conflict
from db.workflows import Head
from merge.changes import Change
from merge.repair import Repair
from merge.values import Problem
from resolvers.decisions import Decision, Standing
from resolvers.saves import Status
from resolvers.submissions import Submission


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client hears of its save. `head` is what stands by now; None where it may not know."""

    status: Status
    id: str
    version: int
    saved_at: datetime | None = None
    replayed: bool = False
    last_sequence: int | None = None
    changes: tuple[Change, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    repairs: tuple[Repair, ...] = ()
    problems: tuple[Problem, ...] = ()
    head: Head | None = None


def of(submission: Submission, standing: Standing, decision: Decision, head: Head | None) -> Answer:
    """Answer a save that was decided; `head` is what stands afterwards."""
    save, status = submission.save, decision.status
    counted = save.sequence is not None and not save.dry_run
    written = decision.document is not None and not save.dry_run
    return Answer(
        status,
        save.id,
        decision.version,
        saved_at=head.saved_at if head and (written or status is Status.UNCHANGED) else None,
        last_sequence=save.sequence if counted else standing.client.last_sequence or None,
        changes=decision.answer,
        conflicts=tuple(replace(conflict, id=None if save.dry_run else conflict.id) for conflict in decision.conflicts),
        repairs=decision.repairs,
        problems=decision.problems,
        head=head,
    )


def at(answer: Answer, saved_at: datetime) -> Answer:
    """Give an answer whose save was written, now that it is known when."""
    head = answer.head and replace(answer.head, saved_at=saved_at)
    return replace(answer, saved_at=saved_at, head=head)


def out_of_order(submission: Submission, standing: Standing) -> Answer:
    """Answer a save whose sequence is not the next one."""
    return Answer(
        Status.OUT_OF_ORDER,
        submission.save.id,
        standing.version,
        last_sequence=standing.client.last_sequence,
        head=standing.head,
    )


def refusal(workflow_id: str, problem: Problem) -> Answer:
    """Answer an item of a batch that failed; it describes no version."""
    return Answer(Status.REJECTED, workflow_id, version=0, problems=(problem,))
