"""The ASGI application put together: routes, failures, what is open while it runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypedDict

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute

from resolvers.errors import OperationError
from server import development, graphql, health, outcomes, pages, responses, rest, scrape, websocket
from server.services import Services
from server.settings import Settings

PREFLIGHT_SECONDS = 24 * 60 * 60  # browsers need not ask again; a preflight under way when a page closes loses its save


class State(TypedDict):
    """What Starlette hands to each request."""

    services: Services


def create_app(settings: Settings) -> Starlette:
    """Assemble the server. It holds nothing open until it is started."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[State]:
        async with Services.open(settings) as services:
            yield {"services": services}

    return Starlette(
        lifespan=lifespan,
        routes=[
            Route("/graphql", graphql.graphql, methods=["GET", "POST"]),
            WebSocketRoute("/graphql", websocket.graphql),
            Route("/api/workflows/sync", rest.sync, methods=["POST"]),
            Route("/health", health.health),
            Route("/metrics", scrape.metrics),
            Route("/development/token", development.token, methods=["POST"]),
            *pages.ROUTES,
        ],
        middleware=[
            Middleware(outcomes.Counted),
            Middleware(
                CORSMiddleware,
                allow_origins=settings.allowed_origins,
                allow_credentials=True,
                allow_methods=["GET", "POST"],
                allow_headers=["Authorization", "Content-Encoding", "Content-Type"],
                max_age=PREFLIGHT_SECONDS,
            ),
        ],
        exception_handlers={
            OperationError: responses.refused,
            HTTPException: responses.rejected,
            ClientDisconnect: _gone,
            Exception: responses.failed,
        },
    )


def _gone(_: Request, __: Exception) -> Response:
    """End a request whose client went away while it was sending; nobody hears the answer."""
    return Response(status_code=400)
