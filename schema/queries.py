"""Everything that can be asked."""

import strawberry

from resolvers import workflows
from schema.context import Info
from schema.scalars import JSON
from schema.workflows import Workflow, WorkflowConnection, cursor


@strawberry.type(description="Who is calling.")
class Viewer:
    id: strawberry.ID
    name: str | None


@strawberry.type
class Query:
    @strawberry.field(description="Who is calling.")
    def viewer(self, info: Info) -> Viewer:
        viewer = info.context.known_viewer()
        return Viewer(id=strawberry.ID(viewer.id), name=viewer.name)

    @strawberry.field(description="One workflow; null where there is none or the caller may not see it.")
    async def workflow(self, info: Info, id: strawberry.ID) -> Workflow | None:
        head = await workflows.find(info.context, id)
        return Workflow.of(head) if head else None

    @strawberry.field(
        description="The workflows that the caller may see, newest saved first: by part of the name (`search`), by a "
        "part of the document (`containing`), or those in the trash (`deleted`)."
    )
    async def workflows(
        self,
        info: Info,
        first: int | None = 20,
        after: str | None = None,
        search: str | None = None,
        containing: JSON | None = None,
        deleted: bool | None = False,
    ) -> WorkflowConnection:
        page = await workflows.page(
            info.context,
            first=first,
            after=cursor(after),
            search=search,
            containing=containing,
            deleted=bool(deleted),
        )
        return WorkflowConnection.of(page, after)
