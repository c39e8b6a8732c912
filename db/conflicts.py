"""Payloads that could not be written: nobody's work is thrown away because somebody else was faster."""

from typing import Any

from db.database import Connection


async def keep(
    connection: Connection,
    workflow_id: str,
    user: str,
    client_id: str | None,
    *,
    base_version: int | None,
    payload: dict[str, Any],
) -> None:
    """Keep a whole document that lost; the newest of each client replaces the one before."""
    await connection.execute(
        """
        INSERT INTO workflow_conflicts (workflow_id, user_id, client_id, base_version, payload)
        VALUES ($1, $2, coalesce($3, ''), $4, $5)
        ON CONFLICT (workflow_id, user_id, client_id) DO UPDATE
        SET base_version = excluded.base_version, payload = excluded.payload, kept_at = now()
        """,
        workflow_id,
        user,
        client_id,
        base_version,
        payload,
    )
