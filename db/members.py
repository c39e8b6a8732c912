"""Who else may see or save a workflow."""

from dataclasses import dataclass

from db.database import Connection
from db.workflows import Role


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody with whom the owner shares a workflow."""

    user_id: str
    role: Role


async def read(connection: Connection, workflow_id: str) -> list[Member]:
    """List the members of a workflow; the owner is not one of them."""
    rows = await connection.fetch(
        "SELECT user_id, role FROM workflow_members WHERE workflow_id = $1 ORDER BY user_id", workflow_id
    )
    return [Member(row["user_id"], Role(row["role"])) for row in rows]


async def put(connection: Connection, workflow_id: str, user: str, role: Role) -> bool:
    """Give somebody a role; False where they have it already."""
    status = await connection.execute(
        """
        INSERT INTO workflow_members AS m (workflow_id, user_id, role) VALUES ($1, $2, $3)
        ON CONFLICT (workflow_id, user_id) DO UPDATE SET role = excluded.role WHERE m.role <> excluded.role
        """,
        workflow_id,
        user,
        role.value,
    )
    return status != "INSERT 0 0"


async def remove(connection: Connection, workflow_id: str, user: str) -> bool:
    """Take somebody's role away; False where they had none."""
    status = await connection.execute(
        "DELETE FROM workflow_members WHERE workflow_id = $1 AND user_id = $2", workflow_id, user
    )
    return status != "DELETE 0"
