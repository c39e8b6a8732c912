"""What fields are handed as arguments: Strawberry's inputs, made by converters that are worked out once."""

from collections.abc import Callable
from typing import Any

from graphql import FieldNode, GraphQLField, GraphQLInputObjectType, GraphQLInputType, is_list_type, is_non_null_type
from graphql.execution.values import VariableValues, get_argument_values
from strawberry.types.field import StrawberryField

from schema import scalars

DEFINITION = "strawberry-definition"  # where Strawberry notes what it made a part of the schema from

Arguments = dict[str, Any]  # by their Python names
Convert = Callable[[Any], Any]


def reader(definition: GraphQLField, node: FieldNode) -> Callable[[VariableValues], Arguments]:
    """Make what reads the arguments of a field in an operation; it raises GraphQLError for values that do not fit."""
    field: StrawberryField = definition.extensions[DEFINITION]
    converters = [
        (name, argument.python_name, converter(definition.args[name].type))
        for name, argument in zip(definition.args, field.arguments, strict=True)
    ]

    def read(variables: VariableValues) -> Arguments:
        given = get_argument_values(definition, node, variables)
        return {python: convert(given[name]) for name, python, convert in converters if name in given}

    return read


def converter(type_: GraphQLInputType) -> Convert:
    """Make what turns a coerced value of a type into what Strawberry's annotations say."""
    if is_non_null_type(type_):
        return converter(type_.of_type)
    if is_list_type(type_):
        return _of_list(converter(type_.of_type))
    return _of_object(type_) if isinstance(type_, GraphQLInputObjectType) else _unchanged


def _unchanged(value: object) -> object:
    return value


def _of_list(convert: Convert) -> Convert:
    def list_(value: list[Any] | None) -> list[Any] | None:
        return None if value is None else [convert(item) for item in value]

    return list_


def _of_object(type_: GraphQLInputObjectType) -> Convert:
    """Make an instance of the class that an input was made from."""
    class_ = type_.extensions[DEFINITION].origin
    fields = [
        (name, field.extensions[DEFINITION].python_name, converter(field.type)) for name, field in type_.fields.items()
    ]

    def object_(value: dict[str, Any] | object) -> object:
        if not isinstance(value, dict):  # null, or a variable that was read as an instance
            return value
        return class_(**{python: convert(value[name]) for name, python, convert in fields if name in value})

    return object_


def unread(type_: GraphQLInputObjectType) -> frozenset[str]:
    """Name the fields of an input that may be given as Texts."""
    return frozenset(
        name for name, field in type_.fields.items() if field.extensions[DEFINITION].metadata == scalars.UNREAD
    )
