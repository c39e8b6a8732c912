"""Better Auth: its session cookie, and its bans."""

import base64
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import unquote

from auth import claims
from auth.authenticator import Tokens
from db import better_auth
from db.better_auth import Session
from db.database import Database
from resolvers import errors
from resolvers.context import Viewer

COOKIE = "better-auth.session_token"
SECURE = "__Secure-"  # stands before the name where Better Auth is reached by https
BAN_SECONDS = 30.0  # how long an answer about a ban is believed


@dataclass(frozen=True, slots=True)
class SessionCookies:
    """The sessions of a Better Auth server that shares this database and its secret."""

    secret: bytes
    database: Database

    async def viewer(self, cookies: Mapping[str, str]) -> Viewer | None:
        """Say whose session these cookies name, None where they name none. Raises UnauthenticatedError."""
        value = cookies.get(SECURE + COOKIE) or cookies.get(COOKIE)
        if not value:
            return None
        session = await self._session(self._token(value))
        return claims.viewer(session.user.id, session.user.name, session.expires_at)

    def _token(self, value: str) -> str:
        """Check that Better Auth itself wrote the cookie, so that a forged one never costs a question."""
        token, _, signature = unquote(value).rpartition(".")
        expected = base64.b64encode(hmac.digest(self.secret, token.encode(), "sha256"))
        if not hmac.compare_digest(expected, signature.encode()):
            raise errors.UnauthenticatedError
        return token

    async def _session(self, token: str) -> Session:
        async with self.database.connection() as connection:
            session = await better_auth.session(connection, token)
        now = datetime.now(UTC)
        if session is None or session.expires_at <= now or session.user.is_banned(now):
            raise errors.UnauthenticatedError("This session has ended: sign in again.")
        return session


@dataclass(slots=True)
class UnlessBanned:
    """Tokens of users whom Better Auth has not banned: one that was signed before a ban outlives it by minutes.

    Who is unknown to Better Auth is not banned: the tokens may come from elsewhere.
    """

    tokens: Tokens
    database: Database
    clock: Callable[[], float] = time.monotonic
    _answers: dict[str, tuple[float, bool]] = field(default_factory=dict)  # the oldest first

    async def viewer(self, token: str) -> Viewer:
        """Say whose token this is. Raises UnauthenticatedError."""
        viewer = await self.tokens.viewer(token)
        if await self._is_banned(viewer.id):
            raise errors.UnauthenticatedError("This user is banned.")
        return viewer

    async def _is_banned(self, user_id: str) -> bool:
        self._forget_old_answers()
        if user_id not in self._answers:
            banned = await self._ask(user_id)
            self._answers.pop(user_id, None)  # somebody else may have asked meanwhile
            self._answers[user_id] = (self.clock(), banned)
        return self._answers[user_id][1]

    async def _ask(self, user_id: str) -> bool:
        async with self.database.connection() as connection:
            user = await better_auth.user(connection, user_id)
        return user is not None and user.is_banned(datetime.now(UTC))

    def _forget_old_answers(self) -> None:
        oldest = self.clock() - BAN_SECONDS
        while self._answers and next(iter(self._answers.values()))[0] <= oldest:
            del self._answers[next(iter(self._answers))]
