"""Better Auth's cookies and bans, down to how often the database is asked."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from auth.better_auth import BAN_SECONDS, COOKIE, SessionCookies, UnlessBanned
from db import better_auth
from db.better_auth import Session, User
from db.database import Connection, Database
from resolvers.context import UserId, Viewer
from resolvers.errors import UnauthenticatedError
from tests.auth.clock import Clock

SECRET = b"supersecret"
TOKEN = "tok_ABC123"
VALUE = "tok_ABC123.%2FdFohlIizXB8OZqZaK0DD8DZMQAdMTuLhHIkuC6avFQ%3D"  # as Better Auth writes it

ADA = User("ada", "Ada", banned=False, ban_expires=None)
BANNED = User("ada", "Ada", banned=True, ban_expires=None)


def until(**time: float) -> datetime:
    return datetime.now(UTC) + timedelta(**time)


@dataclass(slots=True)
class Tables:
    """What the database would tell, and what it was asked."""

    session: Session | None = None
    user: User | None = None
    asked: list[str] = field(default_factory=list)

    async def read_session(self, _: Connection, token: str) -> Session | None:
        self.asked.append(token)
        return self.session

    async def read_user(self, _: Connection, user_id: str) -> User | None:
        self.asked.append(user_id)
        return self.user


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Tables:
    tables = Tables()
    monkeypatch.setattr(better_auth, "session", tables.read_session)
    monkeypatch.setattr(better_auth, "user", tables.read_user)
    return tables


@pytest.fixture
def cookies(database: Database, tables: Tables) -> SessionCookies:
    del tables
    return SessionCookies(SECRET, database)


async def test_a_cookie_as_better_auth_writes_it_names_the_user(cookies: SessionCookies, tables: Tables) -> None:
    tables.session = Session(ADA, until(days=1))
    assert await cookies.viewer({COOKIE: VALUE}) == Viewer(UserId("ada"), "Ada", tables.session.expires_at)
    assert tables.asked == [TOKEN]


async def test_on_https_the_cookie_has_a_prefix_and_goes_before_one_without(
    cookies: SessionCookies, tables: Tables
) -> None:
    tables.session = Session(ADA, until(days=1))
    assert await cookies.viewer({f"__Secure-{COOKIE}": VALUE, COOKIE: "set by whoever has a subdomain"})


@pytest.mark.parametrize("others", [{}, {"theme": "dark"}, {COOKIE: ""}, {"better-auth.session_data": VALUE}])
async def test_other_cookies_are_none(cookies: SessionCookies, tables: Tables, others: dict[str, str]) -> None:
    assert await cookies.viewer(others) is None
    assert not tables.asked


@pytest.mark.parametrize(
    "value",
    [
        TOKEN,
        f"{TOKEN}.",
        f".{VALUE}",
        f"x{VALUE}",
        f"{VALUE}x",
        VALUE.lower(),
        VALUE[:-3],
        VALUE.replace("F", "f"),
        "é",
    ],
)
async def test_a_forged_cookie_is_refused_and_asks_nothing(cookies: SessionCookies, tables: Tables, value: str) -> None:
    tables.session = Session(ADA, until(days=1))
    with pytest.raises(UnauthenticatedError):
        await cookies.viewer({COOKIE: value})
    assert not tables.asked


@pytest.mark.parametrize(
    "session",
    [
        None,
        Session(ADA, until(seconds=-1)),
        Session(BANNED, until(days=1)),
        Session(User("ada", "Ada", banned=True, ban_expires=until(hours=1)), until(days=1)),
        Session(User("", None, banned=False, ban_expires=None), until(days=1)),
        Session(User("x" * 256, None, banned=False, ban_expires=None), until(days=1)),
    ],
    ids=["ended", "expired", "banned", "banned for a while", "without a user", "with a user that is too long"],
)
async def test_a_session_that_counts_no_more_is_refused(
    cookies: SessionCookies, tables: Tables, session: Session | None
) -> None:
    tables.session = session
    with pytest.raises(UnauthenticatedError):
        await cookies.viewer({COOKIE: VALUE})


class Bearers:
    """Tokens that are the ids of their users."""

    async def viewer(self, token: str) -> Viewer:
        return Viewer(UserId(token))


@pytest.fixture
def tokens(database: Database, tables: Tables, clock: Clock) -> UnlessBanned:
    del tables
    return UnlessBanned(Bearers(), database, clock)


async def test_a_token_of_a_banned_user_is_refused(tokens: UnlessBanned, tables: Tables) -> None:
    tables.user = BANNED
    for _ in range(2):
        with pytest.raises(UnauthenticatedError, match="banned"):
            await tokens.viewer("ada")


@pytest.mark.parametrize("user", [ADA, None], ids=["known", "unknown"])
async def test_a_token_of_any_other_user_counts(tokens: UnlessBanned, tables: Tables, user: User | None) -> None:
    tables.user = user
    assert (await tokens.viewer("ada")).id == "ada"


async def test_a_ban_is_asked_for_once_in_a_while_for_each_user(
    tokens: UnlessBanned, tables: Tables, clock: Clock
) -> None:
    tables.user = ADA
    for user in ("ada", "bob", "ada", "bob"):
        await tokens.viewer(user)
    clock.now += BAN_SECONDS - 1
    await tokens.viewer("ada")
    assert tables.asked == ["ada", "bob"]
    clock.now += 1
    tables.user = BANNED
    with pytest.raises(UnauthenticatedError):
        await tokens.viewer("ada")
    assert tables.asked == ["ada", "bob", "ada"]


async def test_who_was_not_seen_for_a_while_is_forgotten(tokens: UnlessBanned, tables: Tables, clock: Clock) -> None:
    tables.user = ADA
    for number in range(100):
        await tokens.viewer(f"user {number}")
        clock.now += 1
    assert len(tokens._answers) <= BAN_SECONDS
