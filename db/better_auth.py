"""The tables of a Better Auth server on the same database, which are read here and never written.

Better Auth names columns in camelCase, users of Drizzle often in snake_case, and plugins add columns at any time.
Rows are therefore read as JSON, whatever they have; an id has whatever type its column has.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

import asyncpg

from db.database import Connection

Row = Mapping[str, Any]

USER_ID = "(jsonb_populate_record(NULL::\"user\", jsonb_build_object('id', {}))).id"

SESSION = f"""
WITH held AS (SELECT to_jsonb("session") AS session FROM "session" WHERE token = $1)
SELECT held.session, to_jsonb("user") - 'image' AS "user"
FROM held JOIN "user" ON "user".id = {USER_ID.format("coalesce(session -> 'userId', session -> 'user_id')")}
"""

USER = f"""
SELECT to_jsonb("user") - 'image' AS "user" FROM "user" WHERE id = (SELECT {USER_ID.format("$1::text")})
"""


class MissingTablesError(Exception):
    """BETTER_AUTH_SECRET is set, but this database lacks the tables `session` and `user` as Better Auth makes them."""

    def __init__(self) -> None:
        super().__init__(type(self).__doc__)


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who signed up there. A ban ends at `ban_expires`, or never."""

    id: str
    name: str | None
    banned: bool
    ban_expires: datetime | None

    @classmethod
    def of(cls, row: Row) -> Self:
        """Read a row; only the admin plugin adds bans."""
        return cls(str(row["id"]), row.get("name"), bool(row.get("banned")), _time(row, "banExpires", "ban_expires"))

    def is_banned(self, now: datetime) -> bool:
        """Say whether a ban stands."""
        return self.banned and (self.ban_expires is None or self.ban_expires > now)


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in that was not ended by a sign-out."""

    user: User
    expires_at: datetime


async def session(connection: Connection, token: str) -> Session | None:
    """Read the session that a token names. Raises MissingTablesError."""
    row = await _row(connection, SESSION, token)
    if row is None:
        return None
    expires_at = _time(row["session"], "expiresAt", "expires_at")
    return Session(User.of(row["user"]), expires_at) if expires_at else None


async def user(connection: Connection, user_id: str) -> User | None:
    """Read a user. Raises MissingTablesError."""
    try:
        row = await _row(connection, USER, user_id)
    except asyncpg.DataError:  # no id of this database, such as a name where it has numbers
        return None
    return User.of(row["user"]) if row else None


async def _row(connection: Connection, query: str, key: str) -> asyncpg.Record | None:
    try:
        return await connection.fetchrow(query, key)
    except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError) as error:
        raise MissingTablesError from error


def _time(row: Row, *names: str) -> datetime | None:
    """Read a time by whichever of its names the row has; one that was stored without a zone is UTC."""
    found = next((row[name] for name in names if row.get(name)), None)
    if found is None:
        return None
    time = datetime.fromisoformat(found)
    return time if time.tzinfo else time.replace(tzinfo=UTC)
