"""The seed's REST route, for beacons and plain HTTP clients: `syncWorkflow` by another door."""

from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from resolvers import errors
from schema.build import schema
from server import body, callers, responses, services, unread
from server.operations import Operation

BEACON_BYTES = 64 * 1024  # what a browser sends with keepalive; such a request cannot ask before it sends

SYNC = """
mutation Sync($input: SyncWorkflowInput!, $withWorkflow: Boolean!) {
  syncWorkflow(input: $input) {
    status id version savedAt replayed lastSequence
    changes { path value remove order }
    conflicts {
      id path base baseAbsent theirs theirsAbsent yours yoursAbsent
      winner yoursBy theirsBy theirsAt theirsVersion
    }
    repairs { path reason removed }
    problems { path code message }
    workflow @include(if: $withWorkflow) {
      id name version state role ownerId savedBy savedAt createdAt deletedAt
    }
  }
}
"""


async def sync(request: Request) -> Response:
    """Save the document in the body; `?include=workflow` also answers what the server then holds."""
    identity = await callers.identify(request)
    if identity is None:
        raise errors.UnauthenticatedError
    callers.check_origin(request, identity)
    save = _read(await body.read(request, most=_most(request)))
    operation = Operation(SYNC, {"input": save, "withWorkflow": _includes_workflow(request)}, name=None)
    result = responses.of_result(await operation.execute(services.of(request).context(identity.viewer)))
    return _answer(request, result)


def _read(data: bytes) -> dict[str, Any]:
    members = unread.members(data)
    save = (
        body.parse(data) if members is None else unread.read(members, schema.document(SYNC).plan(None).unread["input"])
    )
    if not isinstance(save, dict):
        raise errors.BadUserInputError("Send an object: {id, state, ...}.")
    return save


def _answer(request: Request, result: dict[str, Any]) -> Response:
    if failures := result.get("errors"):
        shown = [{"message": failure["message"], "extensions": failure["extensions"]} for failure in failures]
        status = responses.status_of(shown[0]["extensions"]["code"])
        return responses.answer(request, {"errors": shown}, status=status)
    return responses.answer(request, result["data"]["syncWorkflow"])


def _most(request: Request) -> int:
    most = services.of(request).settings.max_body_bytes
    match callers.content_type(request):
        case "application/json":
            return most
        case "text/plain":
            return min(BEACON_BYTES, most)
        case _:
            raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send application/json, or text/plain up to 64 KiB.")


def _includes_workflow(request: Request) -> bool:
    match request.query_params.get("include"):
        case None:
            return False
        case "workflow":
            return True
        case _:
            raise errors.BadUserInputError("`include` can only be `workflow`.")
