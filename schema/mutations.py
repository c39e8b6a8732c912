"""Everything that can be done."""

import strawberry

from db.workflows import Role
from merge.three_way import Side
from resolvers import conflicts, history, presence, sync, workflows
from schema.context import Info
from schema.scalars import JSON
from schema.sync import SyncWorkflowInput, SyncWorkflowPayload
from schema.versions import WorkflowVersion
from schema.workflows import Workflow


@strawberry.type
class Mutation:
    @strawberry.mutation(description="Save one document.")
    async def sync_workflow(self, info: Info, input: SyncWorkflowInput) -> SyncWorkflowPayload:
        return SyncWorkflowPayload.of(await sync.sync(info.context, input.save()))

    @strawberry.mutation(description="Save several documents, in order: the flush at unload and the first upload.")
    async def sync_workflows(self, info: Info, inputs: list[SyncWorkflowInput]) -> list[SyncWorkflowPayload]:
        answers = await sync.sync_all(info.context, [item.save_of_batch() for item in inputs])
        return [SyncWorkflowPayload.of(answer) for answer in answers]

    @strawberry.mutation(description="Save an old version again, on top of what stands (owner, editor).")
    async def restore_version(
        self, info: Info, id: strawberry.ID, version: int, client_id: strawberry.ID | None = None
    ) -> SyncWorkflowPayload:
        return SyncWorkflowPayload.of(await history.restore(info.context, id, version, client_id))

    @strawberry.mutation(
        description="Take one version back by its inverse changes, merged with everything since (owner, editor)."
    )
    async def undo(
        self, info: Info, id: strawberry.ID, version: int, client_id: strawberry.ID | None = None
    ) -> SyncWorkflowPayload:
        return SyncWorkflowPayload.of(await history.undo(info.context, id, version, client_id))

    @strawberry.mutation(description="Close a conflict by saving one of its sides (owner, editor).")
    async def resolve_conflict(
        self, info: Info, id: strawberry.ID, take: Side, client_id: strawberry.ID | None = None
    ) -> SyncWorkflowPayload:
        return SyncWorkflowPayload.of(await conflicts.resolve(info.context, id, take, client_id))

    @strawberry.mutation(
        description="Name a version, which is then kept for good, or take its name away (owner, editor)."
    )
    async def label_version(
        self, info: Info, id: strawberry.ID, version: int, label: str | None = None
    ) -> WorkflowVersion:
        return WorkflowVersion.of(await history.label(info.context, id, version, label))

    @strawberry.mutation(description="Give a workflow another name (owner, editor).")
    async def rename_workflow(self, info: Info, id: strawberry.ID, name: str) -> Workflow:
        return Workflow.of(await workflows.rename(info.context, id, name))

    @strawberry.mutation(description="Copy a workflow, without its history, into a new one of the caller's own.")
    async def duplicate_workflow(
        self, info: Info, id: strawberry.ID, new_id: strawberry.ID, name: str | None = None
    ) -> Workflow:
        return Workflow.of(await workflows.duplicate(info.context, id, new_id, name))

    @strawberry.mutation(description="Put a workflow into the trash (owner).")
    async def delete_workflow(self, info: Info, id: strawberry.ID) -> Workflow:
        return Workflow.of(await workflows.delete(info.context, id))

    @strawberry.mutation(description="Take a workflow out of the trash (owner).")
    async def undelete_workflow(self, info: Info, id: strawberry.ID) -> Workflow:
        return Workflow.of(await workflows.undelete(info.context, id))

    @strawberry.mutation(description="Remove a workflow for good, its history too (owner). Its id stays taken.")
    async def purge_workflow(self, info: Info, id: strawberry.ID) -> strawberry.ID:
        return strawberry.ID(await workflows.purge(info.context, id))

    @strawberry.mutation(description="Let somebody see (VIEWER) or also save (EDITOR) a workflow (owner).")
    async def share_workflow(self, info: Info, id: strawberry.ID, user_id: strawberry.ID, role: Role) -> Workflow:
        return Workflow.of(await workflows.share(info.context, id, user_id, role))

    @strawberry.mutation(description="Take somebody's role away again (owner).")
    async def unshare_workflow(self, info: Info, id: strawberry.ID, user_id: strawberry.ID) -> Workflow:
        return Workflow.of(await workflows.unshare(info.context, id, user_id))

    @strawberry.mutation(
        description="Say what others see of a tab of the caller's that listens to `presence` (any role): at most 4 KiB "
        "of JSON, the newest counts, never stored. False where that tab is not there."
    )
    async def set_presence(
        self, info: Info, id: strawberry.ID, client_id: strawberry.ID, state: JSON | None = None
    ) -> bool:
        return await presence.say(info.context, id, client_id, state)
