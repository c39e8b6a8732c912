"""Who is there, known in the memory of each process and never stored.

    join, say, leave --> Presence --at most 20 times a second--> rooms --> those who watch in this process
                          |    ^
                          v    |
                   NOTIFY, from and to every process

A process answers for the tabs that are open in it, its own. It tells when they come, go and change, with their number
each time, and every BEAT_SECONDS while it has some; it lists them all when it begins to listen, and when somebody asks.
Who comes to another number asks. A process that was not heard for LOST_SECONDS is gone, and its tabs with it.

What a tab shows may be said in any process. The newest counts, whatever the order in which it is heard.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from uuid import uuid4

from db import bulletins, notifier
from db.bulletins import Bulletin, News
from db.database import STATEMENT_ERRORS, Database, UnavailableError
from db.rooms import Look, Place, Room, Tab

CHANNEL = "workflow_sync_presence"
PAUSE_SECONDS = 0.05  # between two deliveries, and between two bulletins: 20 a second look smooth
CROWD_SECONDS = 0.005  # for each tab, between two deliveries: all are told of all, so more of them are told less often
BEAT_SECONDS = 2.0
LOST_SECONDS = 7.0  # three beats, and a slow moment
RETRY_SECONDS = 1.0
FAREWELL_SECONDS = 1.0  # the longest that a process which ends tries to tell the others

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Peer:
    """Another process: when it was heard, by the loop's clock, its tabs, and those that it has just listed again."""

    heard: float
    places: set[Place] = field(default_factory=set)
    listed: set[Place] = field(default_factory=set)


@dataclass(slots=True)
class Outbox:
    """What is to be told: of which tabs (True for those that are own, or were), of all that are own, and a question."""

    places: dict[Place, bool] = field(default_factory=dict)
    whole: bool = False
    asks: bool = False

    def add(self, place: Place, *, is_own: bool) -> None:
        """Have something be told of a tab: whatever there is to say by then."""
        self.places[place] = is_own or self.places.get(place, False)

    def take_back(self, unsent: "Outbox") -> None:
        """Take in again what could not be told."""
        for place, is_own in unsent.places.items():
            self.add(place, is_own=is_own)
        self.whole |= unsent.whole
        self.asks |= unsent.asks


