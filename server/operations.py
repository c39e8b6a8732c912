"""One GraphQL operation as a transport received it."""

from dataclasses import dataclass
from typing import Any, Self

from graphql import OperationType
from strawberry.types import ExecutionResult

from resolvers import errors
from resolvers.context import Context
from schema.build import schema
from server import body, unread


@dataclass(frozen=True, slots=True)
class Operation:
    """What to run: the text of a document, the values of its variables, and which of its operations is meant."""

    text: str
    variables: dict[str, Any]
    name: str | None

    @classmethod
    def of(cls, params: object) -> Self:
        """Read {query, variables, operationName, extensions}. Raises BadUserInputError."""
        if isinstance(params, list):
            raise errors.BadUserInputError("Batches are not supported: send one operation, as an object.")
        if not isinstance(params, dict):
            raise errors.BadUserInputError("Send an object with `query`, and `variables` where the query has some.")
        text, name = params.get("query"), params.get("operationName")
        if not isinstance(text, str):
            raise errors.BadUserInputError("`query` must be a text.")
        if not isinstance(name, str | None):
            raise errors.BadUserInputError("`operationName` must be a text.")
        _object(params, "extensions")
        return cls(text, _object(params, "variables"), name)

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Read the same from JSON; whole documents in it stay texts. Raises BadUserInputError, InvalidDocumentError."""
        params = unread.params(data)
        if params is None:
            return cls.of(body.parse(data))
        names = schema.document(params.query).plan(params.operationName).unread
        variables = params.variables or {}
        return cls(
            params.query,
            {name: unread.variable(value, names.get(name, frozenset())) for name, value in variables.items()},
            params.operationName,
        )

    def kind(self) -> OperationType:
        """Say whether it is a query, a mutation or a subscription. Raises InvalidDocumentError."""
        return schema.document(self.text).kind(self.name)

    async def execute(self, context: Context) -> ExecutionResult:
        """Run a query or a mutation. Failures are in the result."""
        return await schema.run(self.text, self.variables, context, self.name)


def _object(params: dict[str, Any], name: str) -> dict[str, Any]:
    value = params.get(name)
    if not isinstance(value, dict | None):
        raise errors.BadUserInputError(f"`{name}` must be an object.")
    return value or {}
