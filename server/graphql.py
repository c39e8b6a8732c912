"""GraphQL over HTTP, by the specification of that name: one operation a request, no batches, no uploads."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, assert_never

from graphql import OperationType
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from auth.authenticator import Identity
from resolvers import errors
from server import body, callers, pages, responses, services
from server.operations import Operation


async def graphql(request: Request) -> Response:
    """Run one operation; a browser that merely looks gets GraphiQL."""
    if _is_visit(request):
        return await pages.graphiql(request)
    identity = await callers.identify(request)
    _check_known(identity, request)
    operation = await _operation(request)
    _check_kind(operation.kind(), request, identity)
    result = await operation.execute(services.of(request).context(identity.viewer if identity else None))
    answer = responses.of_result(result)
    return responses.answer(request, answer, status=_status(answer))


def _check_known(identity: Identity | None, request: Request) -> None:
    """Refuse nobody, who in development may at least read the schema. Raises UnauthenticatedError."""
    if identity is None and not services.of(request).settings.development:
        raise errors.UnauthenticatedError


def _is_visit(request: Request) -> bool:
    if request.method != "GET" or "query" in request.query_params:
        return False
    return "text/html" in request.headers.get("accept", "")


async def _operation(request: Request) -> Operation:
    if request.method == "GET":
        return Operation.of(_from_query(request.query_params))
    if callers.content_type(request) != "application/json":
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send the operation as application/json.")
    return Operation.read(await body.read(request, most=services.of(request).settings.max_body_bytes))


def _from_query(params: Mapping[str, str]) -> dict[str, Any]:
    return {key: body.parse(value) if key in ("variables", "extensions") else value for key, value in params.items()}


def _check_kind(kind: OperationType, request: Request, identity: Identity | None) -> None:
    match kind:
        case OperationType.QUERY:
            return
        case OperationType.MUTATION:
            if request.method != "POST":
                raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED, "Send mutations by POST.", {"Allow": "POST"})
            callers.check_origin(request, identity)
        case OperationType.SUBSCRIPTION:
            raise errors.BadUserInputError("Subscribe over WebSocket, by the protocol graphql-transport-ws.")
        case _:
            assert_never(kind)


def _status(answer: Mapping[str, Any]) -> int:
    """Give the HTTP status: 200 for whatever was run, unless nothing came of it for a reason that HTTP knows."""
    failures = answer.get("errors", ())
    if answer.get("data") is not None or not failures:
        return HTTPStatus.OK
    code = failures[0]["extensions"]["code"]
    if "data" not in answer or code in (errors.UnauthenticatedError.code, errors.TooLargeError.code):
        return responses.status_of(code)
    return HTTPStatus.OK
