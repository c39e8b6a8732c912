"""Hearing of what happens: every save of one workflow, or whatever happens to all that one may see.

A source is one caller's place in what happens. It can be read as an iterator, which waits for what comes; or, as the
transport does for many callers at once, item by item: `open` it, take what is `after` its position, move that on.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from db import journal
from db.channels import Channel
from db.feeds import Event, Feed
from db.journal import Entry
from db.topics import Listener, Topic
from resolvers import errors, inputs, workflows
from resolvers.context import Context

Item = TypeVar("Item")


@dataclass(slots=True, eq=False)
class Source(ABC, AsyncIterator[Item], Generic[Item]):
    """Where one caller stands: everything up to `position` was told them or need not be."""

    context: Context
    position: int = field(default=0, init=False)
    _reading: AsyncGenerator[Item] | None = field(default=None, init=False)

    @abstractmethod
    async def open(self) -> None:
        """Find the place to begin. Raises OperationError where the caller may not listen."""

    @property
    @abstractmethod
    def channel(self) -> Channel:
        """Where news are told."""

    @abstractmethod
    async def after(self, position: int) -> list[Item]:
        """Give the next items after a position, none where there are no newer ones. Raises ResyncRequiredError."""

    def reached(self, position: int, item: Item) -> int:
        """Say where one stands who has heard an item after a position: at the next one, unless the item says more."""
        del item
        return position + 1

    @abstractmethod
    def wants(self, item: Item) -> bool:
        """Say whether the caller wants to hear of an item."""

    @property
    @abstractmethod
    def has_ended(self) -> bool:
        """Whether the caller may hear no more."""

    @abstractmethod
    def close(self) -> None:
        """Listen no longer."""

    def check(self) -> None:
        """Raise AccessRevokedError where the caller may hear no more."""
        if self.has_ended:
            raise errors.AccessRevokedError

    async def __anext__(self) -> Item:
        """Wait for the next item that the caller wants."""
        if self._reading is None:
            self._reading = self._read()
        return await anext(self._reading)

    async def aclose(self) -> None:
        """End the iteration."""
        if self._reading is not None:
            await self._reading.aclose()

    async def _read(self) -> AsyncGenerator[Item]:
        await self.open()
        try:
            while True:
                changed = self.channel.changed
                items = await self.after(self.position)
                for item in items:
                    self.check()
                    self.position = self.reached(self.position, item)
                    if self.wants(item):
                        yield item
                self.check()
                if not items:
                    await changed.wait()
        finally:
            self.close()


@dataclass(slots=True, eq=False)
class Saves(Source[Entry]):
    """Every save of one workflow above version `since`; its positions are versions."""

    workflow_id: str
    since: int | None
    except_client: str | None
    _listener: Listener = field(init=False)

    async def open(self) -> None:
        """Find the place to begin. Raises NotFoundError, and ResyncRequiredError for a version that never was."""
        viewer = self.context.known_viewer()
        if not inputs.is_storable(self.workflow_id):
            raise errors.NotFoundError
        if self.since is not None:
            inputs.version("sinceVersion", self.since)
        self._listener = await self.context.hub.listen(self.workflow_id, viewer.id, self.since).admitted()
        try:
            self.position = self._start()
        except errors.OperationError:
            self.close()
            raise

    def _start(self) -> int:
        if self._listener.revoked:
            raise errors.NotFoundError
        version = self.channel.version
        if self.since is not None and self.since > version:
            raise errors.ResyncRequiredError(f"The workflow stands at version {version} only: read it again.")
        return version if self.since is None else self.since

    @property
    def channel(self) -> Topic:
        """The workflow, as this process knows it."""
        return self._listener.topic

    async def after(self, position: int) -> list[Entry]:
        """Give the next saves, from memory or a page of the journal."""
        entries = self.channel.after(position)
        if entries is not None:
            return entries
        async with self.context.database.connection() as connection:
            entries = await journal.page(connection, self.workflow_id, position, self.channel.version)
        if not entries or entries[0].version != position + 1:
            raise await self._gap()
        return entries

    async def _gap(self) -> errors.OperationError:
        """Say why saves are missing from the journal: the old ones were pruned, or the whole workflow was purged."""
        head = await workflows.find(self.context, self.workflow_id)
        return errors.ResyncRequiredError() if head else errors.AccessRevokedError()

    def wants(self, item: Entry) -> bool:
        """Leave out the saves of the caller's own `except_client`."""
        if self.except_client is None:
            return True
        return (item.client_id, item.saved_by) != (self.except_client, self._listener.user)

    @property
    def has_ended(self) -> bool:
        """Whether the caller may no longer see the workflow."""
        return self._listener.revoked

    def close(self) -> None:
        """Listen no longer."""
        self._listener.leave()


@dataclass(slots=True, eq=False)
class Changes(Source[Event]):
    """Whatever happens, from now on, to any workflow that the caller may see."""

    _feed: Feed = field(init=False)

    async def open(self) -> None:
        """Begin with what happens from now on."""
        viewer = self.context.known_viewer()
        self._feed = await self.context.hub.feed(viewer.id).admitted()
        self.position = self._feed.position

    @property
    def channel(self) -> Feed:
        """All that the caller may see, as this process knows it."""
        return self._feed

    async def after(self, position: int) -> list[Event]:
        """Give the next events. Raises ResyncRequiredError for who is too far behind: they must read their list."""
        events = self._feed.after(position)
        if events is None:
            raise errors.ResyncRequiredError
        return events

    def wants(self, _: Event) -> bool:
        """Leave out nothing."""
        return True

    @property
    def has_ended(self) -> bool:
        """Nobody loses the right to hear of what they may see."""
        return False

    def close(self) -> None:
        """Listen no longer."""
        self._feed.leave()


def saves(context: Context, workflow_id: str, *, since: int | None, except_client: str | None) -> Saves:
    """Give every save above version `since` (None: the current one), in order, without gaps or doubles.

    Saves of the caller's own client `except_client` are left out.
    """
    return Saves(context, workflow_id, since, except_client)


def changes(context: Context) -> Changes:
    """Give whatever happens, from now on, to any workflow that the caller may see."""
    return Changes(context)
