"""JSON as it is: documents pass through untouched, whether they arrive as variables or as literals."""

from typing import Any, NewType

import strawberry
from graphql import (
    FloatValueNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    ValueNode,
    VariableNode,
)

from merge import values

JSON = NewType("JSON", object)


def from_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> object:
    """Read a JSON value that stands in the operation's text."""
    match node:
        case ObjectValueNode():
            return {field.name.value: from_literal(field.value, variables) for field in node.fields}
        case ListValueNode():
            return [from_literal(item, variables) for item in node.values]
        case IntValueNode() | FloatValueNode():
            return values.number(node.value)
        case VariableNode():
            return (variables or {}).get(node.name.value)
        case NullValueNode():
            return None
        case _:
            return getattr(node, "value")  # noqa: B009  # strings, booleans, and enum names as strings


JSON_SCALAR = strawberry.scalar(
    name="JSON",
    description="Any JSON value, passed through untouched.",
    parse_value=lambda value: value,
    parse_literal=from_literal,
)
