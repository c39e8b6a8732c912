"""Who counts announcements."""

import asyncio
import struct

from bench.feeds import GraphQL
from bench.subscribers import PING, PONG, TEXT, Subscriber

EVENT = b'{"id":"1","type":"next","payload":{"data":{"workflowSaved":{"version":5}}}}'


class Socket(asyncio.Transport):
    """Remembers what was written."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self.written = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data


def frame(payload: bytes, kind: int = TEXT) -> bytes:
    size = len(payload)
    return (bytes([128 | kind, size]) if size < 126 else struct.pack("!BBH", 128 | kind, 126, size)) + payload


async def subscriber(heard: list[int]) -> tuple[Subscriber, Socket]:
    feed = GraphQL("subscription { workflowSaved }", query="{ workflow }")
    lost: list[Exception] = []
    made, socket = Subscriber(feed, "w1", 1, "token", heard.append, lost.append), Socket()
    made.connection_made(socket)
    return made, socket


async def test_announcements_are_counted_from_the_one_after_what_was_missed() -> None:
    heard: list[int] = []
    made, _ = await subscriber(heard)

    made.data_received(b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + frame(b'{"type":"connection_ack"}'))
    assert not made.there.done()
    made.data_received(frame(b'{"id":"2","type":"next","payload":{"data":{"workflow":{}}}}'))
    assert made.there.done()
    made.data_received(frame(EVENT) + frame(EVENT))

    assert heard == [0, 1]


async def test_messages_may_arrive_in_any_pieces() -> None:
    heard: list[int] = []
    made, _ = await subscriber(heard)
    everything = b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + frame(b'{"type":"connection_ack"}')
    everything += frame(b'{"data":{"workflow":{}}}') + frame(EVENT + b" " * 200) + frame(EVENT)

    for place in range(len(everything)):
        made.data_received(everything[place : place + 1])

    assert heard == [0, 1]


async def test_a_ping_is_answered() -> None:
    made, socket = await subscriber([])
    made.data_received(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
    made.data_received(frame(b"still there?", PING))

    assert socket.written.endswith(bytes([128 | PONG, 128 | 12]) + bytes(4) + b"still there?")
