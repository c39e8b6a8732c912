"""The variables of an operation: each is read by a function that is made once, and gives inputs as their classes."""

from collections.abc import Callable
from typing import Any, TypeAlias

from graphql import (
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_named_type,
    get_variable_values,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_required_input_field,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource

from schema import arguments

MOST_ERRORS = 50  # that one request is told

Read: TypeAlias = Callable[[Any], Any]


class _UnfitError(Exception):
    """A value is not of its type, or not simply so."""


class Variables:
    """The variables that an operation declares."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode) -> None:
        self._schema = schema
        self._nodes = operation.variable_definitions or ()
        signatures = [get_variable_signature(schema, node) for node in self._nodes]
        self._declared = [
            (signature, _reader(signature.type))
            for signature in signatures
            if isinstance(signature, GraphQLVariableSignature)
        ]

    @property
    def unread(self) -> dict[str, frozenset[str]]:
        """The members that may be given as Texts: of an object, or of each in a list, by the variable's name."""
        types = ((signature.name, get_named_type(signature.type)) for signature, _ in self._declared)
        return {name: arguments.unread(type_) for name, type_ in types if isinstance(type_, GraphQLInputObjectType)}

    def read(self, given: dict[str, Any]) -> VariableValues | list[GraphQLError]:
        """Read what was given; where that is not simple, graphql-core does it, or says why it cannot be done."""
        try:
            return self._read(given)
        except (_UnfitError, GraphQLError):
            return get_variable_values(self._schema, self._nodes, given, max_errors=MOST_ERRORS)

    def _read(self, given: dict[str, Any]) -> VariableValues:
        sources: dict[str, VariableValueSource] = {}
        values: dict[str, Any] = {}
        for signature, read in self._declared:
            name = signature.name
            if name in given:
                sources[name] = VariableValueSource(signature, given[name])
                values[name] = read(given[name])
            elif signature.default is not None or is_non_null_type(signature.type):
                raise _UnfitError
            else:
                sources[name] = VariableValueSource(signature)
        return VariableValues(sources, values)


def _reader(type_: GraphQLInputType) -> Read:
    """Make what reads a value of a type; it raises _UnfitError, and GraphQLError for scalars and enums."""
    if is_non_null_type(type_):
        return _required(_reader_of_some(type_.of_type))
    return _optional(_reader_of_some(type_))


def _reader_of_some(type_: GraphQLInputType) -> Read:
    if is_list_type(type_):
        return _list(_reader(type_.of_type))
    if isinstance(type_, GraphQLInputObjectType):
        return _object(type_)
    assert is_leaf_type(type_)
    return type_.coerce_input_value


def _required(read: Read) -> Read:
    def required(value: object) -> object:
        if value is None:
            raise _UnfitError
        return read(value)

    return required


def _optional(read: Read) -> Read:
    return lambda value: None if value is None else read(value)


def _list(read: Read) -> Read:
    def list_(value: object) -> list[object]:
        if not isinstance(value, list):
            raise _UnfitError
        return [read(item) for item in value]

    return list_


def _object(type_: GraphQLInputObjectType) -> Read:
    """Make what makes an instance; what it has by default, its class knows."""
    class_ = type_.extensions[arguments.DEFINITION].origin
    fields = {
        name: (field.extensions[arguments.DEFINITION].python_name, _reader(field.type))
        for name, field in type_.fields.items()
    }
    required = {name for name, field in type_.fields.items() if is_required_input_field(field)}

    def object_(value: object) -> object:
        if not isinstance(value, dict) or not value.keys() <= fields.keys() or not required <= value.keys():
            raise _UnfitError
        members = {}
        for name, member in value.items():
            python_name, read = fields[name]
            members[python_name] = read(member)
        return class_(**members)

    return object_
