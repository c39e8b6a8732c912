"""The schema put together."""

import logging
from collections.abc import Iterator
from typing import Any

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLError,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    Undefined,
)
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext, ExecutionResult

from resolvers.context import Context
from schema import documents, failures
from schema.documents import Document
from schema.mutations import Mutation
from schema.queries import Query
from schema.scalars import JSON, JSON_SCALAR
from schema.subscriptions import Subscription

logger = logging.getLogger(__name__)


class Schema(strawberry.Schema):
    """Logs what nobody foresaw, once; what a caller did wrong is the caller's to hear."""

    def __init__(self) -> None:
        super().__init__(
            query=Query,
            mutation=Mutation,
            subscription=Subscription,
            config=StrawberryConfig(scalar_map={JSON: JSON_SCALAR}),
        )
        _drop_null_defaults(self._schema)

    async def run(
        self,
        text: str,
        variables: dict[str, Any] | None = None,
        context: Context | None = None,
        name: str | None = None,
    ) -> ExecutionResult:
        """Run a query or a mutation; `name` says which, where the text has several. Failures are in the result.

        Raises InvalidDocumentError where the text cannot be run.
        """
        result = await self.document(text).plan(name).run(context, variables or {})
        if result.errors:
            self.process_errors(result.errors)
        return result

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Log the errors of one operation that are faults of ours."""
        del execution_context
        for error in errors:
            if failures.code(error) is None:
                logger.error("An operation failed at %s", error.path, exc_info=error.original_error)

    def document(self, text: str) -> Document:
        """Read the text of an operation; the same text costs nothing the second time."""
        return documents.read(self._schema, text)


def _drop_null_defaults(schema: GraphQLSchema) -> None:
    """Take `= null` from whatever may be left out: Strawberry does not tell it from no default."""
    for type_ in schema.type_map.values():
        for taken in _inputs(type_):
            if taken.default_value is None:
                taken.default_value = Undefined


def _inputs(type_: GraphQLNamedType) -> Iterator[GraphQLArgument | GraphQLInputField]:
    if isinstance(type_, GraphQLInputObjectType):
        yield from type_.fields.values()
    if isinstance(type_, GraphQLObjectType):
        for field in type_.fields.values():
            yield from field.args.values()


schema = Schema()
