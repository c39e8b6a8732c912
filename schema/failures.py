"""Which errors of an operation its caller may read; all others are faults of ours, masked and logged."""

from graphql import GraphQLError

from resolvers import errors
from resolvers.errors import OperationError


def code(error: GraphQLError) -> str | None:
    """Give the code of an error that the caller may read; None for one that nobody foresaw."""
    cause = error.original_error
    if isinstance(cause, OperationError):
        return cause.code
    if cause is None or _is_of_the_request(error, cause):
        return errors.BadUserInputError.code
    return None


def _is_of_the_request(error: GraphQLError, cause: Exception) -> bool:
    """Tell a value that the caller sent from one of ours that does not fit its type: only the former has a place."""
    return isinstance(cause, GraphQLError) and (error.path is None or bool(cause.nodes))
