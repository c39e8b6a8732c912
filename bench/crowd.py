"""Many subscribers of some workflows: how fast they come back, and how fast saves reach them all."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, cycle

from bench.feeds import Feed
from bench.load import NUMBERS, LoadError
from bench.savers import Saver
from bench.subscribers import Subscriber

PATIENCE_SECONDS = 60.0
UNDELIVERED = 32  # saves that may be on their way to the subscribers, so that no queue grows without end


@dataclass(slots=True)
class Audience:
    """The subscribers of one workflow, and how many of them have heard each save."""

    workflow: str
    delivered: Callable[[], None]  # told whenever the last of them has heard of a save
    size: int = 0
    counts: list[int] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def heard(self, place: int) -> None:
        """Count one who has heard of a save."""
        if place == len(self.counts):
            self.counts.append(0)
        self.counts[place] += 1
        if self.counts[place] == self.size:
            self.times.append(time.perf_counter())
            self.delivered()


@dataclass(slots=True)
class Flood:
    """Saves that many tabs send as fast as they are heard of."""

    before: int  # how many were delivered when it began
    sent: int = 0
    numbers: Iterator[int] = field(default_factory=lambda: count(next(NUMBERS)))

    def undelivered(self, delivered: int) -> int:
        """Say how many are on their way to the subscribers."""
        return self.sent - (delivered - self.before)


@dataclass(slots=True)
class Crowd:
    """Everybody who listens."""

    feed: Feed
    host: str
    token: str
    audiences: list[Audience] = field(default_factory=list)
    subscribers: list[Subscriber] = field(default_factory=list)
    delivered: int = 0  # saves that everybody has heard of
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    failures: list[Exception] = field(default_factory=list)
    lost: list[Exception] = field(default_factory=list)

    async def gather(self, versions: dict[str, int], size: int) -> float:
        """Open so many sockets at once, and tell how many seconds pass until all are subscribed and up to date.

        Raises LoadError where some do not get there.
        """
        self.audiences = [Audience(workflow, self._delivered) for workflow in versions]
        start = time.perf_counter()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                joining = (self._join(self.audiences[place % len(versions)], versions) for place in range(size))
                await asyncio.gather(*joining)
                await asyncio.gather(*(subscriber.there for subscriber in self.subscribers))
        except OSError as error:  # also what came too late
            raise LoadError(f"Not all subscribers got through: {error!r}") from error
        return time.perf_counter() - start

    async def _join(self, audience: Audience, versions: dict[str, int]) -> None:
        audience.size += 1
        workflow = audience.workflow
        host, port = self.host.split(":")
        _, subscriber = await asyncio.get_running_loop().create_connection(
            lambda: Subscriber(
                self.feed, workflow, versions[workflow], self.token, audience.heard, self.failures.append
            ),
            host,
            int(port),
        )
        self.subscribers.append(subscriber)

    def leave(self) -> None:
        """Close every socket."""
        self.lost = list(self.failures)
        for subscriber in self.subscribers:
            subscriber.close()

    def check(self) -> None:
        """Raise LoadError where a socket was lost before everybody left."""
        if self.lost:
            raise LoadError(f"{len(self.lost)} subscribers were lost: {self.lost[0]}")

    @property
    def deliveries(self) -> int:
        """How many announcements arrived."""
        return sum(subscriber.count for subscriber in self.subscribers)

    async def paced(self, saver: Saver, *, every: float, seconds: float) -> list[float]:
        """Save one workflow at regular times, and tell how many seconds passed until the last heard of each save."""
        (audience,) = self.audiences
        saved, number = [], next(NUMBERS)
        first = len(audience.times)
        start = time.perf_counter()
        for place in range(int(seconds / every)):
            await asyncio.sleep(start + place * every - time.perf_counter())
            saved.append(time.perf_counter())
            await saver.save(audience.workflow, number + place)
        await self._until(lambda: len(audience.times) == first + len(saved))
        return sorted(heard - sent for sent, heard in zip(saved, audience.times[first:], strict=True))

    async def flood(self, savers: Sequence[Saver], *, seconds: float) -> tuple[int, int, float]:
        """Save as fast as everybody hears of it: give the saves, the deliveries, and the seconds from first to last."""
        start, before, flood = time.perf_counter(), self.deliveries, Flood(self.delivered)
        async with asyncio.TaskGroup() as tasks:
            for place, saver in enumerate(savers):
                share = self.audiences[place % len(self.audiences) :: len(savers)]
                tasks.create_task(self._save(flood, saver, [audience.workflow for audience in share], start + seconds))
        await self._until(lambda: flood.undelivered(self.delivered) == 0)
        last = max(audience.times[-1] for audience in self.audiences if audience.times)
        return flood.sent, self.deliveries - before, last - start

    async def _save(self, flood: "Flood", saver: Saver, workflows: Sequence[str], end: float) -> None:
        for workflow in cycle(workflows):
            await self._until(lambda: flood.undelivered(self.delivered) < UNDELIVERED)
            if time.perf_counter() > end:
                return
            flood.sent += 1
            await saver.save(workflow, next(flood.numbers))

    def _delivered(self) -> None:
        self.delivered += 1
        self.arrived.set()

    async def _until(self, fact: Callable[[], bool]) -> None:
        """Wait for something that deliveries bring about. Raises LoadError where it does not come."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not fact():
                    self.arrived.clear()
                    await self.arrived.wait()
        except TimeoutError:
            raise LoadError("Subscribers did not hear of every save.") from None