@dataclass(slots=True, eq=False)
class Presence:
    """What one process knows. `own` counts the streams that hold each of its tabs open."""

    database: Database
    process: str = field(default_factory=lambda: uuid4().hex)
    rooms: dict[str, Room] = field(default_factory=dict)
    own: dict[Place, int] = field(default_factory=dict)
    peers: dict[str, Peer] = field(default_factory=dict)
    _outbox: Outbox = field(default_factory=Outbox)
    _restless: list[Room] = field(default_factory=list)
    _stirred: asyncio.Event = field(default_factory=asyncio.Event)
    _called: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Tell and be told until the block ends, and say good-bye then."""
        work = (("presence here", self._turn), ("presence elsewhere", self._beat))
        loops = [asyncio.create_task(_forever(step), name=name) for name, step in work]
        try:
            yield
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
            await self._say_farewell()

    def enter(self, workflow_id: str) -> Room:
        """Begin to watch a workflow; whoever does must `exit` the room."""
        room = self.rooms.setdefault(workflow_id, Room(workflow_id, self.rooms))
        room.watchers += 1
        return room

    @contextmanager
    def watching(self, workflow_id: str) -> Iterator[Room]:
        """Watch a workflow until the block ends."""
        room = self.enter(workflow_id)
        try:
            yield room
        finally:
            room.exit()

    def join(self, place: Place, name: str | None) -> None:
        """Have a tab be there, until it has left as often as it has joined."""
        self.own[place] = self.own.get(place, 0) + 1
        if self.own[place] > 1:
            return
        known = self._tab(place)
        self._see(place, known.look if known else Look.new(name), self.process)
        self._tell(place, is_own=True)

    def leave(self, place: Place) -> None:
        """Have a tab be gone."""
        self.own[place] -= 1
        if self.own[place]:
            return
        del self.own[place]
        self._miss(place, self.process)
        self._tell(place, is_own=True)

    def say(self, place: Place, state: bytes) -> bool:
        """Have a tab show a state, which is JSON; False where there is no such tab."""
        tab = self._tab(place)
        if tab is None:
            return False
        self._see(place, tab.look.saying(state))
        self._tell(place, is_own=place in self.own)
        return True

    def greet(self) -> None:
        """List all own tabs and ask for all others: what was told while this process could not hear is unknown.

        Both, as whoever could not be heard then had not begun to listen either, and asks nobody again by itself.
        """
        self._outbox.whole = True
        self.ask()

    def ask(self) -> None:
        """Ask all others who is there: this process may have missed something."""
        self._outbox.asks = True
        self._called.set()

    def hear(self, payload: str) -> None:
        """Take in what a process tells."""
        bulletin = bulletins.read(payload)
        if bulletin.process == self.process:
            return
        now = asyncio.get_running_loop().time()
        peer = self.peers.setdefault(bulletin.process, Peer(now))
        peer.heard = now
        for news in bulletin.news:
            self._take(bulletin.process, peer, news)
        if bulletin.count is not None:
            self._compare(bulletin, peer)
        if bulletin.asks:
            self._outbox.whole = True
            self._called.set()

    def _take(self, process: str, peer: Peer, news: News) -> None:
        match news:
            case News(is_own=True, look=Look() as look):
                peer.places.add(news.place)
                peer.listed.add(news.place)
                self._see(news.place, look, process)
            case News(is_own=False):
                peer.places.discard(news.place)
                self._miss(news.place, process)
            case News(look=Look() as look) if self._tab(news.place):
                self._see(news.place, look)

    def _compare(self, bulletin: Bulletin, peer: Peer) -> None:
        """Compare what is known of a process with the number that it tells, or with the list of all its tabs."""
        if bulletin.whole:
            for place in peer.places - peer.listed:
                self._miss(place, bulletin.process)
            peer.places &= peer.listed
        elif bulletin.count != len(peer.places):
            self.ask()
        peer.listed.clear()

    def _tab(self, place: Place) -> Tab | None:
        room = self.rooms.get(place[0])
        return room.tabs.get(place) if room else None

    def _see(self, place: Place, look: Look, host: str | None = None) -> None:
        with self.watching(place[0]) as room:
            if room.see(place, look, host):
                self._stir(room)

    def _miss(self, place: Place, host: str) -> None:
        with self.watching(place[0]) as room:
            if room.miss(place, host):
                self._stir(room)

    def _stir(self, room: Room) -> None:
        """Have those who watch a room be told soon."""
        if not room.is_restless:
            room.is_restless = True
            self._restless.append(room)
        self._stirred.set()

    def _tell(self, place: Place, *, is_own: bool) -> None:
        self._outbox.add(place, is_own=is_own)
        self._called.set()

    async def _turn(self) -> None:
        """Tell those who watch here what has changed: at once, but not again before a room has rested."""
        await self._stirred.wait()
        self._stirred.clear()
        restless, self._restless = self._restless, []
        now = asyncio.get_running_loop().time()
        for room in restless:
            if room.rests_until <= now:
                room.turn(rests_until=now + CROWD_SECONDS * len(room.tabs))
            else:
                self._restless.append(room)
                self._stirred.set()
        await asyncio.sleep(PAUSE_SECONDS)

    async def _beat(self) -> None:
        """Tell the other processes what has changed here, or after a while that this one is there."""
        with suppress(TimeoutError):
            async with asyncio.timeout(BEAT_SECONDS):
                await self._called.wait()
        self._called.clear()
        self._bury()
        await self._send()
        await asyncio.sleep(PAUSE_SECONDS)

    def _bury(self) -> None:
        """Let the tabs of processes go that have not been heard for long."""
        now = asyncio.get_running_loop().time()
        for process, peer in list(self.peers.items()):
            if now - peer.heard > LOST_SECONDS:
                del self.peers[process]
                for place in peer.places:
                    self._miss(place, process)

    async def _send(self) -> None:
        """Tell what is to be told. Where that fails, it still is."""
        outbox, self._outbox = self._outbox, Outbox()
        if outbox == Outbox() and not self.own:
            return
        news = list(self._news(outbox))
        try:
            payloads = bulletins.payloads(self.process, news, len(self.own), whole=outbox.whole, asks=outbox.asks)
            async with asyncio.timeout(notifier.ANNOUNCE_SECONDS):
                await notifier.notify(self.database, CHANNEL, payloads)
        except BaseException:
            self._outbox.take_back(outbox)
            raise

    def _news(self, outbox: Outbox) -> Iterator[News]:
        listed = dict.fromkeys(self.own, True) if outbox.whole else {}
        for place, is_own in (outbox.places | listed).items():
            tab = self._tab(place)
            if place in self.own and tab:
                yield News(place, is_own=True, look=tab.look)
            elif is_own:
                yield News(place, is_own=False)
            elif tab:
                yield News(place, is_own=None, look=tab.look)

    async def _say_farewell(self) -> None:
        """Tell the others that nobody is here any more, if that is possible at once."""
        if not self.own and not self._outbox.places:
            return
        payloads = bulletins.payloads(self.process, (), 0, whole=True, asks=False)
        with suppress(UnavailableError, *STATEMENT_ERRORS):  # a TimeoutError is one of these
            async with asyncio.timeout(FAREWELL_SECONDS):
                await notifier.notify(self.database, CHANNEL, payloads)


async def _forever(work: Callable[[], Awaitable[None]]) -> None:
    """Do something again and again, whatever happens."""
    while True:
        try:
            await work()
        except (UnavailableError, *STATEMENT_ERRORS) as error:
            logger.warning("Could not tell the other processes who is there (%r); trying again.", error)
            await asyncio.sleep(RETRY_SECONDS)
        except Exception:
            logger.exception("Could not tell who is there; trying again.")
            await asyncio.sleep(RETRY_SECONDS)
