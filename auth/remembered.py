"""Tokens that were found good are believed for a while: to check a signature takes longer than most requests."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from auth.authenticator import Tokens
from resolvers.context import Viewer

SECONDS = 30.0  # a key that is withdrawn counts so much longer
MOST = 2_000  # of at most 16 KiB each, most of 1 KiB


@dataclass(slots=True)
class Remembered:
    """Tokens of some kind, each checked once in a while and never believed beyond its end."""

    tokens: Tokens
    clock: Callable[[], float] = time.monotonic  # in seconds
    _found: dict[str, tuple[float, Viewer]] = field(default_factory=dict)  # the oldest first

    async def viewer(self, token: str) -> Viewer:
        """Say whose token this is. Raises UnauthenticatedError."""
        known = self._found.get(token)
        if known is not None and self.clock() < known[0] + SECONDS and _counts(known[1]):
            return known[1]
        viewer = await self.tokens.viewer(token)
        self._remember(token, viewer)
        return viewer

    def _remember(self, token: str, viewer: Viewer) -> None:
        self._found.pop(token, None)
        self._found[token] = (self.clock(), viewer)
        if len(self._found) > MOST:
            del self._found[next(iter(self._found))]


def _counts(viewer: Viewer) -> bool:
    return viewer.expires_at is None or datetime.now(UTC) < viewer.expires_at
