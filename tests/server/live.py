"""The server on a real socket, and the two kinds of client that talk to it."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from auth import development
from auth.development import DevelopmentTokens
from server.app import create_app
from server.protocol import WebSocketProtocol
from server.services import Services
from server.settings import Settings
from tests.facts import PATIENCE_SECONDS, until

Frame = dict[str, Any]

ALLOWED_ORIGIN = "https://app.example"


class Started(uvicorn.Server):
    """uvicorn, telling when it listens, and ending when it is told to instead of looking for that now and then."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self.ending = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.ending.wait()


def http(url: str, **headers: str) -> httpx.AsyncClient:
    """Make an HTTP client, without the certificates that are not needed here: reading them takes longer than a test."""
    return httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, verify=False)


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs in this process."""

    app: Starlette
    uvicorn: uvicorn.Server
    settings: Settings
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def bearer(self, user: str, lifetime: timedelta = development.LIFETIME) -> str:
        """Make what a development token says in an Authorization header."""
        return f"Bearer {DevelopmentTokens.load(self.settings.data).sign(user, lifetime)}"

    def http(self, user: str | None = None, **headers: str) -> httpx.AsyncClient:
        """Make an HTTP client, signed in where a user is named."""
        signed_in = {"Authorization": self.bearer(user)} if user else {}
        return http(self.url, **signed_in | headers)

    @property
    def services(self) -> Services:
        """What the server holds open."""
        services = self.uvicorn.lifespan.state["services"]
        assert isinstance(services, Services)
        return services

    def unsent_bytes(self) -> list[int]:
        """Give what the server could not yet send on each of its WebSockets, in bytes."""
        connections = [c for c in self.uvicorn.server_state.connections if isinstance(c, WebSocketProtocol)]
        return [connection.transport.get_write_buffer_size() for connection in connections]

    async def until(self, fact: Callable[[], bool]) -> None:
        """Wait for something to become true, and not for ever."""
        await until(fact)

    async def idle(self) -> None:
        """Wait until no request and no WebSocket is under way."""
        await until(lambda: not self.uvicorn.server_state.tasks)

    @asynccontextmanager
    async def raw_socket(
        self, *, protocol: str = "graphql-transport-ws", origin: str | None = None, cookie: str | None = None
    ) -> AsyncIterator["Socket"]:
        """Open a WebSocket on which nothing was said yet."""
        headers = {"Cookie": cookie} if cookie else {}
        async with connect(
            f"ws://127.0.0.1:{self.port}/graphql",
            subprotocols=[Subprotocol(protocol)],
            origin=Origin(origin) if origin else None,
            additional_headers=headers,
            max_size=None,
            proxy=None,
        ) as connection:
            yield Socket(connection)

    @asynccontextmanager
    async def socket(self, user: str) -> AsyncIterator["Socket"]:
        """Open a WebSocket and sign in on it."""
        async with self.raw_socket() as client:
            await client.init(Authorization=self.bearer(user))
            yield client


@dataclass(frozen=True, slots=True)
class Socket:
    """A client of graphql-transport-ws; its methods are named after the messages of the protocol."""

    connection: ClientConnection

    async def send(self, frame: object) -> None:
        await self.connection.send(json.dumps(frame))

    async def receive(self) -> Frame:
        """Take the next message, which must be text."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            message = await self.connection.recv()
        assert isinstance(message, str)
        frame = json.loads(message)
        assert isinstance(frame, dict)
        return frame

    async def init(self, **payload: object) -> None:
        await self.send({"type": "connection_init", "payload": payload})
        assert await self.receive() == {"type": "connection_ack"}

    async def subscribe(self, key: str, query: str, **variables: object) -> None:
        await self.send({"type": "subscribe", "id": key, "payload": {"query": query, "variables": variables}})

    async def complete(self, key: str) -> None:
        await self.send({"type": "complete", "id": key})

    async def next(self, key: str) -> Frame:
        """Take the payload of the `next` message that must come now."""
        frame = await self.receive()
        assert (frame["type"], frame["id"]) == ("next", key), frame
        payload = frame["payload"]
        assert isinstance(payload, dict)
        return payload

    async def completed(self, key: str) -> None:
        assert await self.receive() == {"type": "complete", "id": key}

    async def error(self, key: str) -> list[Frame]:
        """Take the failures of the `error` message that must come now."""
        frame = await self.receive()
        assert (frame["type"], frame["id"]) == ("error", key), frame
        payload = frame["payload"]
        assert isinstance(payload, list)
        return payload

    async def closed(self) -> int:
        """Wait until the server closes the socket, and give its code."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.connection.wait_closed()
        assert self.connection.close_code is not None
        return self.connection.close_code


@asynccontextmanager
async def run(settings: Settings, *, ping_seconds: float = 20.0) -> AsyncIterator[Running]:
    """Run a server in this process until the block ends; it pings its WebSockets every `ping_seconds`."""
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        ws=WebSocketProtocol,
        ws_ping_interval=ping_seconds,
        ws_ping_timeout=ping_seconds,
        log_config=None,
        timeout_graceful_shutdown=5,
    )
    async with serving(config) as (server, port):
        yield Running(app, server, settings, port)


@asynccontextmanager
async def serving(config: uvicorn.Config) -> AsyncIterator[tuple[uvicorn.Server, int]]:
    """Run uvicorn, on a port of its own, until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Started(config)
        task = asyncio.create_task(server._serve([listener]))
        try:
            await server.listening.wait()
            yield server, listener.getsockname()[1]
        finally:
            server.ending.set()
            await task
