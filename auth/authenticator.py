"""Who is calling, by whichever way of signing in the caller chose."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from resolvers import errors
from resolvers.context import Viewer


class Tokens(Protocol):
    """A way of signing in that gives bearer tokens."""

    async def viewer(self, token: str) -> Viewer:
        """Say whose token this is. Raises UnauthenticatedError."""


class Cookies(Protocol):
    """A way of signing in that gives cookies."""

    async def viewer(self, cookies: Mapping[str, str]) -> Viewer | None:
        """Say whose session these cookies name, None where they name none. Raises UnauthenticatedError."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is calling, and whether the browser said so by itself, which it does for foreign pages too."""

    viewer: Viewer
    by_cookie: bool


@dataclass(frozen=True, slots=True)
class Authenticator:
    """The ways of signing in that count here; None for those that do not."""

    cookies: Cookies | None = None
    tokens: Tokens | None = None

    async def identify(self, authorization: str | None, cookies: Mapping[str, str]) -> Identity | None:
        """Say who is calling, None for nobody. Raises UnauthenticatedError for credentials that do not count.

        What the caller says itself goes before what the browser adds.
        """
        if authorization is not None:
            return Identity(await self._bearer(authorization), by_cookie=False)
        viewer = await self.cookies.viewer(cookies) if self.cookies else None
        return Identity(viewer, by_cookie=True) if viewer else None

    async def _bearer(self, authorization: str) -> Viewer:
        scheme, _, token = authorization.partition(" ")
        if self.tokens is None or scheme.lower() != "bearer":
            raise errors.UnauthenticatedError
        return await self.tokens.viewer(token.strip())
