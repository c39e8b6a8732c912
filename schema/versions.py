"""Versions of a workflow as clients see them."""

from datetime import datetime
from typing import Self

import strawberry

from db.journal import Entry
from resolvers import documents, history
from resolvers.history import VersionPage
from resolvers.saves import Reason
from schema import connections, scalars
from schema.changes import Change
from schema.connections import PageInfo
from schema.context import Info
from schema.scalars import JSON

MOST_VERSION = 2**31 - 1  # of GraphQL's Int and of the column

strawberry.enum(Reason, name="SaveReason", description="Why a client saves.")


@strawberry.type(description="One save of a workflow.")
class WorkflowVersion:
    entry: strawberry.Private[Entry]
    version: int
    saved_by: strawberry.ID
    saved_at: datetime
    client_id: strawberry.ID | None
    reason: Reason
    label: str | None

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """Show a journal entry."""
        return cls(
            entry=entry,
            version=entry.version,
            saved_by=strawberry.ID(entry.saved_by),
            saved_at=entry.saved_at,
            client_id=scalars.id_or_null(entry.client_id),
            reason=Reason(entry.reason),
            label=entry.label,
        )

    @strawberry.field(description="The whole document at this version.")
    async def state(self, info: Info) -> JSON:
        return JSON(await history.text(info.context, self.entry.workflow_id, self.version))

    @strawberry.field(description="What this save changed.")
    def changes(self) -> list[Change]:
        return [Change.of(change) for change in documents.changes_of(self.entry)]

    @strawberry.field(description="How much this save changed: the bytes of its journal entry as JSON.")
    def size(self) -> int:
        return documents.size_of(self.entry)


@strawberry.type
class VersionEdge:
    node: WorkflowVersion
    cursor: str


@strawberry.type(description="Versions, newest first.")
class VersionConnection:
    edges: list[VersionEdge]
    page_info: PageInfo

    @classmethod
    def of(cls, page: VersionPage, after: str | None) -> Self:
        """Show a page of the journal."""
        edges = [
            VersionEdge(node=WorkflowVersion.of(entry), cursor=connections.encode(entry.version))
            for entry in page.entries
        ]
        info = connections.page_info([edge.cursor for edge in edges], has_next=page.has_next, after=after)
        return cls(edges=edges, page_info=info)


def cursor(after: str | None) -> int | None:
    """Read the cursor of a version back. Raises BadUserInputError."""
    if after is None:
        return None
    version: int = connections.decode(after, int)[0]
    if not 1 <= version <= MOST_VERSION:
        raise connections.not_a_cursor()
    return version
