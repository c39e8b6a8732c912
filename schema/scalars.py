"""JSON as it is: documents pass through untouched, whether they arrive as variables or as literals."""

from collections.abc import Mapping
from typing import Any, NewType

import orjson
import strawberry
from graphql import (
    BooleanValueNode,
    EnumValueNode,
    FloatValueNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
    VariableNode,
)

from merge import values
from resolvers.saves import Text

JSON = NewType("JSON", object)

UNREAD: Mapping[object, object] = {Text: True}  # marks a field of an input that takes a Text, too, and hands it on


def from_literal(node: ValueNode, variables: Mapping[str, Any] | None = None) -> object:
    """Read a JSON value that stands in the operation's text. Names of enums are texts."""
    match node:
        case ObjectValueNode():
            members = (field for field in node.fields if not _is_left_out(field.value, variables))
            return {field.name.value: from_literal(field.value, variables) for field in members}
        case ListValueNode():
            return [from_literal(item, variables) for item in node.values]
        case IntValueNode() | FloatValueNode():
            return values.number(node.value)
        case StringValueNode() | BooleanValueNode() | EnumValueNode():
            return node.value
        case VariableNode():
            return (variables or {}).get(node.name.value)
        case _:
            return None


def _is_left_out(node: ValueNode, variables: Mapping[str, Any] | None) -> bool:
    """Say whether a member has no value: GraphQL leaves it out of an object where its variable was not sent."""
    return isinstance(node, VariableNode) and node.name.value not in (variables or {})


def to_output(value: object) -> object:
    """Show a JSON value; one that is still a text goes into the answer as it is."""
    return orjson.Fragment(value.data) if isinstance(value, Text) else value


JSON_SCALAR = strawberry.scalar(
    name="JSON",
    description="Any JSON value, passed through untouched.",
    serialize=to_output,
    parse_value=lambda value: value,
    parse_literal=from_literal,
)


def id_or_null(value: str | None) -> strawberry.ID | None:
    """Show an id that may be missing."""
    return None if value is None else strawberry.ID(value)
