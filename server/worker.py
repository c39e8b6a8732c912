"""One of the processes that serve; its parent (`server.workers`) starts it with `python -m server.worker`.

parent --stdin: settings, listener--> worker --stdout: READY--> parent
       --SIGTERM: stop gracefully-->
       --end of stdin: the parent is gone, so this process must not serve on-->
"""

import asyncio
import gc
import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from server import logs, workers
from server.app import create_app
from server.protocol import WebSocketProtocol
from server.settings import Settings

GARBAGE_OBJECTS = 20_000  # a save makes hundreds, and hardly ever a cycle
PING_SECONDS = 20.0  # a WebSocket whose client does not answer for so long is cut
STDIN = 0


class Server(uvicorn.Server):
    """uvicorn, which tells the parent when it takes connections, and stops when the parent says so."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to take connections."""
        await super().startup(sockets)
        gc.freeze()  # what is there now stays: it need not be looked through again and again
        gc.set_threshold(GARBAGE_OBJECTS)
        os.write(sys.stdout.fileno(), workers.READY)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let what is under way come to its end, and cut off whoever keeps it from that."""
        cutting = asyncio.get_running_loop().call_later(workers.GRACE_SECONDS, self._cut)
        await super().shutdown(sockets)
        cutting.cancel()

    def _cut(self) -> None:
        for connection in self.server_state.connections:
            connection.transport.abort()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop gracefully at SIGTERM, which then has done its work."""
        signal.signal(signal.SIGTERM, self.handle_exit)
        yield


def config(settings: Settings) -> uvicorn.Config:
    """Say how uvicorn is to serve: quietly, and telling the app of proxies instead of believing them."""
    return uvicorn.Config(
        create_app(settings),
        http="httptools",
        ws=WebSocketProtocol,
        ws_max_size=settings.max_body_bytes,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        ws_per_message_deflate=False,  # it costs memory for each connection and time for each message
        lifespan="on",
        log_config=None,
        log_level=logging.ERROR,  # it would warn of every request that is none
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=workers.GRACE_SECONDS + 2,
    )


def main() -> None:
    """Serve until the parent says stop, or is gone."""
    logs.configure()
    order = _read_order()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with socket.socket(fileno=order["listener"]) as listener:
        Server(config(Settings(**order["settings"]))).run([listener])


def _read_order() -> dict[str, Any]:
    with open(STDIN, "rb", buffering=0, closefd=False) as stdin:
        order = json.loads(stdin.readline())
    assert isinstance(order, dict)
    return order


def _end_with_parent() -> None:
    os.read(STDIN, 1)
    os._exit(1)


if __name__ == "__main__":
    main()
