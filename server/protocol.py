"""uvicorn's WebSocket protocol, mended where a hostile or dead client would cost memory or a traceback.

The application finds it in its scope, and may send past ASGI what was prepared once for many sockets.
"""

import struct
from collections.abc import Iterable, Sequence

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

EXTENSION = "workflow_sync.protocol"  # what the scope has it under
TEXT = 0x81  # a whole message, not masked (RFC 6455, section 5.2)


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Sends wait until the client has read; one that does not answer pings is cut off, whatever it left unread."""

    def keepalive_timeout(self) -> None:
        """Cut the connection: a polite close would wait for the client to read first, for hours if it likes."""
        super().keepalive_timeout()
        self.transport.abort()

    def handle_ping(self) -> None:
        """Answer a ping, but not that of a client which leaves the earlier answers unread."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def send_receive_event_to_app(self) -> None:
        """Hand over a message; one that is no UTF-8 ends the connection (1007) without a traceback."""
        if self.curr_msg_data_type == "text" and not _is_utf8(self.frames):
            self.conn.send_close(1007, "Text must be UTF-8")
            self.handle_parser_exception()
        else:
            super().send_receive_event_to_app()

    async def run_asgi(self) -> None:
        """Run the application, which finds this protocol in its scope."""
        self.scope["extensions"][EXTENSION] = {"protocol": self}
        await super().run_asgi()

    async def send(self, message: ASGISendEvent) -> None:
        """Send, or raise ClientDisconnected where this protocol has ended the connection by itself meanwhile."""
        await self.drain()
        await super().send(message)

    async def drain(self) -> None:
        """Wait until the client has read enough of what was sent. Raises ClientDisconnected."""
        while not self.writable.is_set():  # who was woken first may have written already
            await self.writable.wait()
        if self.close_sent or self.disconnected:
            raise ClientDisconnected

    def write_texts(self, messages: Iterable[Sequence[bytes]]) -> bool:
        """Send text messages, each in parts; False, and none is sent, where the client does not keep up or is gone."""
        if self.close_sent or not self.writable.is_set() or self.transport.is_closing():
            return False
        self.transport.writelines([part for parts in messages for part in (_header(sum(map(len, parts))), *parts)])
        return True


def _header(length: int) -> bytes:
    """Make what precedes the text of a message (RFC 6455, section 5.2)."""
    if length < 126:
        return struct.pack("!BB", TEXT, length)
    if length < 65_536:
        return struct.pack("!BBH", TEXT, 126, length)
    return struct.pack("!BBQ", TEXT, 127, length)


def _is_utf8(frames: list[bytes]) -> bool:
    try:
        b"".join(frames).decode()
    except UnicodeDecodeError:
        return False
    return True
