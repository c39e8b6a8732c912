"""Subscribers that cost next to nothing: they count the announcements that arrive on their sockets, unread."""

import asyncio
import base64
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from bench.feeds import Feed, Marks

HEAD_BYTES = 128  # of a message, in which its marks stand
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


@dataclass(slots=True)
class Subscriber(asyncio.Protocol):
    """One socket that hears of one workflow.

    opening --upgraded--> greeting --welcome--> catching up --the last of what was missed--> listening
    """

    feed: Feed
    workflow: str
    version: int
    token: str
    heard: Callable[[int], None]  # told of each announcement, which are numbered from 0
    lost: Callable[[Exception], None]
    there: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    marks: Marks = field(init=False)
    missing: int = field(init=False)
    opened: bool = False
    welcome: bool = False
    count: int = 0
    rest: bytes = b""
    transport: asyncio.Transport = field(init=False)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for a WebSocket."""
        self.transport, self.marks = cast("asyncio.Transport", transport), self.feed.marks(self.workflow)
        self.missing = self.marks.catch_ups
        host, port = transport.get_extra_info("peername")[:2]
        key = base64.b64encode(os.urandom(16)).decode()
        spoken = f"Sec-WebSocket-Protocol: {self.feed.subprotocol}\r\n" if self.feed.subprotocol else ""
        self.transport.write(
            f"GET {self.feed.path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{spoken}\r\n".encode()
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """Say so, unless it was closed here."""
        if not self.transport.is_closing() or exc:
            self._fail(exc or ConnectionError("The server closed a subscriber's socket."))

    def eof_received(self) -> None:
        """Say that the server has gone."""
        self._fail(ConnectionError("The server closed a subscriber's socket."))

    def data_received(self, data: bytes) -> None:
        """Take each whole message."""
        if self.rest:
            data = self.rest + data
        start = self._upgraded(data) if not self.opened else 0
        size = len(data)
        while size - start >= 2:
            length, head = data[start + 1], start + 2
            if length == 126:
                length, head = int.from_bytes(data[head : head + 2]), head + 2
            elif length == 127:
                length, head = int.from_bytes(data[head : head + 8]), head + 8
            end = head + length
            if end > size:
                break
            self._take(data, start, head, end)
            start = end
        self.rest = data[start:]

    def close(self) -> None:
        """Leave."""
        self.transport.abort()

    def _upgraded(self, data: bytes) -> int:
        """Skip the head of the server's answer; say hello."""
        end = data.find(b"\r\n\r\n")
        if end < 0:
            return 0
        if not data.startswith(b"HTTP/1.1 101"):
            self._fail(ConnectionError(data[:end].decode(errors="replace")))
            return len(data)
        self.opened = True
        self._send(self.feed.hello(self.workflow, self.token))
        return end + 4

    def _take(self, data: bytes, start: int, head: int, end: int) -> None:
        kind = data[start] & 15
        if kind in (TEXT, BINARY):
            self._hear(data, head, end)
        elif kind == PING:
            self._send(data[head:end], PONG)
        elif kind == CLOSE:
            self._fail(ConnectionError(f"The server closed a subscriber's socket: {data[head:end]!r}"))

    def _hear(self, data: bytes, head: int, end: int) -> None:
        if not self.welcome:
            self.welcome = True
            for message in self.feed.subscribe(self.workflow, self.version):
                self._send(message)
            return
        end = min(end, head + HEAD_BYTES)
        if self.missing:
            if data.find(self.marks.catch_up, head, end) >= 0:
                self.missing -= 1
                if not self.missing:
                    self.there.set_result(None)
        elif data.find(self.marks.event, head, end) >= 0:
            self.heard(self.count)
            self.count += 1

    def _send(self, payload: bytes, kind: int = 0) -> None:
        """Send a message, masked by zeros, which change nothing."""
        size = len(payload)
        kind = kind or (TEXT if self.feed.subprotocol else BINARY)
        length = (
            struct.pack("!BB", 128 | kind, 128 | size) if size < 126 else struct.pack("!BBH", 128 | kind, 254, size)
        )
        self.transport.write(length + bytes(4) + payload)

    def _fail(self, error: Exception) -> None:
        if not self.there.done():
            self.there.set_exception(error)
        self.lost(error)
