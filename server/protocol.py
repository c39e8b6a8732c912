"""uvicorn's WebSocket protocol, mended where a hostile or dead client would cost memory or a traceback."""

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


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

    async def send(self, message: ASGISendEvent) -> None:
        """Send, or raise ClientDisconnected where this protocol has ended the connection by itself meanwhile."""
        await self.writable.wait()
        if self.close_sent:
            raise ClientDisconnected
        await super().send(message)


def _is_utf8(frames: list[bytes]) -> bool:
    try:
        b"".join(frames).decode()
    except UnicodeDecodeError:
        return False
    return True
