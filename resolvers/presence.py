"""Who has a workflow open right now, and what each of them shows to the others."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from db.presence import Presence
from db.rooms import Gathering, Place, Room
from db.topics import Listener
from merge import values
from resolvers import errors, inputs, workflows
from resolvers.context import Context
from resolvers.subscriptions import Source

STATE_BYTES = 4096  # as compact JSON
STATE_DEPTH = 20  # objects and lists inside one another
ARRIVAL_SECONDS = 0.5  # for a tab that has just come to be known in this process, too

FRAME_BYTES = len(b'{"state":}')  # around a state that is checked as a part of an object


@dataclass(slots=True, eq=False)
class Gatherings(Source[Gathering]):
    """Everybody who is there, now and after each change; only how it is at last is told of several changes.

    With a `client_id` the caller is there, too, until the source is closed.
    """

    workflow_id: str
    client_id: str | None
    _listener: Listener = field(init=False)
    _room: Room = field(init=False)
    _place: Place | None = field(default=None, init=False)

    async def open(self) -> None:
        """Join the others. Raises NotFoundError, and BadUserInputError for a client that cannot be called so."""
        viewer = self.context.known_viewer()
        if not inputs.is_storable(self.workflow_id):
            raise errors.NotFoundError
        if self.client_id is not None:
            inputs.identifier("clientId", self.client_id)
        self._room = self._presence.enter(self.workflow_id)
        try:
            self._listener = await self._admitted(viewer.id)
        except BaseException:
            self._room.exit()
            raise
        if self.client_id is not None:
            self._place = (self.workflow_id, viewer.id, self.client_id)
            self._presence.join(self._place, viewer.name)
        self.position = self._room.position - (not self._room.is_restless)  # what is restless is told soon, with us

    async def _admitted(self, user: str) -> Listener:
        listener = await self.context.hub.listen(self.workflow_id, user, channel=self._room).admitted()
        if listener.revoked:
            listener.leave()
            raise errors.NotFoundError
        return listener

    @property
    def _presence(self) -> Presence:
        return self.context.hub.presence

    @property
    def channel(self) -> Room:
        """The room of the workflow in this process."""
        return self._room

    async def after(self, position: int) -> list[Gathering]:
        """Give who is there, where that was not told up to a position."""
        return [self._room.gathering()] if position < self._room.position else []

    def reached(self, position: int, item: Gathering) -> int:
        """Pass over whatever was the case in between."""
        del position
        return item.position

    def wants(self, _: Gathering) -> bool:
        """Leave out nothing."""
        return True

    @property
    def has_ended(self) -> bool:
        """Whether the caller may no longer see the workflow."""
        return self._listener.revoked

    def close(self) -> None:
        """Leave the others."""
        self._listener.leave()
        if self._place is not None:
            self._presence.leave(self._place)
        self._room.exit()


def gatherings(context: Context, workflow_id: str, client_id: str | None) -> Gatherings:
    """Give everybody who has a workflow open, now and after each change."""
    return Gatherings(context, workflow_id, client_id)


async def say(context: Context, workflow_id: str, client_id: str, state: object) -> bool:
    """Have a tab of the caller's show a state to the others; False where that tab is not there.

    Raises NotFoundError, and BadUserInputError for a state that is too much.
    """
    viewer = context.known_viewer()
    place = (workflow_id, viewer.id, inputs.identifier("clientId", client_id))
    written = _written(state)
    if context.hub.presence.say(place, written):  # whoever is there was let in, and leaves when they may not stay
        return True
    await workflows.visible(context, workflow_id)
    return await _say_to_who_comes(context.hub.presence, place, written)


async def _say_to_who_comes(presence: Presence, place: Place, state: bytes) -> bool:
    """Wait a moment for a tab that has just joined in another process."""
    with presence.watching(place[0]) as room, suppress(TimeoutError):
        async with asyncio.timeout(ARRIVAL_SECONDS):
            changed = room.changed
            while not presence.say(place, state):
                await changed.wait()
                changed = room.changed
            return True
    return False


def _written(state: object) -> bytes:
    problems = values.problems({"state": state}, max_depth=STATE_DEPTH + 1, max_bytes=STATE_BYTES + FRAME_BYTES)
    if problems:
        reason = "" if problems[0].code == "TOO_LARGE" else f" {problems[0].message}"
        raise errors.BadUserInputError(
            f"`state` must have at most {STATE_BYTES:,} bytes as JSON, and {STATE_DEPTH} objects or lists inside one "
            f"another.{reason}"
        )
    return values.dump(state)
