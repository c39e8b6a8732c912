"""Answers as JSON, and failures in the one form that every route shares."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from graphql import GraphQLError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError

from resolvers.errors import (
    BadUserInputError,
    ForbiddenError,
    NotFoundError,
    OperationError,
    TooLargeError,
    UnauthenticatedError,
)
from schema import failures
from schema.documents import InvalidDocumentError

GRAPHQL_RESPONSE = "application/graphql-response+json"
OUTCOME = "workflow_sync.outcome"  # where a request's scope says why it failed
INTERNAL = "INTERNAL_SERVER_ERROR"
MASKED = "The server met an unexpected error; its log says more."

STATUSES = {
    UnauthenticatedError.code: HTTPStatus.UNAUTHORIZED,
    ForbiddenError.code: HTTPStatus.FORBIDDEN,
    NotFoundError.code: HTTPStatus.NOT_FOUND,
    TooLargeError.code: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    INTERNAL: HTTPStatus.INTERNAL_SERVER_ERROR,
}
CODES = {status.value: code for code, status in STATUSES.items()}

Failure = dict[str, object]  # {message, extensions: {code}}, with locations and path where they are known


def failure(message: str, code: str) -> Failure:
    """Put one failure into the form that every route shares."""
    return {"message": message, "extensions": {"code": code}}


def of_error(error: OperationError) -> list[Failure]:
    """Show a failure that its caller should understand; a document that cannot be run may have several reasons."""
    if isinstance(error, InvalidDocumentError):
        return [_of_graphql(reason) for reason in error.reasons]
    return [failure(str(error), error.code)]


def of_result(result: ExecutionResult) -> dict[str, Any]:
    """Show what an operation gave: without `data` where it could not be run at all."""
    shown = [_of_graphql(error) for error in result.errors or ()]
    if isinstance(result, PreExecutionError) or (result.data is None and not any("path" in error for error in shown)):
        return {"errors": shown}
    return {"data": result.data, "errors": shown} if shown else {"data": result.data}


def _of_graphql(error: GraphQLError) -> Failure:
    """Show an error of a GraphQL operation; what nobody foresaw is masked (the schema logs it)."""
    code = failures.code(error)
    places: Failure = {key: value for key, value in error.formatted.items() if key in ("locations", "path")}
    return failure(MASKED if code is None else error.message, code or INTERNAL) | places


def status_of(code: str) -> int:
    """Give the HTTP status of a request that failed with this code as a whole."""
    return STATUSES.get(code, HTTPStatus.BAD_REQUEST)


def code_of(status: int) -> str:
    """Give the code of a failure that only has an HTTP status."""
    return INTERNAL if status >= HTTPStatus.INTERNAL_SERVER_ERROR else CODES.get(status, BadUserInputError.code)


def encode(value: object) -> bytes:
    """Write an answer as JSON; half a surrogate pair, which only hostile input has, becomes a question mark."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_unfolded)
        return text.encode(errors="replace")


def _unfolded(part: object) -> object:
    """Give what stands in a part of an answer that is JSON already."""
    return orjson.loads(orjson.dumps(part))


def answer(request: Request, value: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with JSON, in the media type of GraphQL over HTTP where the client asks for it."""
    if isinstance(value, dict) and (failures := value.get("errors")):
        request.scope[OUTCOME] = failures[0]["extensions"]["code"]
    accepted = GRAPHQL_RESPONSE in request.headers.get("accept", "")
    extra = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else {}
    return Response(
        encode(value),
        status,
        headers=extra | dict(headers or {}),
        media_type=GRAPHQL_RESPONSE if accepted else "application/json",
    )


def refused(request: Request, error: Exception) -> Response:
    """Answer a request that failed as a whole."""
    assert isinstance(error, OperationError)
    return answer(request, {"errors": of_error(error)}, status=status_of(error.code))


def rejected(request: Request, error: Exception) -> Response:
    """Answer a request that no route takes."""
    assert isinstance(error, HTTPException)
    body = {"errors": [failure(error.detail, code_of(error.status_code))]}
    return answer(request, body, status=error.status_code, headers=error.headers)


def failed(request: Request, error: Exception) -> Response:
    """Answer a request on which the server failed; uvicorn logs the error."""
    del error
    return answer(request, {"errors": [failure(MASKED, INTERNAL)]}, status=500)
