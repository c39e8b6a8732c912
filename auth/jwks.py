"""The public keys of an issuer, read from where it publishes them and kept for a while."""

import asyncio
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import jwt

from resolvers import errors

FRESH_SECONDS = 270.0  # a key that its issuer withdraws counts no longer than this, and `remembered.SECONDS`
RETRY_SECONDS = 60.0  # after a fetch that failed, while the keys from before still serve
PAUSE_SECONDS = 10.0  # from one fetch to the next, whatever keys tokens name
FETCH_SECONDS = 5.0

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class PublishedKeys:
    """The keys at `url`. Those from before serve on where it does not answer."""

    url: str
    clock: Callable[[], float] = time.monotonic  # in seconds
    _keys: list[jwt.PyJWK] = field(default_factory=list)
    _tried_at: float = -math.inf
    _due_at: float = -math.inf
    _failed: bool = False
    _fetching: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def find(self, kid: str | None) -> jwt.PyJWK:
        """Give the key that a token names; a token need not name the only one. Raises UnauthenticatedError."""
        if self.clock() >= self._due_at or self._find(kid) is None:
            await self._refresh()
        key = self._find(kid)
        if key is None:
            raise errors.UnauthenticatedError(
                "The keys of the token's issuer cannot be read at the moment: try again soon."
                if self._failed
                else "The issuer has published no key by which this token could be checked."
            )
        return key

    def _find(self, kid: str | None) -> jwt.PyJWK | None:
        found = [key for key in self._keys if kid in (None, key.key_id)]
        return found[0] if len(found) == 1 else None

    async def _refresh(self) -> None:
        """Fetch the keys, unless that was tried a moment ago; who comes meanwhile waits for the same answer."""
        async with self._fetching:
            if self.clock() < self._tried_at + PAUSE_SECONDS:
                return
            try:
                self._keys = await self._fetch()
                self._failed = False
            except (httpx.HTTPError, jwt.PyJWTError, ValueError) as error:
                logger.warning("The keys at %s (JWT_JWKS_URL) could not be read: %r", self.url, error)
                self._failed = True
            self._tried_at = self.clock()
            self._due_at = self._tried_at + (RETRY_SECONDS if self._failed else FRESH_SECONDS)

    async def _fetch(self) -> list[jwt.PyJWK]:
        async with httpx.AsyncClient(timeout=FETCH_SECONDS) as client:
            response = await client.get(self.url)
        published = response.raise_for_status().json()
        if not isinstance(published, dict):
            raise jwt.PyJWKSetError("A set of keys must be an object.")
        return [key for key in jwt.PyJWKSet.from_dict(published) if key.public_key_use in (None, "sig")]
