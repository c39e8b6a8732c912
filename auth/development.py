"""Development tokens: on the machine where the server runs, everybody may be anybody."""

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Self

import jwt

from auth.jwt import JsonWebTokens, SharedSecret
from resolvers import inputs
from resolvers.context import Viewer

KEY_FILE = "development.key"
KEY_BYTES = 32  # what HS256 asks for
LIFETIME = timedelta(days=30)
ISSUER = AUDIENCE = "workflow-sync/development"
ALGORITHM = "HS256"


@dataclass(frozen=True, slots=True)
class DevelopmentTokens:
    """The tokens that are signed by the key of one data folder."""

    key: bytes

    @classmethod
    def load(cls, data: Path) -> Self:
        """Take the key of a data folder, which is made at first use. Several processes may do so at once."""
        file = data / KEY_FILE
        if not file.exists():
            _make_key(file)
        key = file.read_bytes()
        if len(key) != KEY_BYTES:
            raise ValueError(f"{file} is no key of {KEY_BYTES} bytes: delete it, and a new one is made.")
        return cls(key)

    def sign(self, user: str, lifetime: timedelta = LIFETIME, *, name: str | None = None) -> str:
        """Make a token with which one is `user`, whom others see as `name`.

        Raises BadUserInputError where no user can be called so.
        """
        said = {
            "sub": inputs.text("user id", user, most=inputs.USER_ID_CHARACTERS),
            "name": name,
            "iss": ISSUER,
            "aud": AUDIENCE,
            "exp": datetime.now(UTC) + lifetime,
        }
        return jwt.encode(said, self.key, ALGORITHM)

    async def viewer(self, token: str) -> Viewer:
        """Say whose token this is. Raises UnauthenticatedError."""
        return await JsonWebTokens(SharedSecret(self.key), (ALGORITHM,), ISSUER, AUDIENCE).viewer(token)


def _make_key(file: Path) -> None:
    """Make a key that only this user reads; it appears whole or not at all, and the first one stays."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=file.parent, prefix=f"{KEY_FILE}.") as draft:  # of mode 0600
        draft.write(secrets.token_bytes(KEY_BYTES))
        draft.flush()
        os.fsync(draft.fileno())
        with suppress(FileExistsError):
            os.link(draft.name, file)
