"""The token that the pages of this server sign in with, in development."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from auth.development import DevelopmentTokens
from resolvers import errors, inputs
from server import body, callers, responses, services

USER = "developer"  # who does not say who they want to be
BODY_BYTES = 4096


async def token(request: Request) -> Response:
    """Give a token to a page of this server, or to a program on this machine; elsewhere there is no such route.

    Who sends `{"name": ...}` becomes the user of that name.
    """
    settings = services.of(request).settings
    if not settings.development:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    callers.check_local(request)
    if callers.is_foreign(request):
        raise errors.ForbiddenError("Only pages of this server, or of ALLOWED_ORIGINS, get a token.")
    name = _name(await body.read(request, most=BODY_BYTES))
    signed = DevelopmentTokens.load(settings.data).sign(name, name=name)
    return responses.answer(request, {"token": signed, "id": name, "name": name}, headers={"Cache-Control": "no-store"})


def _name(data: bytes) -> str:
    """Read who somebody wants to be. Raises BadUserInputError."""
    if not data:
        return USER
    said = body.parse(data)
    if not isinstance(said, dict) or not isinstance(said.get("name", USER), str):
        raise errors.BadUserInputError('Send {"name": "..."} with a text, or no body at all.')
    return inputs.name(said.get("name", USER))
