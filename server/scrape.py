"""The metrics over HTTP, for those who may read them."""

import hmac
from http import HTTPStatus

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from resolvers.errors import UnauthenticatedError
from server import callers, services


async def metrics(request: Request) -> Response:
    """Tell Prometheus what was counted."""
    _check(request)
    text = await services.of(request).metrics.text()
    return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})


def _check(request: Request) -> None:
    """Let in who has the token; where none is set, in development, who is on this machine."""
    settings = services.of(request).settings
    if settings.metrics_token is not None:
        wanted = f"Bearer {settings.metrics_token.get_secret_value()}".encode()
        if not hmac.compare_digest(request.headers.get("authorization", "").encode("latin-1"), wanted):
            raise UnauthenticatedError("Send METRICS_TOKEN as `Authorization: Bearer ...`.")
    elif settings.development:
        callers.check_local(request)
    else:
        raise HTTPException(HTTPStatus.NOT_FOUND, "Metrics are off: set METRICS_TOKEN to read them.")
