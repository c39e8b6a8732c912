"""Subscriptions on sockets: what happens is shown and encoded once for all who asked alike, and sent as the same bytes.

    subscribe --> behind --has caught up--> live --complete, the socket ends--> gone
                    ^  |                     |
                    |  +--the source ends----|--> gone, after an error
                    +--does not read fast----+
                       enough, or must go

A live stream costs no task and no queue: its group writes to all of them in turn. One that is behind has a task, which
takes what was missed from memory or the journal as fast as its client reads.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from db.channels import Channel
from resolvers import errors
from resolvers.context import Context
from resolvers.subscriptions import Source
from schema import listening
from schema.listening import Lens
from server import responses
from server.operations import Operation

KEPT_BYTES = 256 * 1024  # of what was encoded, for each group in which somebody is behind
BATCH_BYTES = 64 * 1024  # from which on saves that came together are no longer sent together

Message = tuple[bytes, ...]  # in parts
News = tuple[int, Any, bytes]  # an item of the source, where one stands who has heard it, and what is sent of it

logger = logging.getLogger(__name__)


class Wire(Protocol):
    """The socket of a stream."""

    def write(self, messages: Sequence[Message]) -> bool:
        """Send all of some messages, or none: False where the client does not keep up or is gone."""

    async def writable(self) -> None:
        """Wait until the next `write` will succeed. Raises WebSocketDisconnect."""

    def spawn(self, key: str, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """Run a part of an operation that ends with the socket; where it fails, its client is told."""


@dataclass(slots=True, eq=False)
class Group:
    """The streams of one channel with one selection. `live` ones were sent everything up to `position`, or more."""

    channel: Channel
    lens: Lens
    position: int = 0
    streams: "set[Stream]" = field(default_factory=set)
    live: "dict[Stream, None]" = field(default_factory=dict)
    _pump: asyncio.Task[None] | None = None
    _encoding: dict[int, asyncio.Task[bytes]] = field(default_factory=dict)
    _kept: dict[int, bytes] = field(default_factory=dict)
    _kept_bytes: int = 0

    @classmethod
    def of(cls, channel: Channel, lens: Lens) -> Self:
        """Give the group of a selection, a new one where nobody asked for that yet."""
        group = channel.followers.get(lens.selection)
        if group is None:
            group = channel.followers[lens.selection] = cls(channel, lens)
        assert isinstance(group, cls), "nobody else follows a channel"
        return group

    def wake(self) -> None:
        """Begin to deliver what is new."""
        if self._pump is None and self.live:
            self._pump = asyncio.create_task(self._deliver_news())

    def join(self, stream: "Stream") -> None:
        """Take over a stream that has caught up with the channel."""
        if not self.live and self._pump is None:
            self.position = stream.source.position
        self.live[stream] = None
        self._forget()

    def leave(self, stream: "Stream") -> None:
        """Let a stream go; the last one closes the group."""
        self.streams.discard(stream)
        self.live.pop(stream, None)
        self._forget()
        if not self.streams and self.channel.followers.get(self.lens.selection) is self:
            del self.channel.followers[self.lens.selection]

    async def payload(self, position: int, item: object) -> bytes:
        """Show and encode an item: once, for all who need it at about the same time."""
        if position in self._kept:
            return self._kept[position]
        if position not in self._encoding:
            self._encoding[position] = asyncio.create_task(self._encode(position, item))
        return await asyncio.shield(self._encoding[position])

    async def _encode(self, position: int, item: object) -> bytes:
        try:
            payload = responses.encode(responses.of_result(await self.lens.show(item)))
        finally:
            del self._encoding[position]
        self._keep(position, payload)
        return payload

    def _keep(self, position: int, payload: bytes) -> None:
        self._kept[position] = payload
        self._kept_bytes += len(payload)
        while self._kept_bytes > KEPT_BYTES:
            self._kept_bytes -= len(self._kept.pop(next(iter(self._kept))))
        self._forget()

    def _forget(self) -> None:
        """Keep nothing for a group in which nobody is behind."""
        if len(self.live) == len(self.streams):
            self._kept.clear()
            self._kept_bytes = 0

    async def _deliver_news(self) -> None:
        """Send what is new to all live streams; where that cannot be read or shown, each finds out for itself why."""
        try:
            while self.live and (news := await self._batch(next(iter(self.live)).source)):
                self._deliver(news)
        except errors.OperationError:
            self._part()
        except Exception:
            logger.exception("Could not tell subscribers together what happened.")
            self._part()
        finally:
            self._pump = None
        self._let_go()

    async def _batch(self, source: Source[Any]) -> list[News]:
        """Encode the next items, as many as are worth one message in size, one at least where there are any."""
        news: list[News] = []
        position, size = self.position, 0
        for item in await source.after(position):
            position = source.reached(position, item)
            payload = await self.payload(position, item)
            news.append((position, item, payload))
            size += len(payload)
            if size >= BATCH_BYTES:
                break
        return news

    def _deliver(self, news: Sequence[News]) -> None:
        self.position, _, _ = news[-1]
        for stream in tuple(self.live):
            stream.hear(news)

    def _part(self) -> None:
        for stream in tuple(self.live):
            stream.fall_behind()

    def _let_go(self) -> None:
        """Part from those who may hear no more."""
        for stream in tuple(self.live):
            if stream.source.has_ended:
                stream.fall_behind()


@dataclass(slots=True, eq=False)
class Stream:
    """One subscription on one socket, under the id that its client gave it."""

    wire: Wire
    key: str
    source: Source[Any]
    group: Group
    _head: bytes
    _task: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, wire: Wire, key: str, operation: Operation, context: Context) -> Self:
        """Begin a subscription, which then must be run. Raises OperationError."""
        begun = listening.begin(operation.text, operation.variables, operation.name, context)
        await begun.source.open()
        head = b'{"id":' + responses.encode(key) + b',"type":"next","payload":'
        stream = cls(wire, key, begun.source, Group.of(begun.source.channel, begun.lens), head)
        stream.group.streams.add(stream)
        stream._task = asyncio.current_task()
        return stream

    async def run(self) -> None:
        """Catch up, and be live from then on. Raises OperationError where the subscription has come to an end."""
        try:
            await self._catch_up()
        except BaseException:
            self._leave()
            raise

    def hear(self, news: Sequence[News]) -> None:
        """Take what all live streams are sent; who joined late has the first ones already."""
        source, heard = self.source, self.source.position
        if news[-1][0] <= heard:
            return
        wanted = [payload for position, item, payload in news if position > heard and source.wants(item)]
        if source.has_ended or (wanted and not self._write(wanted)):
            self.fall_behind()
        else:
            source.position = news[-1][0]

    def fall_behind(self) -> None:
        """Go on alone."""
        self.group.live.pop(self, None)
        self._task = self.wire.spawn(self.key, self.run)

    def cancel(self) -> None:
        """End silently, as the client wants it or because it is gone."""
        if self._task is not None:
            self._task.cancel()
        self._leave()

    async def _catch_up(self) -> None:
        while items := await self.source.after(self.source.position):
            for item in items:
                position = self.source.reached(self.source.position, item)
                if self.source.wants(item):
                    await self._send(position, item)
                self.source.position = position
        self.source.check()
        self._task = None
        self.group.join(self)

    async def _send(self, position: int, item: object) -> None:
        payload = await self.group.payload(position, item)
        await self.wire.writable()
        self.source.check()
        self._write([payload])

    def _write(self, payloads: Sequence[bytes]) -> bool:
        return self.wire.write([(self._head, payload, b"}") for payload in payloads])

    def _leave(self) -> None:
        if self in self.group.streams:
            self.group.leave(self)
            self.source.close()
