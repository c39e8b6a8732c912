"""Better Auth's tables, however an application named their columns."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from db import better_auth
from db.better_auth import MissingTablesError, Session, User
from db.database import Connection, Database

END = datetime(2030, 5, 6, 7, 8, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)

TABLES = {
    "as Better Auth makes them": """
        CREATE TABLE "user" (id text PRIMARY KEY, name text NOT NULL, image text);
        CREATE TABLE "session" (token text UNIQUE, "userId" text REFERENCES "user", "expiresAt" timestamptz NOT NULL);
    """,
    "with its admin plugin": """
        CREATE TABLE "user" (id text PRIMARY KEY, name text NOT NULL, banned boolean, "banExpires" timestamptz);
        CREATE TABLE "session" (token text UNIQUE, "userId" text REFERENCES "user", "expiresAt" timestamptz NOT NULL);
    """,
    "by Drizzle": """
        CREATE TABLE "user" (id text PRIMARY KEY, name text NOT NULL, banned boolean, ban_expires timestamp);
        CREATE TABLE "session" (token text UNIQUE, user_id text REFERENCES "user", expires_at timestamp NOT NULL);
    """,
    "with numbers": """
        CREATE TABLE "user" (id bigint PRIMARY KEY, name text NOT NULL, banned boolean, "banExpires" timestamptz);
        CREATE TABLE "session" (token text UNIQUE, "userId" bigint REFERENCES "user", "expiresAt" timestamptz NOT NULL);
    """,
    "with UUIDs": """
        CREATE TABLE "user" (id uuid PRIMARY KEY, name text NOT NULL, banned boolean, ban_expires timestamptz);
        CREATE TABLE "session" (token text UNIQUE, user_id uuid REFERENCES "user", expires_at timestamptz NOT NULL);
    """,
}
IDS = {"with numbers": "7", "with UUIDs": "9f0c1b7e-54a2-4d2a-9d6b-0a3c5e7f9b1d"}


@pytest.fixture
async def connection(empty_url: str) -> AsyncIterator[Connection]:
    """A connection whose time zone is not UTC, to a database without tables."""
    async with Database.open(empty_url, pool_size=2) as database, database.connection() as connection:
        await connection.execute("SET TimeZone = 'America/New_York'")
        yield connection


@pytest.mark.parametrize("how", TABLES)
async def test_sessions_and_users_are_found(connection: Connection, how: str) -> None:
    user = User(IDS.get(how, "ada"), "Ada", banned=False, ban_expires=None)
    await connection.execute(TABLES[how])
    await connection.execute(f"""INSERT INTO "user" (id, name) VALUES ('{user.id}', 'Ada')""")
    zone = "+00" if "timestamptz" in TABLES[how] else ""
    await connection.execute(f"""INSERT INTO "session" VALUES ('t', '{user.id}', '2030-05-06 07:08:09{zone}')""")

    assert await better_auth.session(connection, "t") == Session(user, END)
    assert await better_auth.user(connection, user.id) == user


@pytest.mark.parametrize("how", [how for how in TABLES if "banned" in TABLES[how]])
async def test_bans_are_found(connection: Connection, how: str) -> None:
    id_ = IDS.get(how, "ada")
    await connection.execute(TABLES[how])
    zone = "+00" if "timestamptz" in TABLES[how] else ""
    await connection.execute(f"""INSERT INTO "user" VALUES ('{id_}', 'Ada', true, '2030-05-06 07:08:09{zone}')""")

    assert await better_auth.user(connection, id_) == User(id_, "Ada", banned=True, ban_expires=END)


@pytest.mark.parametrize("how", TABLES)
@pytest.mark.parametrize("key", ["t", "", "7", "nobody", "'; --", "9" * 30, "9f0c1b7e-54a2-4d2a-9d6b-0a3c5e7f9b1d"])
async def test_what_is_not_there_is_not_found(connection: Connection, how: str, key: str) -> None:
    await connection.execute(TABLES[how])
    assert await better_auth.session(connection, key) is None
    assert await better_auth.user(connection, key) is None


async def test_a_column_that_a_plugin_adds_later_counts_at_once(connection: Connection) -> None:
    await connection.execute(TABLES["as Better Auth makes them"])
    await connection.execute("""INSERT INTO "user" VALUES ('ada', 'Ada')""")
    await better_auth.user(connection, "ada")
    await connection.execute('ALTER TABLE "user" ADD banned boolean DEFAULT true')
    found = await better_auth.user(connection, "ada")
    assert found
    assert found.banned


@pytest.mark.parametrize(("end", "stands"), [(None, True), (END + SECOND, True), (END, False)])
def test_a_ban_stands_until_it_ends(end: datetime | None, stands: bool) -> None:
    assert User("ada", None, banned=True, ban_expires=end).is_banned(END) == stands
    assert not User("ada", None, banned=False, ban_expires=end).is_banned(END)


@pytest.mark.parametrize("tables", ["SELECT", 'CREATE TABLE "session" (id text); CREATE TABLE "user" (name text)'])
async def test_tables_of_somebody_else_are_told(connection: Connection, tables: str) -> None:
    await connection.execute(tables)
    for read in (better_auth.session, better_auth.user):
        with pytest.raises(MissingTablesError, match="BETTER_AUTH_SECRET"):
            await read(connection, "t")


async def test_finding_a_session_reads_indexes_alone(connection: Connection) -> None:
    await connection.execute(TABLES["with UUIDs"])
    await connection.execute(
        """
        INSERT INTO "user" SELECT gen_random_uuid(), 'Ada' FROM generate_series(1, 5000);
        INSERT INTO "session" SELECT id::text, id, now() FROM "user";
        ANALYZE "user", "session";
        """
    )
    for query in (better_auth.SESSION, better_auth.USER):
        key = await connection.fetchval('SELECT id::text FROM "user" LIMIT 1')
        await connection.execute(f"PREPARE q AS {query}")
        plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN EXECUTE q('{key}')"))
        await connection.execute("DEALLOCATE q")
        assert "Seq Scan" not in plan, plan
