"""Those who listen: 1,000 subscribers of one workflow, 500 of a hundred, and everybody coming back at once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from bench import accounts, load, savers
from bench.crowd import Crowd
from bench.documents import SPOTS, Subject
from bench.feeds import BEHIND, Yjs
from bench.load import NUMBERS, Load
from bench.measure import Bench, Meter, Sample
from bench.savers import Saver

SUBSCRIBERS = 1_000  # of one workflow
SPREAD = 500  # of all of these
WORKFLOWS = 100
PAUSE_SECONDS = 0.1  # between the saves of somebody who drags a block
TABS = 32  # that save at once; of one workflow, one for each block that is moved


async def samples(bench: Bench, subject: Subject, seconds: float) -> AsyncIterator[Sample]:
    """Measure everything that has subscribers."""
    async with AsyncExitStack() as stack:
        tabs = [await _tab(bench, subject, place, stack) for place in range(TABS)]
        await asyncio.gather(*(_make_history(subject, place, tab) for place, tab in enumerate(tabs)))
        fanout = Fanout(bench, subject, tabs, seconds)
        async for sample in fanout.one_workflow():
            yield sample
        yield await fanout.many_workflows()


async def _tab(bench: Bench, subject: Subject, place: int, stack: AsyncExitStack) -> Saver:
    name, host = f"tab{place}", bench.server.host
    if isinstance(bench.system.feed, Yjs):
        text = subject.text.decode()
        return await stack.enter_async_context(
            savers.over_yjs(host, bench.token, text, name, [_names(subject, 1)[0], *_share(subject, place)])
        )
    requests = bench.system.asks["fanout"](subject)
    return await stack.enter_async_context(
        savers.over_http(host, bench.token, requests[place % len(requests)], name, await bench.versions(subject))
    )


def _names(subject: Subject, count: int) -> list[str]:
    return load.workflow_ids(subject.size)[:count]


def _share(subject: Subject, place: int) -> list[str]:
    return _names(subject, WORKFLOWS)[place::TABS]


async def _make_history(subject: Subject, place: int, tab: Saver) -> None:
    """Save often enough that there is something to catch up with."""
    for workflow in _share(subject, place):
        for _ in range(BEHIND):
            await tab.save(workflow, next(NUMBERS))


@dataclass(frozen=True, slots=True)
class Fanout:
    """A system with tabs that save, and its subscribers."""

    bench: Bench
    subject: Subject
    tabs: Sequence[Saver]
    seconds: float

    async def one_workflow(self) -> AsyncIterator[Sample]:
        """Have everybody listen to one workflow, then go and come back at once."""
        before = accounts.bytes_held(self.bench.server.root)
        async with self._crowd(1, SUBSCRIBERS) as (crowd, _):
            held = accounts.bytes_held(self.bench.server.root) - before
            yield self._sample("idle", {"bytes_held": held / SUBSCRIBERS})
            yield await self._paced(crowd)
            yield await self._flood("flood", crowd, self.tabs[:SPOTS])
        meter = await Meter.start(self.bench.server, self.bench.cluster)
        async with self._crowd(1, SUBSCRIBERS) as (_, taken):
            cost = await meter.stop()
            yield self._sample("storm", {"storm_ms": taken * 1000, **cost.each(SUBSCRIBERS)})

    async def many_workflows(self) -> Sample:
        """Have a few listen to each of many workflows."""
        async with self._crowd(WORKFLOWS, SPREAD) as (crowd, _):
            return await self._flood("spread", crowd, self.tabs)

    @asynccontextmanager
    async def _crowd(self, workflows: int, size: int) -> AsyncIterator[tuple[Crowd, float]]:
        """Gather subscribers until the block ends, and tell how many seconds that took."""
        feed = self.bench.system.feed
        assert feed is not None
        versions = await self.bench.versions(self.subject)
        crowd = Crowd(feed, self.bench.server.host, self.bench.token)
        try:
            taken = await crowd.gather({name: versions[name] for name in _names(self.subject, workflows)}, size)
            yield crowd, taken
        finally:
            crowd.leave()
        crowd.check()

    async def _paced(self, crowd: Crowd) -> Sample:
        meter = await Meter.start(self.bench.server, self.bench.cluster)
        latencies = await crowd.paced(self.tabs[0], every=PAUSE_SECONDS, seconds=self.seconds)
        cost = await meter.stop()
        last = Load.of(latencies, self.seconds)
        figures = {"last_p50_ms": last.p50_ms, "last_p99_ms": last.p99_ms}
        return self._sample("paced", {**figures, **cost.each(len(latencies) * SUBSCRIBERS)})

    async def _flood(self, workload: str, crowd: Crowd, tabs: Sequence[Saver]) -> Sample:
        meter = await Meter.start(self.bench.server, self.bench.cluster)
        saves, deliveries, taken = await crowd.flood(tabs, seconds=self.seconds)
        cost = await meter.stop()
        figures = {"rate": saves / taken, "deliveries": deliveries / taken}
        return self._sample(workload, {**figures, **cost.each(deliveries)})

    def _sample(self, workload: str, figures: dict[str, float]) -> Sample:
        return Sample(self.bench.system.name, workload, self.subject.size, figures)
