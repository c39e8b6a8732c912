"""What is sent past ASGI arrives as the protocol has it, and only where there is room for it."""

import asyncio

import pytest

from server.protocol import WebSocketProtocol
from tests.server.live import Running


def protocol_of(server: Running) -> WebSocketProtocol:
    """Give the server's side of its one WebSocket."""
    (found,) = (each for each in server.uvicorn.server_state.connections if isinstance(each, WebSocketProtocol))
    return found


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65_535, 65_536, 1_000_000])
async def test_messages_of_every_length_arrive_as_text(server: Running, length: int) -> None:
    async with asyncio.timeout(20), server.socket("ada") as client:
        assert protocol_of(server).write_texts([(b"x" * length,)])
        assert await client.connection.recv() == "x" * length


async def test_messages_arrive_whole_and_in_order_with_those_sent_by_asgi(server: Running) -> None:
    async with asyncio.timeout(20), server.socket("ada") as client:
        protocol = protocol_of(server)
        assert protocol.write_texts([(b"a", b"", "ß".encode()), (b"b",)])
        await protocol.send({"type": "websocket.send", "text": "c"})
        assert protocol.write_texts([(b"d",)])
        assert [await client.connection.recv() for _ in range(4)] == ["aß", "b", "c", "d"]


async def test_nothing_is_sent_where_there_is_no_room(server: Running) -> None:
    async with asyncio.timeout(20), server.socket("ada") as client:
        protocol = protocol_of(server)
        client.connection.transport.pause_reading()
        while protocol.write_texts([(b"x" * 100_000,)]):
            pass
        unsent = protocol.transport.get_write_buffer_size()
        assert not protocol.write_texts([(b"y",)])
        assert protocol.transport.get_write_buffer_size() == unsent
        draining = asyncio.create_task(protocol.drain())
        client.connection.transport.resume_reading()
        await draining
        assert protocol.write_texts([(b"z",)])
        received = ""
        while received != "z":
            message = await client.connection.recv()
            assert isinstance(message, str)
            assert set(message) in ({"x"}, {"z"})
            received = message


async def test_nothing_is_sent_to_who_is_gone(server: Running) -> None:
    async with server.socket("ada"):
        protocol = protocol_of(server)
    await server.idle()
    assert not protocol.write_texts([(b"x",)])
