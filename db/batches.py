"""Many saves written by one statement, which is one transaction: group commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from db import clients
from db.clients import Client
from db.database import Connection
from db.journal import Entry, Receipt


@dataclass(frozen=True, slots=True)
class Move:
    """The head of one workflow moves from a version to another, or stays, if it is just as somebody knows it.

    `state` becomes the snapshot where there is one.
    """

    workflow_id: str
    expected: int
    revision: int
    version: int
    saved_by: str
    state: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Author:
    """Somebody who saved, and must be allowed to. Of a client (if it is one) it is `known`, and written, what it is."""

    workflow_id: str
    user: str
    client_id: str | None
    known: Client
    client: Client


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the journal. Its `saved_at` is not known yet."""

    entry: Entry
    receipt: Receipt
    changes: bytes


class OutdatedError(Exception):
    """What was known of a client was changed in the same moment: nothing of the batch is written."""


WRITE = """
    WITH moves AS (
        SELECT * FROM jsonb_to_recordset($1)
            AS m (id text, expected int, revision bigint, version int, saved_by text, state jsonb)
    ),
    authors AS (
        SELECT * FROM jsonb_to_recordset($2) AS a (
            id text, user_id text, client_id text, known_sequence bigint, known_version int,
            last_sequence bigint, last_version int, answers jsonb)
    ),
    strangers AS (
        SELECT a.id FROM authors a JOIN workflows w ON w.id = a.id
        WHERE w.owner_id <> a.user_id AND NOT EXISTS (
            SELECT FROM workflow_members m WHERE m.workflow_id = a.id AND m.user_id = a.user_id AND m.role = 'EDITOR')
    ),
    outdated AS (
        SELECT a.id FROM authors a JOIN workflow_clients c
        ON c.workflow_id = a.id AND c.user_id = a.user_id AND c.client_id = a.client_id
        WHERE (c.last_sequence, c.last_version) <> (a.known_sequence, a.known_version)
    ),
    proven AS MATERIALIZED (
        SELECT m.* FROM moves m JOIN workflows w ON w.id = m.id
        WHERE w.version = m.expected AND w.revision = m.revision AND w.deleted_at IS NULL AND w.purged_at IS NULL
          AND m.id NOT IN (SELECT id FROM strangers) AND m.id NOT IN (SELECT id FROM outdated)
        ORDER BY w.id FOR UPDATE OF w SKIP LOCKED
    ),
    heads AS (
        UPDATE workflows w
        SET version = p.version, saved_by = p.saved_by, saved_at = now(), state = coalesce(p.state, w.state),
            state_version = CASE WHEN p.state IS NULL THEN w.state_version ELSE p.version END
        FROM proven p WHERE w.id = p.id AND p.version > p.expected
    ),
    clients AS (
        INSERT INTO workflow_clients AS c (workflow_id, user_id, client_id, last_sequence, last_version, answers)
        SELECT a.id, a.user_id, a.client_id, a.last_sequence, a.last_version, a.answers
        FROM authors a JOIN proven p ON p.id = a.id WHERE a.client_id IS NOT NULL
        ON CONFLICT (workflow_id, user_id, client_id) DO UPDATE
        SET last_sequence = CASE
                WHEN (c.last_sequence, c.last_version) IN (
                    SELECT a.known_sequence, a.known_version FROM authors a
                    WHERE (a.id, a.user_id, a.client_id) = (c.workflow_id, c.user_id, c.client_id))
                THEN excluded.last_sequence END,  -- or NULL, which fails: somebody was faster than `outdated` could see
            last_version = excluded.last_version, answers = excluded.answers, seen_at = now()
    ),
    entries AS (
        INSERT INTO workflow_changes
            (workflow_id, version, save_id, changes, conflicts, repairs, saved_by, saved_at, client_id, reason,
             status, sequence, digest, base_version)
        SELECT e.id, e.version, e.save_id, e.changes, '[]', e.repairs, e.saved_by, now(), e.client_id, e.reason,
               e.status, e.sequence, decode(e.digest, 'hex'), e.base_version
        FROM jsonb_to_recordset($3) AS e (
            id text, version int, save_id uuid, changes jsonb, repairs jsonb, saved_by text, client_id text,
            reason text, status text, sequence bigint, digest text, base_version int)
        JOIN proven p ON p.id = e.id
    )
    SELECT id, now() FROM proven
"""


async def write(
    connection: Connection, moves: Sequence[Move], authors: Sequence[Author], rows: Sequence[Row]
) -> dict[str, datetime]:
    """Write what belongs to those workflows of which everything is as it is known, and tell when they were saved.

    A workflow whose row somebody else holds is left out as well: nobody waits for it. Raises OutdatedError.
    """
    try:
        found = await connection.fetch(
            WRITE, [_move(move) for move in moves], [_author(author) for author in authors], [_row(row) for row in rows]
        )
    except asyncpg.NotNullViolationError as error:
        if error.table_name == "workflow_clients":
            raise OutdatedError from error
        raise
    return {row[0]: row[1] for row in found}


def _move(move: Move) -> dict[str, object]:
    return {
        "id": move.workflow_id,
        "expected": move.expected,
        "revision": move.revision,
        "version": move.version,
        "saved_by": move.saved_by,
        "state": move.state,
    }


def _author(author: Author) -> dict[str, object]:
    return {
        "id": author.workflow_id,
        "user_id": author.user,
        "client_id": author.client_id,
        "known_sequence": author.known.last_sequence,
        "known_version": author.known.last_version,
        "last_sequence": author.client.last_sequence,
        "last_version": author.client.last_version,
        "answers": clients.stored(author.client),
    }


def _row(row: Row) -> dict[str, object]:
    entry, receipt = row.entry, row.receipt
    counted = receipt.sequence is not None
    return {
        "id": entry.workflow_id,
        "version": entry.version,
        "save_id": receipt.save_id,
        "changes": orjson.Fragment(row.changes),
        "repairs": entry.repairs,
        "saved_by": entry.saved_by,
        "client_id": entry.client_id,
        "reason": entry.reason,
        "status": receipt.status,
        "sequence": receipt.sequence,
        "digest": receipt.digest if counted else None,
        "base_version": receipt.base_version if counted else None,
    }
