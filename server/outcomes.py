"""What becomes of HTTP requests, counted by route."""

from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server import responses

ROUTES = frozenset(("/graphql", "/api/workflows/sync"))
OK = "OK"


class Counted:
    """Counts what becomes of each request: OK, or the code of what failed first."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or a socket, of which nothing is counted."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = HTTPStatus.INTERNAL_SERVER_ERROR.value  # where nothing is answered

        async def note(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self.app(scope, receive, note)
        finally:
            route = scope["path"] if scope["path"] in ROUTES else "other"
            scope["state"]["services"].metrics.requests[route, _outcome(scope, status)] += 1


def _outcome(scope: Scope, status: int) -> str:
    """Give the code that the answer shows; pages and the like have only a status."""
    code: str | None = scope.get(responses.OUTCOME)
    return code or (OK if status < HTTPStatus.BAD_REQUEST else responses.code_of(status))
