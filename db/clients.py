"""What each client was answered last, so that a retry is answered again and never applied twice."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from db.database import Connection

KEPT_ANSWERS = 16  # retries of older saves are OUT_OF_ORDER


@dataclass(frozen=True, slots=True)
class Client:
    """One tab of one user on one workflow.

    `answers` maps a sequence number to the answer it got, JSON-able and without states. `last_version` is the
    version that this client was last known to hold, 0 where there is none.
    """

    last_sequence: int
    last_version: int
    answers: Mapping[int, Mapping[str, Any]]


NEW = Client(last_sequence=0, last_version=0, answers={})


async def read(connection: Connection, workflow_id: str, user: str, client_id: str) -> Client:
    """Read what is known of a client; a client that never saved here is NEW."""
    row = await connection.fetchrow(
        """
        SELECT last_sequence, last_version, answers FROM workflow_clients
        WHERE workflow_id = $1 AND user_id = $2 AND client_id = $3
        """,
        workflow_id,
        user,
        client_id,
    )
    if row is None:
        return NEW
    answers = {answer["sequence"]: answer for answer in row["answers"]}
    return Client(last_sequence=row["last_sequence"], last_version=row["last_version"], answers=answers)


async def write(connection: Connection, workflow_id: str, user: str, client_id: str, client: Client) -> None:
    """Replace what is known of a client, keeping its newest answers."""
    answers = [client.answers[sequence] for sequence in sorted(client.answers)[-KEPT_ANSWERS:]]
    await connection.execute(
        """
        INSERT INTO workflow_clients (workflow_id, user_id, client_id, last_sequence, last_version, answers)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (workflow_id, user_id, client_id) DO UPDATE
        SET last_sequence = excluded.last_sequence, last_version = excluded.last_version,
            answers = excluded.answers, seen_at = now()
        """,
        workflow_id,
        user,
        client_id,
        client.last_sequence,
        client.last_version,
        answers,
    )
