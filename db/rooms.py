"""Who has one workflow open, in whatever process, and what each of them shows to the others."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Self, TypeAlias

import msgspec

from db.channels import Channel

SHOWN_TABS = 200  # of each workflow: those that came first
NAME_CHARACTERS = 64  # of a name, so that a tab with the longest ids and state fits into one payload of NOTIFY
TICK = timedelta(microseconds=1)

Place: TypeAlias = tuple[str, str, str]  # a workflow, a user, one of their tabs


class Look(msgspec.Struct, frozen=True, array_like=True):
    """What others see of a tab: `state` is JSON, said at `at`; `since` is when the tab came."""

    name: str | None
    since: datetime
    at: datetime
    state: msgspec.Raw = msgspec.Raw(b"null")

    @classmethod
    def new(cls, name: str | None) -> Self:
        """Make the look of a tab that has said nothing."""
        now = datetime.now(UTC)
        return cls(name and name[:NAME_CHARACTERS], now, now)

    def saying(self, state: bytes) -> "Look":
        """Give the look with another state, which is newer even where this clock is behind."""
        return msgspec.structs.replace(self, at=max(datetime.now(UTC), self.at + TICK), state=msgspec.Raw(state))

    def merged(self, other: "Look") -> "Look":
        """Keep the newer look, and since when the tab is there for all that is known."""
        newer = other if other.at > self.at else self
        state = newer.state.copy()  # the whole payload that it came with would stay in memory
        return msgspec.structs.replace(newer, since=min(self.since, other.since), state=state)


@dataclass(slots=True)
class Tab:
    """One tab of one user, and the processes where it is open: for a moment two, when it comes back unmissed."""

    place: Place
    look: Look
    hosts: set[str] = field(default_factory=set)

    @property
    def age(self) -> tuple[datetime, Place]:
        """What tabs are sorted by: older ones first, in every process alike."""
        return self.look.since, self.place


@dataclass(frozen=True, slots=True)
class Gathering:
    """The tabs that were there at a `position` of their room, and what they showed, in the order in which they came."""

    position: int
    tabs: tuple[tuple[Place, Look], ...]


@dataclass(slots=True, eq=False)
class Room(Channel):
    """The tabs that have one workflow open. `position` counts how often those who watch were told of them.

    A room is restless while there is something that they were not told; `rests_until`, by the loop's clock, they need
    not be. `home` is where it stands while there are tabs in it, or somebody watches.
    """

    workflow_id: str
    home: "dict[str, Room]" = field(default_factory=dict)
    tabs: dict[Place, Tab] = field(default_factory=dict)
    watchers: int = 0
    position: int = 1
    is_restless: bool = False
    rests_until: float = 0.0
    _gathering: Gathering | None = None

    def see(self, place: Place, look: Look, host: str | None = None) -> bool:
        """Take in how a tab looks, and in which process it is open; say whether that can be seen."""
        tab = self.tabs.setdefault(place, Tab(place, look))
        seen, tab.look = tab.look, tab.look.merged(look)
        is_new = not tab.hosts
        if host is not None:
            tab.hosts.add(host)
        return is_new or tab.look != seen

    def miss(self, place: Place, host: str) -> bool:
        """Take in that a tab is open in a process no longer; say whether that can be seen."""
        tab = self.tabs.get(place)
        if tab is None:
            return False
        tab.hosts.discard(host)
        if tab.hosts:
            return False
        del self.tabs[place]
        return True

    def turn(self, *, rests_until: float) -> None:
        """Tell those who watch how the room has changed."""
        self.is_restless = False
        self.rests_until = rests_until
        self.position += 1
        self.wake()

    def gathering(self) -> Gathering:
        """Give who is there: SHOWN_TABS at most."""
        if self._gathering is None or self._gathering.position != self.position:
            oldest = sorted(self.tabs.values(), key=lambda tab: tab.age)[:SHOWN_TABS]
            self._gathering = Gathering(self.position, tuple((tab.place, tab.look) for tab in oldest))
        return self._gathering

    def exit(self) -> None:
        """Let somebody go who watched; nothing is left of a room in which nobody is."""
        self.watchers -= 1
        if not self.watchers and not self.tabs and self.home.get(self.workflow_id) is self:
            del self.home[self.workflow_id]
