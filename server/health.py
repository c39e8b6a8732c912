"""Whether this process can do its work, for load balancers and supervisors."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from server import responses, services

ANSWER_SECONDS = 2.0  # a database that takes longer does not answer


async def health(request: Request) -> Response:
    """Answer 200 where the database answers, 503 where it does not."""
    database = services.of(request).database
    if await database.answers(within=ANSWER_SECONDS):
        return responses.answer(request, {"status": "ok"})
    return responses.answer(request, {"status": "unavailable"}, status=HTTPStatus.SERVICE_UNAVAILABLE)
