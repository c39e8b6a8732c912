"""Everything that can be listened to."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Self, TypeVar

import strawberry

from db import conflicts
from db.feeds import Event, EventKind
from db.journal import Entry
from merge import repair
from resolvers import documents, history, presence, subscriptions, workflows
from resolvers.saves import Reason
from resolvers.subscriptions import Source
from schema import scalars
from schema.changes import Change
from schema.conflicts import Conflict, Repair
from schema.context import Info
from schema.presence import Presence, everybody
from schema.scalars import JSON
from schema.workflows import Workflow

Item = TypeVar("Item")
Shape = TypeVar("Shape")

PERSONAL_FIELDS = frozenset(("workflow",))  # of an event: what they show depends on who asks

strawberry.enum(EventKind, name="WorkflowEvent", description="What can happen to a workflow.")


@strawberry.type(description="A save of a workflow.")
class WorkflowSaved:
    entry: strawberry.Private[Entry]
    id: strawberry.ID
    version: int
    conflicts: list[Conflict]
    repairs: list[Repair]
    saved_by: strawberry.ID
    saved_at: datetime
    client_id: strawberry.ID | None
    reason: Reason

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """Show a journal entry."""
        return cls(
            entry=entry,
            id=strawberry.ID(entry.workflow_id),
            version=entry.version,
            conflicts=[Conflict.of(conflicts.from_json(conflict)) for conflict in entry.conflicts],
            repairs=[Repair.of(repair.from_json(found)) for found in entry.repairs],
            saved_by=strawberry.ID(entry.saved_by),
            saved_at=entry.saved_at,
            client_id=scalars.id_or_null(entry.client_id),
            reason=Reason(entry.reason),
        )

    @strawberry.field(description="What leads from the version before to this one.")
    def changes(self) -> list[Change]:
        return [Change.of(change) for change in documents.changes_of(self.entry)]

    @strawberry.field(description="The whole document at `version`.")
    async def state(self, info: Info) -> JSON:
        return JSON(await history.state(info.context, self.entry.workflow_id, self.version))

    @strawberry.field(description="The workflow as it stands now.")
    async def workflow(self, info: Info) -> Workflow:
        return Workflow.of(await workflows.visible(info.context, self.entry.workflow_id))


@strawberry.type(description="Something that happened to a workflow.")
class WorkflowsChanged:
    id: strawberry.ID
    kind: EventKind
    version: int | None
    by: strawberry.ID | None
    at: datetime

    @classmethod
    def of(cls, event: Event) -> Self:
        """Show an event."""
        return cls(
            id=strawberry.ID(event.workflow_id),
            kind=event.kind,
            version=event.version,
            by=scalars.id_or_null(event.by),
            at=event.at,
        )

    @strawberry.field(description="The workflow as it stands now; null where the caller may not see it any more.")
    async def workflow(self, info: Info) -> Workflow | None:
        head = await workflows.find(info.context, self.id)
        return Workflow.of(head) if head else None


@dataclass(slots=True)
class Shown(AsyncIterator[Shape], Generic[Item, Shape]):
    """The events of a source in the shape that clients see."""

    source: Source[Item]
    show: Callable[[Item], Shape]

    async def __anext__(self) -> Shape:
        return self.show(await anext(self.source))

    async def aclose(self) -> None:
        await self.source.aclose()


@strawberry.type
class Subscription:
    @strawberry.subscription(
        description="Every save of a workflow above `sinceVersion` (default: the current one), in order, without gaps "
        "or doubles; those of the caller's own `exceptClient` left out."
    )
    def workflow_saved(
        self,
        info: Info,
        id: strawberry.ID,
        since_version: int | None = None,
        except_client: strawberry.ID | None = None,
    ) -> AsyncIterator[WorkflowSaved]:
        saves = subscriptions.saves(info.context, id, since=since_version, except_client=except_client)
        return Shown(saves, WorkflowSaved.of)

    @strawberry.subscription(description="Whatever happens, from now on, to any workflow that the caller may see.")
    def workflows_changed(self, info: Info) -> AsyncIterator[WorkflowsChanged]:
        return Shown(subscriptions.changes(info.context), WorkflowsChanged.of)

    @strawberry.subscription(
        description="Everybody who has a workflow open, oldest first (at most 200), now and each time that changes: at "
        "most 20 times a second, in a crowd less often. With `clientId` the caller is there, too, until the "
        "subscription ends."
    )
    def presence(
        self, info: Info, id: strawberry.ID, client_id: strawberry.ID | None = None
    ) -> AsyncIterator[list[Presence]]:
        return Shown(presence.gatherings(info.context, id, client_id), everybody)
