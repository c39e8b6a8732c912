"""How an operation is run: what its text alone tells is worked out once, for all requests that send it again.

A plan goes through the fields as graphql-core's executor would, and gives the same answers. It need not ask what that
asks for every value: this schema has objects, lists and leaves only, a field is asynchronous or it is not, and
resolvers look at nothing but their arguments and the context.
"""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLID,
    GraphQLIncludeDirective,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLSkipDirective,
    GraphQLString,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    get_directive_values,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution.values import VariableValues, get_argument_values
from strawberry.types import ExecutionResult
from strawberry.types.field import StrawberryField

from resolvers.context import Context
from schema import arguments
from schema.runs import Attribute, Field, Leaf, List, Object, Run, Type
from schema.variables import Variables

KEPT_SELECTIONS = 4  # of one operation, for as many combinations of what its @skip and @include depend on
KEPT_FIELDS = 500  # of one selection, of 250 bytes each; fragments can spell out many more, which are found anew

TEXTS = frozenset((GraphQLString, GraphQLID))

Fragments = Mapping[str, FragmentDefinitionNode]
Resolve = Callable[[Run, Any], Any]


class Plan:
    """One operation of a valid document, prepared to be run many times.

    `unread` has the members of variables that may be given as Texts: of an object, or of each in a list.
    """

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode, fragments: Fragments) -> None:
        root = schema.get_root_type(operation.operation)
        assert root is not None, "the document is valid"
        self.kind = operation.operation
        self._variables = Variables(schema, operation)
        self.unread = self._variables.unread
        self._schema = schema
        self._operation = operation
        self._fragments = fragments
        self._root = root
        self._conditions = sorted(_conditions(operation, fragments))
        self._selected: dict[tuple[object, ...], Object] = {}

    async def run(self, context: Context | None, given: dict[str, Any]) -> ExecutionResult:
        """Run a query or a mutation with the variables that were given. Failures are in the result."""
        variables = self._variables.read(given)
        if isinstance(variables, list):
            return ExecutionResult(data=None, errors=variables)
        try:
            selection = self._selection(variables)
        except GraphQLError as error:  # a condition is null
            return ExecutionResult(data=None, errors=[error])
        run = Run(self._schema, context, variables)
        data = await run.execute(selection, serially=self.kind is OperationType.MUTATION)
        return ExecutionResult(data=data, errors=run.errors or None)

    def _selection(self, variables: VariableValues) -> Object:
        """Give what is selected, worked out at the first request whose variables select just that."""
        key = tuple(variables.coerced.get(name) for name in self._conditions)
        if key in self._selected:
            return self._selected[key]
        selection = _Selection(self._schema, self._fragments, variables)
        root = selection.object(self._root, [self._operation.selection_set])
        if selection.size <= KEPT_FIELDS:
            if len(self._selected) == KEPT_SELECTIONS:
                self._selected.clear()
            self._selected[key] = root
        return root


def _conditions(operation: OperationDefinitionNode, fragments: Fragments) -> set[str]:
    """Name the variables that say what is selected."""
    found: set[str] = set()
    left = [operation.selection_set, *(fragment.selection_set for fragment in fragments.values())]
    while left:
        for node in left.pop().selections:
            values = (argument.value for each in node.directives or () for argument in each.arguments or ())
            found.update(value.name.value for value in values if isinstance(value, VariableNode))
            if isinstance(node, FieldNode | InlineFragmentNode) and node.selection_set:
                left.append(node.selection_set)
    return found


class _Selection:
    """What is selected with some variables: `size` fields, with those inside of others."""

    def __init__(self, schema: GraphQLSchema, fragments: Fragments, variables: VariableValues) -> None:
        self._schema = schema
        self._fragments = fragments
        self._variables = variables
        self.size = 0

    def object(self, type_: GraphQLObjectType, selected: list[SelectionSetNode], *, nullable: bool = True) -> Object:
        """Give the fields of an object, in the order in which they are first asked for."""
        found: dict[str, list[FieldNode]] = {}
        seen: set[str] = set()
        for selections in selected:
            self._collect(selections, found, seen)
        self.size += len(found)
        return Object(nullable, tuple(self._field(type_, key, nodes) for key, nodes in found.items()))

    def _collect(self, selections: SelectionSetNode, found: dict[str, list[FieldNode]], seen: set[str]) -> None:
        """Find the fields of a selection; each fragment counts once, and all fit: no type is one of another."""
        for node in selections.selections:
            if not self._is_included(node):
                continue
            match node:
                case FieldNode():
                    found.setdefault((node.alias or node.name).value, []).append(node)
                case InlineFragmentNode():
                    self._collect(node.selection_set, found, seen)
                case FragmentSpreadNode() if node.name.value not in seen:
                    seen.add(node.name.value)
                    self._collect(self._fragments[node.name.value].selection_set, found, seen)

    def _is_included(self, node: SelectionNode) -> bool:
        skip = get_directive_values(GraphQLSkipDirective, node, self._variables)
        include = get_directive_values(GraphQLIncludeDirective, node, self._variables)
        return not (skip and skip["if"]) and (include is None or bool(include["if"]))

    def _field(self, parent: GraphQLObjectType, key: str, nodes: list[FieldNode]) -> Field | Attribute:
        definition = self._schema.get_field(parent, nodes[0].name.value)
        assert definition is not None, "the document is valid"
        field: StrawberryField | None = definition.extensions.get(arguments.DEFINITION)
        type_ = self._type(definition.type, nodes)
        if field is not None and field.base_resolver is None and isinstance(type_, Leaf):
            is_text = get_named_type(definition.type) in TEXTS
            return Attribute(key, nodes, attrgetter(field.python_name), type_, is_text)
        return Field(
            key,
            nodes,
            _of_schema(definition, parent, nodes[0]) if field is None else _resolver(definition, field, nodes[0]),
            is_async=field is not None and field.is_async,
            type=type_,
        )

    def _type(self, type_: GraphQLOutputType, nodes: list[FieldNode], *, nullable: bool = True) -> Type:
        if is_non_null_type(type_):
            return self._type(type_.of_type, nodes, nullable=False)
        if is_list_type(type_):
            return List(nullable, self._type(type_.of_type, nodes))
        if is_object_type(type_):
            return self.object(type_, [node.selection_set for node in nodes if node.selection_set], nullable=nullable)
        assert is_leaf_type(type_), "this schema has neither interfaces nor unions"
        return Leaf(nullable, type_.coerce_output_value)


def _resolver(definition: GraphQLField, field: StrawberryField, node: FieldNode) -> Resolve:
    """Make what finds a value in its object, or calls its resolver."""
    assert not field.extensions, "a plan does not know extensions of fields"
    if field.base_resolver is None:
        get = attrgetter(field.python_name)
        return lambda _, source: get(source)
    call: Any = field.base_resolver.wrapped_func
    if field.base_resolver.info_parameter is None:
        return lambda _, source: call(source)
    if not definition.args:
        return lambda run, source: call(source, info=run.info)
    read = arguments.reader(definition, node)
    return lambda run, source: call(source, info=run.info, **read(run.variables))


def _of_schema(definition: GraphQLField, parent: GraphQLObjectType, node: FieldNode) -> Resolve:
    """Make what finds something in the schema itself."""
    if node.name.value == "__typename":
        return lambda *_: parent.name
    find: Any = definition.resolve
    return lambda run, source: find(source, run, **get_argument_values(definition, node, run.variables))
