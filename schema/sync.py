"""Saving as clients see it."""

from datetime import datetime
from typing import Self

import strawberry

from merge.changes import ABSENT
from resolvers import errors
from resolvers.answers import Answer
from resolvers.saves import Mode, Reason, Save, Status, Unreadable
from schema import scalars
from schema.changes import Change, ChangeInput
from schema.conflicts import Conflict, Problem, Repair
from schema.scalars import JSON
from schema.workflows import Workflow

strawberry.enum(Mode, name="SyncMode", description="What to do where somebody else saved since the base.")
strawberry.enum(Status, name="SyncStatus", description="What became of a save.")


@strawberry.input(description="One save: the whole `state`, or only the `changes`.")
class SyncWorkflowInput:
    id: strawberry.ID = strawberry.field(description="A new workflow's id is the client's choice: a random UUID.")
    state: JSON | None = strawberry.field(
        default=strawberry.UNSET, description="The whole document ...", metadata=scalars.UNREAD
    )
    changes: list[ChangeInput] | None = strawberry.field(
        default=strawberry.UNSET, description="... or only what changed: exactly one of the two."
    )
    base_version: int | None = strawberry.field(
        default=None,
        description="The version that the client had when it made the edit; 0: it did not exist.",
    )
    name: str | None = strawberry.field(default=None, description="The name of a workflow that this save creates.")
    client_id: strawberry.ID | None = strawberry.field(default=None, description="This tab.")
    sequence: int | None = strawberry.field(
        default=None,
        description="1, 2, 3 ... for each save of this clientId to this workflow: makes a retry safe.",
    )
    reason: Reason | None = Reason.MANUAL
    mode: Mode | None = Mode.MERGE
    allow_empty: bool | None = False
    dry_run: bool | None = strawberry.field(default=False, description="Answer the same, write nothing.")

    def save(self) -> Save:
        """Give the save that was meant; null means what leaving out means, except as a document.

        Raises BadUserInputError.
        """
        changes = None if self.changes is strawberry.UNSET else self.changes
        return Save(
            id=str(self.id),
            state=ABSENT if self.state is strawberry.UNSET else self.state,
            changes=None if changes is None else tuple(change.change() for change in changes),
            base_version=self.base_version,
            name=self.name,
            client_id=self.client_id,
            sequence=self.sequence,
            reason=self.reason or Reason.MANUAL,
            mode=self.mode or Mode.MERGE,
            allow_empty=bool(self.allow_empty),
            dry_run=bool(self.dry_run),
        )

    def save_of_batch(self) -> Save | Unreadable:
        """Check the same, where what is wrong with one save must not keep others from being saved."""
        try:
            return self.save()
        except errors.OperationError as error:
            return Unreadable(str(self.id), error)


@strawberry.type(description="What became of a save.")
class SyncWorkflowPayload:
    status: Status
    id: strawberry.ID
    version: int = strawberry.field(description="The version that this answer describes.")
    saved_at: datetime | None
    replayed: bool = strawberry.field(
        description="This (clientId, sequence) was answered before; here is that answer again."
    )
    last_sequence: int | None = strawberry.field(description="The last one decided for this client.")
    changes: list[Change] = strawberry.field(
        description="What the client must still apply to hold exactly the server's state at `version`. "
        "After REJECTED, RESYNC and OUT_OF_ORDER, read `workflow` instead."
    )
    conflicts: list[Conflict]
    repairs: list[Repair]
    problems: list[Problem] = strawberry.field(description="Why REJECTED.")
    workflow: Workflow | None

    @classmethod
    def of(cls, answer: Answer) -> Self:
        """Show an answer."""
        return cls(
            status=answer.status,
            id=strawberry.ID(answer.id),
            version=answer.version,
            saved_at=answer.saved_at,
            replayed=answer.replayed,
            last_sequence=answer.last_sequence,
            changes=[Change.of(change) for change in answer.changes],
            conflicts=[Conflict.of(conflict) for conflict in answer.conflicts],
            repairs=[Repair.of(found) for found in answer.repairs],
            problems=[Problem.of(problem) for problem in answer.problems],
            workflow=Workflow.of(answer.head) if answer.head else None,
        )
