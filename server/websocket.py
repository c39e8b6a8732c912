"""GraphQL over WebSocket: the server's side of the graphql-transport-ws protocol.

    handshake --foreign Origin--> 403
        |
        v                                          +--ping / pong, complete, a frame that is none: 4400--+
    waiting --connection_init: who is calling?--> acknowledged <------------------------------------------+
        |              |                           |        |
        |              +--nobody: 4401             |        +--subscribe--> next ... then complete or error
        |              +--refused: 4403            |
        |              +--cannot be told now: 1013 |
        +--10 s without one: 4408                  +--the sign-in has ended: 4403

Clients of this protocol try again after 1013 and, with fresh credentials, after 4403; they give up after 4401.
"""

import asyncio
import math
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from graphql import OperationType
from starlette.websockets import WebSocket, WebSocketDisconnect

from auth.authenticator import Identity
from db.database import UnavailableError
from merge import values
from resolvers import errors
from resolvers.context import Context, Viewer
from server import callers, responses, services
from server.operations import Operation
from server.responses import Failure

PROTOCOL = "graphql-transport-ws"
INIT_SECONDS = 10.0  # for the client to send connection_init
RECHECK_SECONDS = 30.0  # how long a session that was ended elsewhere still counts here
MAX_OPERATIONS = 100  # at the same time on one socket

Frame = dict[str, Any]


class ClosingError(Exception):
    """The server ends the socket; `code` and `reason` (of at most 123 bytes) go to the client."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


async def graphql(socket: WebSocket) -> None:
    """Serve one socket until either side ends it."""
    if not callers.may_connect(socket):
        await socket.close()  # before it is accepted: the handshake is answered 403
        return
    offered = PROTOCOL in socket.scope["subprotocols"]
    await socket.accept(subprotocol=PROTOCOL if offered else None)
    closing = await _serve(socket) if offered else ClosingError(4406, "Subprotocol not acceptable")
    if closing:
        with suppress(WebSocketDisconnect):
            await socket.close(closing.code, closing.reason)


async def _serve(socket: WebSocket) -> ClosingError | None:
    """Run a connection and its operations until one of them ends it, and with it all others."""
    ends: list[ClosingError] = []
    try:
        async with asyncio.TaskGroup() as tasks:
            await Connection(socket, tasks).run()
    except* WebSocketDisconnect:
        pass
    except* ClosingError as group:
        ends = [end for end in group.exceptions if isinstance(end, ClosingError)]
    return ends[0] if ends else None


@dataclass(slots=True)
class Connection:
    """One socket. `context` is None until the client said who it is, `operations` are those under way by their id."""

    socket: WebSocket
    tasks: asyncio.TaskGroup
    context: Context | None = None
    operations: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _sending: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def run(self) -> None:
        """Take what the client sends. Ends by raising WebSocketDisconnect or ClosingError."""
        try:
            async with asyncio.timeout(INIT_SECONDS):
                while self.context is None:
                    await self._handle(await self._receive())
        except TimeoutError as error:
            raise ClosingError(4408, "Connection initialisation timeout") from error
        while True:
            await self._handle(await self._receive())

    async def _receive(self) -> Frame:
        message = await self.socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message["code"], message.get("reason"))
        text = message.get("text")
        if text is None:
            raise ClosingError(4400, "Send text, not binary frames")
        try:
            frame = values.parse(text)
        except values.MalformedError as error:
            raise ClosingError(4400, "A message must be JSON") from error
        if not isinstance(frame, dict) or not isinstance(frame.get("payload"), dict | None):
            raise ClosingError(4400, "A message, and its payload, must be an object")
        return frame

    async def _handle(self, frame: Frame) -> None:
        match frame:
            case {"type": "connection_init"}:
                await self._init(frame.get("payload") or {})
            case {"type": "ping"}:
                await self._send({"type": "pong"})
            case {"type": "pong"}:
                pass
            case {"type": "subscribe", "id": str(key), "payload": dict(payload)}:
                await self._subscribe(key, payload)
            case {"type": "complete", "id": str(key)}:
                self._complete(key)
            case _:
                raise ClosingError(4400, "This is no message of the protocol")

    async def _init(self, payload: Frame) -> None:
        if self.context is not None:
            raise ClosingError(4429, "Too many initialisation requests")
        viewer = (await self._identify(payload)).viewer
        self.context = services.of(self.socket).context(viewer)
        self.tasks.create_task(self._watch(payload, viewer))
        await self._send({"type": "connection_ack"})

    async def _identify(self, payload: Frame) -> Identity:
        try:
            identity = await callers.identify(self.socket, payload)
        except errors.OperationError as error:
            raise ClosingError(4403, "These credentials are not valid, or not any more") from error
        except (UnavailableError, ConnectionResetError) as error:
            raise ClosingError(1013, "The database does not answer: try again later") from error
        if identity is None:
            raise ClosingError(4401, "Unauthorized")
        return identity

    async def _watch(self, payload: Frame, viewer: Viewer) -> None:
        """Ask from time to time who is calling, and end the socket where the sign-in has ended."""
        while True:
            left = _seconds_left(viewer)
            if left <= 0:
                raise ClosingError(4403, "The sign-in has ended")
            await asyncio.sleep(min(left, RECHECK_SECONDS))
            viewer = (await self._identify(payload)).viewer

    async def _subscribe(self, key: str, payload: Frame) -> None:
        if self.context is None:
            raise ClosingError(4401, "Unauthorized")
        if key in self.operations:
            raise ClosingError(4409, "Subscriber already exists")
        if len(self.operations) >= MAX_OPERATIONS:
            refused = responses.of_error(errors.RateLimitedError())
            await self._send({"id": key, "type": "error", "payload": refused})
            return
        self.operations[key] = self.tasks.create_task(self._run(key, payload, self.context))

    def _complete(self, key: str) -> None:
        operation = self.operations.pop(key, None)
        if operation is not None:
            operation.cancel()

    async def _run(self, key: str, payload: Frame, context: Context) -> None:
        """Run an operation to its end. Its id is free again before the client hears of that end."""
        try:
            refused = await self._play(key, Operation.of(payload), context)
        except errors.OperationError as error:
            refused = responses.of_error(error)
        self.operations.pop(key, None)
        await self._send({"id": key} | ({"type": "error", "payload": refused} if refused else {"type": "complete"}))

    async def _play(self, key: str, operation: Operation, context: Context) -> list[Failure]:
        """Send what an operation gives; the failures that ended it, where its fields had no part in them."""
        kind = operation.kind()
        async with aclosing(operation.stream(context)) as results:
            async for result in results:
                answer = responses.of_result(result)
                if "data" not in answer:
                    failures: list[Failure] = answer["errors"]
                    return failures
                await self._send({"id": key, "type": "next", "payload": answer})
                services.of(self.socket).metrics.delivered += kind is OperationType.SUBSCRIPTION
        return []

    async def _send(self, frame: Frame) -> None:
        """Send a frame, waiting until the client has read enough of what was sent before."""
        async with self._sending:
            await self.socket.send_text(responses.encode(frame).decode())


def _seconds_left(viewer: Viewer) -> float:
    if viewer.expires_at is None:
        return math.inf
    return (viewer.expires_at - datetime.now(UTC)).total_seconds()
