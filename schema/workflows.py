"""Workflows as clients see them."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Self

import strawberry

from db.members import Member as MemberRow
from db.workflows import Head, Role
from resolvers import conflicts, errors, history, inputs, workflows
from resolvers.workflows import HeadPage
from schema import connections, versions
from schema.changes import Change
from schema.conflicts import Conflict
from schema.connections import PageInfo
from schema.context import Info
from schema.scalars import JSON
from schema.versions import VersionConnection, WorkflowVersion

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)  # as exact as Postgres is

strawberry.enum(Role, name="Role", description="What somebody may do with a workflow.")


@strawberry.type(description="Somebody with whom a workflow is shared.")
class Member:
    user_id: strawberry.ID
    role: Role

    @classmethod
    def of(cls, member: MemberRow) -> Self:
        """Show a member."""
        return cls(user_id=strawberry.ID(member.user_id), role=member.role)


@strawberry.type(description="One workflow, as the caller may see it.")
class Workflow:
    head: strawberry.Private[Head]
    id: strawberry.ID
    name: str
    version: int
    role: Role
    owner_id: strawberry.ID
    saved_by: strawberry.ID
    saved_at: datetime
    created_at: datetime
    deleted_at: datetime | None

    @classmethod
    def of(cls, head: Head) -> Self:
        """Show the head of a workflow."""
        return cls(
            head=head,
            id=strawberry.ID(head.id),
            name=head.name,
            version=head.version,
            role=head.role,
            owner_id=strawberry.ID(head.owner_id),
            saved_by=strawberry.ID(head.saved_by),
            saved_at=head.saved_at,
            created_at=head.created_at,
            deleted_at=head.deleted_at,
        )

    @strawberry.field(description="The whole document at `version`.")
    async def state(self, info: Info) -> JSON:
        return JSON(await history.text(info.context, self.head.id, self.head.version))

    @strawberry.field(description="The saves that led here, newest first.")
    async def versions(self, info: Info, first: int | None = 20, after: str | None = None) -> VersionConnection:
        page = await history.versions(info.context, self.head, first=first, before=versions.cursor(after))
        return VersionConnection.of(page, after)

    @strawberry.field(description="One version; null where there is no such version.")
    async def at_version(self, info: Info, version: int) -> WorkflowVersion | None:
        entry = await history.version(info.context, self.head, version)
        return WorkflowVersion.of(entry) if entry else None

    @strawberry.field(
        description="What leads from version `from` (0: the empty document) to `to` (default: the current one)."
    )
    async def diff(
        self, info: Info, start: Annotated[int, strawberry.argument(name="from")], to: int | None = None
    ) -> list[Change]:
        return [Change.of(change) for change in await history.difference(info.context, self.head, start, to)]

    @strawberry.field(
        description="The version that last set the value at a path, something inside it, or what it is part of."
    )
    async def blame(self, info: Info, path: list[str]) -> WorkflowVersion | None:
        entry = await history.blame(info.context, self.head, path)
        return WorkflowVersion.of(entry) if entry else None

    @strawberry.field(description="With whom the workflow is shared, besides its owner.")
    async def members(self, info: Info) -> list[Member]:
        return [Member.of(member) for member in await workflows.list_members(info.context, self.head)]

    @strawberry.field(description="The conflicts that nobody has resolved, newest first.")
    async def conflicts(self, info: Info) -> list[Conflict]:
        return [Conflict.of(conflict) for conflict in await conflicts.read_open(info.context, self.head)]


@strawberry.type
class WorkflowEdge:
    node: Workflow

    @strawberry.field
    def cursor(self) -> str:
        return _encoded(self.node.head)


@strawberry.type(description="Workflows, newest saved first.")
class WorkflowConnection:
    edges: list[WorkflowEdge]
    page_info: PageInfo

    @classmethod
    def of(cls, page: HeadPage, after: str | None) -> Self:
        """Show a page of heads."""
        edges = [WorkflowEdge(node=Workflow.of(head)) for head in page.heads]
        ends = [_encoded(head) for head in (*page.heads[:1], *page.heads[-1:])]
        return cls(edges=edges, page_info=connections.page_info(ends, has_next=page.has_next, after=after))


def cursor(after: str | None) -> workflows.Cursor | None:
    """Read the cursor of a workflow back. Raises BadUserInputError."""
    if after is None:
        return None
    saved_at, workflow_id = connections.decode(after, int, str)
    try:
        return EPOCH + saved_at * MICROSECOND, inputs.identifier("after", workflow_id)
    except (OverflowError, errors.BadUserInputError):
        raise connections.not_a_cursor() from None


def _encoded(head: Head) -> str:
    return connections.encode((head.saved_at - EPOCH) // MICROSECOND, head.id)
