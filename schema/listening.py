"""Subscriptions taken apart: where their events come from, and what is shown of each, once for all who ask alike."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from inspect import isawaitable
from typing import Any

from graphql import SKIP, ArgumentNode, DocumentNode, FieldNode, Node, VariableNode, Visitor, visit
from graphql import ExecutionResult as CoreResult
from graphql.execution import Executor, create_source_event_stream, execute_subscription_event
from graphql.language import VisitorAction
from strawberry.types import ExecutionResult

from resolvers.context import Context
from resolvers.subscriptions import Source
from schema.build import schema
from schema.documents import KEPT_DOCUMENTS, InvalidDocumentError
from schema.subscriptions import PERSONAL_FIELDS, Shown

CORE = schema._schema  # noqa: SLF001 -- Strawberry has no other name for it
assert CORE.subscription_type
SOURCES = CORE.subscription_type.fields.keys()


@dataclass(frozen=True, slots=True)
class Selection:
    """What is asked of each event: equal ones are answered alike.

    `variables` are those that the answer depends on, as JSON. `viewer` is None where it does not matter who asks.
    """

    text: str
    name: str | None
    variables: str
    viewer: str | None


@dataclass(frozen=True, slots=True)
class Lens:
    """Shows events as a selection asks for them."""

    selection: Selection
    _executor: Executor[Context]
    _shape: Callable[[Any], object]

    async def show(self, item: object) -> ExecutionResult:
        """Run the selection on an event. Failures are in the result; those that are ours were logged."""
        given = execute_subscription_event(self._executor.build_per_event_executor(self._shape(item)))
        result = await given if isawaitable(given) else given
        schema.process_errors(result.errors or [])
        return ExecutionResult(result.data, result.errors)


@dataclass(frozen=True, slots=True)
class Listening:
    """A subscription: its source, which is not open yet, and what is to be shown of what comes."""

    source: Source[Any]
    lens: Lens


def begin(text: str, variables: Mapping[str, Any], name: str | None, context: Context) -> Listening:
    """Take a subscription apart. Raises InvalidDocumentError where it cannot be run."""
    selection = _selection(text, variables, name, context)
    executor = Executor.build(
        CORE, _parsed(text), context_value=context, raw_variable_values=dict(variables), operation_name=name
    )
    if isinstance(executor, list):
        raise InvalidDocumentError(*executor)
    shown = create_source_event_stream(executor)
    if isinstance(shown, CoreResult):
        schema.process_errors(shown.errors or [])
        raise InvalidDocumentError(*shown.errors or ())
    assert isinstance(shown, Shown), "that is what all subscriptions give"
    if selection.viewer is None:
        executor.context_value = replace(context, viewer=None)
    return Listening(shown.source, Lens(selection, executor, shown.show))


def _parsed(text: str) -> DocumentNode:
    document = schema.document(text)
    if document.ast is None or document.errors:
        raise InvalidDocumentError(*document.errors)
    return document.ast


def _selection(text: str, variables: Mapping[str, Any], name: str | None, context: Context) -> Selection:
    asked = _asked(text)
    relevant = {key: variables[key] for key in asked.variables & variables.keys()}
    viewer = context.known_viewer().id if asked.fields & PERSONAL_FIELDS else None
    return Selection(text, name, json.dumps(relevant, sort_keys=True), viewer)


@lru_cache(maxsize=KEPT_DOCUMENTS)
def _asked(text: str) -> "Asked":
    asked = Asked()
    visit(_parsed(text), asked)
    return asked


class Asked(Visitor):
    """Collects the fields of a document, and its variables, but for those that only choose which events come."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: set[str] = set()
        self.variables: set[str] = set()

    def enter_field(self, node: FieldNode, *_: object) -> None:
        """Collect a field."""
        self.fields.add(node.name.value)

    def enter_variable(self, node: VariableNode, *_: object) -> None:
        """Collect a variable."""
        self.variables.add(node.name.value)

    def enter_variable_definition(self, *_: object) -> VisitorAction:
        """Pass over the declarations."""
        return SKIP

    def enter_argument(
        self, _: ArgumentNode, __: object, ___: object, ____: object, ancestors: Sequence[Node]
    ) -> VisitorAction:
        """Pass over what a subscription's own field is given."""
        owner = ancestors[-1]
        return SKIP if isinstance(owner, FieldNode) and owner.name.value in SOURCES else None
