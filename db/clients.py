"""What each client was answered last, so that a retry is answered again and never applied twice.

The journal tells the answers to saves that wrote something; the others are kept with the client.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg

from db.database import Connection

KEPT_ANSWERS = 16  # retries of older saves are OUT_OF_ORDER
JOURNALED = frozenset(("CREATED", "SAVED", "MERGED"))  # the answers that the journal tells


@dataclass(frozen=True, slots=True)
class Client:
    """One tab of one user on one workflow.

    `answers` maps a sequence number to the answer it got, JSON-able and without states: of the newest KEPT_ANSWERS
    those that are known. `last_version` is the version that this client was last known to hold, 0 where there is none.
    """

    last_sequence: int
    last_version: int
    answers: Mapping[int, Mapping[str, Any]]


NEW = Client(last_sequence=0, last_version=0, answers={})


async def read(
    connection: Connection, workflow_id: str, user: str, client_id: str, *, sequence: int | None = None
) -> Client:
    """Read what is known of a client, and of its answers at least the one to `sequence`, as far as it is kept.

    A client that never saved here is NEW.
    """
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
    last_sequence, last_version, kept = row
    answers = {answer["sequence"]: answer for answer in kept}
    if sequence is not None and sequence not in answers and sequence <= last_sequence:
        answers |= await _written(connection, workflow_id, user, client_id, sequence)
    return Client(last_sequence, last_version, newest(answers, last_sequence))


async def _written(
    connection: Connection, workflow_id: str, user: str, client_id: str, sequence: int
) -> dict[int, Mapping[str, Any]]:
    """Find the answer to a save that the journal has."""
    rows = await connection.fetch(
        """
        SELECT sequence, status, version, base_version, digest, saved_at, conflicts FROM workflow_changes
        WHERE workflow_id = $1 AND saved_by = $2 AND client_id = $3 AND sequence = $4
        """,
        workflow_id,
        user,
        client_id,
        sequence,
    )
    return {row["sequence"]: _answer(row) for row in rows}


def _answer(row: asyncpg.Record) -> dict[str, Any]:
    return {
        "sequence": row["sequence"],
        "digest": row["digest"].hex(),
        "status": row["status"],
        "version": row["version"],
        "base": row["base_version"],
        "savedAt": row["saved_at"].isoformat(),
        "conflicts": [conflict["id"] for conflict in row["conflicts"]],
        "problems": [],
    }


def newest(answers: Mapping[int, Mapping[str, Any]], last_sequence: int) -> Mapping[int, Mapping[str, Any]]:
    """Leave those answers away that are too old to be given again."""
    return {sequence: answer for sequence, answer in answers.items() if sequence > last_sequence - KEPT_ANSWERS}


def unwritten(client: Client) -> dict[int, Mapping[str, Any]]:
    """Give those answers of a client that the journal does not tell."""
    return {sequence: answer for sequence, answer in client.answers.items() if answer["status"] not in JOURNALED}


def stored(client: Client) -> list[Mapping[str, Any]]:
    """Give the answers of a client that are kept with it."""
    return list(unwritten(client).values())


async def write(connection: Connection, workflow_id: str, user: str, client_id: str, client: Client) -> None:
    """Replace what is known of a client, keeping its newest answers."""
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
        stored(client),
    )
