"""JSON Web Tokens: whoever holds one that its issuer signed for this server is who it names."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import jwt

from auth import claims
from resolvers import errors
from resolvers.context import Viewer

TOKEN_CHARACTERS = 16 * 1024  # headers of requests are no longer; in a WebSocket message anything may stand
LEEWAY_SECONDS = 5  # the clocks of two machines differ
REQUIRED = ["exp", "iss", "aud", "sub"]

Key = jwt.PyJWK | bytes


class Keys(Protocol):
    """Where the keys of an issuer are found."""

    async def find(self, kid: str | None) -> Key:
        """Give the key that a token names. Raises UnauthenticatedError where there is none."""


@dataclass(frozen=True, slots=True)
class SharedSecret:
    """The one key of an issuer that shares it with this server."""

    secret: bytes

    async def find(self, kid: str | None) -> Key:
        """Give the secret, whatever the token calls it."""
        del kid
        return self.secret


@dataclass(frozen=True, slots=True)
class JsonWebTokens:
    """The tokens of one issuer for one audience, signed by one of its keys with one of these algorithms."""

    keys: Keys
    algorithms: tuple[str, ...]
    issuer: str
    audience: str

    async def viewer(self, token: str) -> Viewer:
        """Say whose token this is. Raises UnauthenticatedError."""
        if len(token) > TOKEN_CHARACTERS:
            raise errors.UnauthenticatedError("The bearer token is too long.")
        try:
            said = await self._read(token)
            until = datetime.fromtimestamp(int(said["exp"]) + LEEWAY_SECONDS, UTC)
        except (jwt.PyJWTError, ValueError, OverflowError) as error:
            raise errors.UnauthenticatedError(f"The bearer token is not valid: {error}") from error
        return claims.viewer(said["sub"], said.get("name"), until)

    async def _read(self, token: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(token)
        if header.get("alg") not in self.algorithms:  # before the keys are asked for, which may mean fetching them
            raise jwt.InvalidAlgorithmError("The specified alg value is not allowed")
        return jwt.decode(
            token,
            await self.keys.find(header.get("kid")),
            algorithms=self.algorithms,
            issuer=self.issuer,
            audience=self.audience,
            leeway=LEEWAY_SECONDS,
            options={"require": REQUIRED, "enforce_minimum_key_length": True},
        )
