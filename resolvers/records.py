"""What the journal gets of a save."""

from datetime import datetime

from db import conflicts
from db.journal import Entry, Receipt
from merge import changes, repair
from resolvers.decisions import Decision, Standing
from resolvers.submissions import Submission


def entry(submission: Submission, decision: Decision, saved_at: datetime) -> Entry:
    """Write down what a save changed, and what it met."""
    save = submission.save
    return Entry(
        save.id,
        decision.version,
        [changes.to_json(change) for change in decision.written],
        [conflicts.to_json(conflict) for conflict in decision.conflicts],
        [repair.to_json(found) for found in decision.repairs],
        saved_by=submission.user,
        saved_at=saved_at,
        client_id=save.client_id,
        reason=save.reason,
        label=None,
    )


def receipt(submission: Submission, standing: Standing, decision: Decision) -> Receipt:
    """Write down what a retry of the save is answered from."""
    return Receipt(
        submission.save_id,
        decision.status,
        submission.save.sequence,
        submission.digest,
        standing.base.version,
    )
