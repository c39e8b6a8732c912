"""The ways an operation can fail that its caller should understand; anything else is masked."""

from typing import ClassVar


class OperationError(Exception):
    """The operation failed."""

    code: ClassVar[str]

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or type(self).__doc__)


class UnauthenticatedError(OperationError):
    """Sign in first: this request carries no valid session cookie or bearer token."""

    code = "UNAUTHENTICATED"


class ForbiddenError(OperationError):
    """Your role does not allow this."""

    code = "FORBIDDEN"


class NotFoundError(OperationError):
    """There is no such workflow, or you may not see it."""

    code = "NOT_FOUND"


class NoConflictError(NotFoundError):
    """There is no such conflict, or somebody has closed it."""


class BadUserInputError(OperationError):
    """The input is not valid."""

    code = "BAD_USER_INPUT"


class TooLargeError(OperationError):
    """The request is larger than this server accepts; raise MAX_BODY_BYTES or send less."""

    code = "TOO_LARGE"


class RateLimitedError(OperationError):
    """Too much at once: wait until something else has ended."""

    code = "RATE_LIMITED"


class ResyncRequiredError(OperationError):
    """The journal no longer reaches back that far: read the workflow again and subscribe from its version."""

    code = "RESYNC_REQUIRED"


class AccessRevokedError(OperationError):
    """You may no longer see this workflow."""

    code = "ACCESS_REVOKED"
