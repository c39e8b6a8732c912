"""What every operation is handed: who is calling and what the process offers."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NewType

from db.database import Database
from db.hub import Hub
from resolvers import errors

if TYPE_CHECKING:  # what saves is handed contexts itself
    from resolvers.saver import Saver

UserId = NewType("UserId", str)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is calling, as the auth room established it.

    `expires_at` (UTC) is when that knowledge ends, None for never; a WebSocket closes then.
    """

    id: UserId
    name: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What a single document and a single batch may be."""

    document_bytes: int = 8 * 1024 * 1024  # of the document as compact JSON
    document_depth: int = 200  # objects and lists inside one another
    batch_items: int = 100  # inputs of one syncWorkflows


@dataclass(slots=True)
class Context:
    """One request or one WebSocket connection. `viewer` is None until somebody is known."""

    database: Database
    hub: Hub
    saver: "Saver"
    limits: Limits
    viewer: Viewer | None = None

    def known_viewer(self) -> Viewer:
        """Return who is calling. Raises UnauthenticatedError where nobody is."""
        if self.viewer is None:
            raise errors.UnauthenticatedError
        return self.viewer
