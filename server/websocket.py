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
import logging
import math
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

from graphql import OperationType
from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn.protocols.utils import ClientDisconnected

from auth.authenticator import Identity
from db.database import UnavailableError
from merge import values
from resolvers import errors
from resolvers.context import Context, Viewer
from server import callers, responses, services
from server.operations import Operation
from server.protocol import EXTENSION, WebSocketProtocol
from server.responses import Failure
from server.services import Services
from server.streams import Message, Stream

PROTOCOL = "graphql-transport-ws"
INIT_SECONDS = 10.0  # for the client to send connection_init
RECHECK_SECONDS = 30.0  # how long a session that was ended elsewhere still counts here
MAX_OPERATIONS = 100  # at the same time on one socket

Frame = dict[str, Any]

logger = logging.getLogger(__name__)


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
            protocol = socket.scope["extensions"][EXTENSION]["protocol"]
            await Connection(socket, services.of(socket), protocol, tasks).run()
    except* WebSocketDisconnect:
        pass
    except* ClosingError as group:
        ends = [end for end in group.exceptions if isinstance(end, ClosingError)]
    return ends[0] if ends else None


class UnderWay(Protocol):
    """An operation that has not come to its end."""

    def cancel(self) -> object:
        """End it silently."""


@dataclass(slots=True, eq=False)
class Connection:
    """One socket. `context` is None until the client said who it is, `operations` are those under way by their id."""

    socket: WebSocket
    here: Services
    protocol: WebSocketProtocol
    tasks: asyncio.TaskGroup
    context: Context | None = None
    operations: dict[str, UnderWay] = field(default_factory=dict)
    _said: Frame = field(default_factory=dict)  # what came with connection_init

    async def run(self) -> None:
        """Take what the client sends. Ends by raising WebSocketDisconnect or ClosingError."""
        try:
            await self._start()
            while True:
                await self._handle(await self._receive())
        finally:
            self._stop()

    async def _start(self) -> None:
        try:
            async with asyncio.timeout(INIT_SECONDS):
                while self.context is None:
                    await self._handle(await self._receive())
        except TimeoutError as error:
            raise ClosingError(4408, "Connection initialisation timeout") from error

    def _stop(self) -> None:
        self.here.vigil.release(self)
        while self.operations:
            self.operations.popitem()[1].cancel()

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
        self._said = payload
        viewer = (await self._identify()).viewer
        self.context = self.here.context(viewer)
        self._watch(viewer)
        await self._send({"type": "connection_ack"})

    async def _identify(self) -> Identity:
        try:
            identity = await callers.identify(self.socket, self._said)
        except errors.OperationError as error:
            raise ClosingError(4403, "These credentials are not valid, or not any more") from error
        except (UnavailableError, ConnectionResetError) as error:
            raise ClosingError(1013, "The database does not answer: try again later") from error
        if identity is None:
            raise ClosingError(4401, "Unauthorized")
        return identity

    def _watch(self, viewer: Viewer) -> None:
        """Ask after a while who is calling, and end the socket where the sign-in has ended."""
        left = _seconds_left(viewer)
        if left <= 0:
            raise ClosingError(4403, "The sign-in has ended")
        self.here.vigil.watch(self, min(left, RECHECK_SECONDS))

    def look(self) -> None:
        """Ask again who is calling."""
        self.tasks.create_task(self._recheck())

    async def _recheck(self) -> None:
        try:
            self._watch((await self._identify()).viewer)
        except ClosingError:
            self._stop()
            raise

    async def _subscribe(self, key: str, payload: Frame) -> None:
        if self.context is None:
            raise ClosingError(4401, "Unauthorized")
        if key in self.operations:
            raise ClosingError(4409, "Subscriber already exists")
        if len(self.operations) >= MAX_OPERATIONS:
            refused = responses.of_error(errors.RateLimitedError())
            await self._send({"id": key, "type": "error", "payload": refused})
            return
        self.operations[key] = self.spawn(key, partial(self._run, key, payload, self.context))

    def _complete(self, key: str) -> None:
        operation = self.operations.pop(key, None)
        if operation is not None:
            operation.cancel()

    async def _run(self, key: str, payload: Frame, context: Context) -> None:
        """Run an operation to its end, or a subscription until it needs no task."""
        operation = Operation.of(payload)
        if operation.kind() is OperationType.SUBSCRIPTION:
            self.operations[key] = stream = await Stream.open(self, key, operation, context)
            await stream.run()
        else:
            await self._finish(key, await self._answer(key, operation, context))

    async def _answer(self, key: str, operation: Operation, context: Context) -> list[Failure]:
        """Send the one answer of a query or a mutation; the failures instead, where its fields had no part in them."""
        answer = responses.of_result(await operation.execute(context))
        if "data" not in answer:
            failures: list[Failure] = answer["errors"]
            return failures
        await self._send({"id": key, "type": "next", "payload": answer})
        return []

    async def _finish(self, key: str, failures: list[Failure]) -> None:
        """Tell the client that an operation is over. Its id is free again before the client hears of that."""
        self.operations.pop(key, None)
        await self._send({"id": key} | ({"type": "error", "payload": failures} if failures else {"type": "complete"}))

    async def _send(self, frame: Frame) -> None:
        """Send a frame, waiting until the client has read enough of what was sent before."""
        await self.socket.send_text(responses.encode(frame).decode())

    def write(self, messages: Sequence[Message]) -> bool:
        """Send all of some events, or none: False where the client does not keep up or is gone."""
        is_sent = self.protocol.write_texts(messages)
        if is_sent:
            self.here.metrics.delivered += len(messages)
        return is_sent

    async def writable(self) -> None:
        """Wait until the client has read enough. Raises WebSocketDisconnect."""
        try:
            await self.protocol.drain()
        except ClientDisconnected as error:
            raise WebSocketDisconnect(1006) from error

    def spawn(self, key: str, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """Run an operation, or a part of one, that ends with the socket; where it fails, its client is told."""
        return self.tasks.create_task(self._attempt(key, work))

    async def _attempt(self, key: str, work: Callable[[], Awaitable[None]]) -> None:
        with suppress(WebSocketDisconnect):  # `run` hears of that too
            try:
                await work()
            except errors.OperationError as error:
                await self._finish(key, responses.of_error(error))
            except WebSocketDisconnect:
                raise
            except Exception:
                logger.exception("An operation failed.")
                await self._finish(key, [responses.failure(responses.MASKED, responses.INTERNAL)])


def _seconds_left(viewer: Viewer) -> float:
    if viewer.expires_at is None:
        return math.inf
    return (viewer.expires_at - datetime.now(UTC)).total_seconds()
