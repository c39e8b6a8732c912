"""The schema put together."""

import logging

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from resolvers.errors import OperationError
from schema.mutations import Mutation
from schema.queries import Query
from schema.scalars import JSON, JSON_SCALAR
from schema.subscriptions import Subscription

logger = logging.getLogger(__name__)


class Schema(strawberry.Schema):
    """Logs what nobody foresaw, once; what a caller did wrong is the caller's to hear."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Log the errors of one operation that are faults of ours."""
        del execution_context
        for error in errors:
            if error.original_error is not None and not isinstance(error.original_error, OperationError):
                logger.error("An operation failed at %s", error.path, exc_info=error.original_error)


schema = Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    config=StrawberryConfig(scalar_map={JSON: JSON_SCALAR}),
)
