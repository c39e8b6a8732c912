"""What an operation may ask for: an upper bound that its text alone tells, before anything is read."""

from collections.abc import Iterator, Mapping

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
)

from resolvers.inputs import PAGE_ITEMS

MOST = 2_000
ROW = 1
DOCUMENT = 10  # tens of kilobytes, often put together from dozens of rows

READS: Mapping[str, int] = {
    "workflow": ROW,
    "atVersion": ROW,
    "blame": ROW,
    "members": ROW,
    "conflicts": ROW,
    "state": DOCUMENT,
    "diff": 2 * DOCUMENT,
}  # by the field's name, which means the same in every type
LISTS: Mapping[str, tuple[str, int]] = {
    "workflows": ("first", 20),
    "versions": ("first", 20),
    "syncWorkflows": ("inputs", PAGE_ITEMS),
}  # what says how many items there are, and how many where it is left out


def check(document: DocumentNode) -> Iterator[GraphQLError]:
    """Find the operations of a valid document that may ask for too much."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    meter = _Meter(fragments)
    for operation in document.definitions:
        if isinstance(operation, OperationDefinitionNode) and (cost := meter.selected(operation.selection_set)) > MOST:
            yield GraphQLError(
                f"This may read {cost:,} rows, where a document counts as {DOCUMENT}; at most {MOST:,} are allowed. "
                f"Ask for fewer items: `first` counts as {PAGE_ITEMS} where it is a variable.",
                operation,
            )


class _Meter:
    """Adds up costs; each fragment is measured once, however often it is spread."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._fragments = fragments
        self._measured: dict[str, int] = {}

    def selected(self, selections: SelectionSetNode | None) -> int:
        return sum(map(self._cost, selections.selections)) if selections else 0

    def _cost(self, node: SelectionNode) -> int:
        match node:
            case FieldNode():
                return self._field(node)
            case FragmentSpreadNode():
                return self._fragment(node.name.value)
            case InlineFragmentNode():
                return self.selected(node.selection_set)
            case _:
                raise TypeError(f"an unknown kind of selection: {node.kind}")

    def _field(self, node: FieldNode) -> int:
        name = node.name.value
        inside = self.selected(node.selection_set)
        if name in LISTS:
            return _items(node, *LISTS[name]) * (ROW + inside)
        return READS.get(name, 0) + inside

    def _fragment(self, name: str) -> int:
        if name not in self._measured:
            self._measured[name] = self.selected(self._fragments[name].selection_set)
        return self._measured[name]


def _items(node: FieldNode, argument: str, default: int) -> int:
    """Say how many items a list has at most."""
    value: ValueNode | None = next(
        (given.value for given in node.arguments or () if given.name.value == argument), None
    )
    match value:
        case None:
            return default
        case IntValueNode():
            return min(abs(int(value.value)), PAGE_ITEMS)  # whatever else is refused when it is asked for
        case ListValueNode():
            return len(value.values)
        case _:
            return PAGE_ITEMS
