"""Running operations without a transport."""

from collections.abc import AsyncGenerator
from typing import Any, cast

import orjson
from strawberry.types import ExecutionResult

from resolvers.context import Context
from schema import failures
from schema.build import schema

Data = dict[str, Any]


async def run(context: Context, text: str, **variables: object) -> Data:
    """Run a query or a mutation that must not fail."""
    result = await schema.run(text, variables, context)
    assert not result.errors, result.errors
    data = orjson.loads(orjson.dumps(result.data))
    assert isinstance(data, dict)
    return data


async def fail(context: Context, text: str, **variables: object) -> tuple[str | None, str]:
    """Run a query or a mutation that must fail once, and give the code and the message."""
    result = await schema.run(text, variables, context)
    assert result.errors is not None
    (error,) = result.errors
    return failures.code(error), error.message


async def stream(context: Context, text: str, **variables: object) -> AsyncGenerator[ExecutionResult]:
    """Run a subscription."""
    results = await schema.stream(text, variable_values=variables, context_value=context)
    return cast("AsyncGenerator[ExecutionResult]", results)
