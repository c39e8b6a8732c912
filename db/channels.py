"""A place where something happens: who waits there for news, and whom to tell at once."""

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Protocol


class Follower(Protocol):
    """Somebody who is told of news."""

    def wake(self) -> None:
        """Take note that there is something new. Returns at once."""


@dataclass(slots=True, eq=False, kw_only=True)
class Channel:
    """Those who listen in one place. `followers` stand there under keys of their own choice."""

    changed: asyncio.Event = field(default_factory=asyncio.Event)
    followers: dict[Hashable, Follower] = field(default_factory=dict)

    def wake(self) -> None:
        """Wake everybody who waits for `changed`, and all followers."""
        self.changed, changed = asyncio.Event(), self.changed
        changed.set()
        for follower in tuple(self.followers.values()):
            follower.wake()
