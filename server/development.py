"""The token that the pages of this server sign in with, in development."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from auth.development import DevelopmentTokens
from resolvers import errors
from server import callers, responses, services

USER = "developer"


async def token(request: Request) -> Response:
    """Give a token to a page of this server, or to a program on this machine; elsewhere there is no such route."""
    settings = services.of(request).settings
    if not settings.development:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    callers.check_local(request)
    if callers.is_foreign(request):
        raise errors.ForbiddenError("Only pages of this server, or of ALLOWED_ORIGINS, get a token.")
    signed = DevelopmentTokens.load(settings.data).sign(USER)
    return responses.answer(request, {"token": signed}, headers={"Cache-Control": "no-store"})
