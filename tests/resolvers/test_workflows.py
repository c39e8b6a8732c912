from resolvers import workflows
from resolvers.context import Context


async def test_who_may_see_a_workflow_sees_with_which_role(owner: Context, workflow: str) -> None:
    head = await workflows.visible(owner, workflow)
    assert (head.role, head.version, head.name) == ("OWNER", 1, "Plan")
