"""The texts of operations: each is parsed and validated once, within limits that keep a hostile one cheap."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache

from graphql import (
    ASTValidationRule,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    ValidationContext,
    ValidationRule,
    parse,
    specified_rules,
    validate,
)

from resolvers import errors
from schema import costs
from schema.plans import Plan

MAX_CHARACTERS = 100_000  # documents of workflows belong into variables
MAX_TOKENS = 1_000  # the slowest text of this size takes 0.2 s to validate; with twice as many it is 1 s
MAX_ALIASES = 50  # how often one request may ask for the same expensive field
KEPT_DOCUMENTS = 100  # an application has a few dozen; one of MAX_TOKENS takes up to 0.7 MB


class AliasLimit(ValidationRule):
    """Refuses a document with more than MAX_ALIASES aliases.

    Depth needs no limit of its own: no type leads back to itself, apart from introspection, which graphql-core limits.
    What a list of lists may read is counted by `costs`.
    """

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self._left = MAX_ALIASES

    def enter_field(self, node: FieldNode, *_: object) -> None:
        """Count one field."""
        self._left -= node.alias is not None
        if self._left == -1:
            self.report_error(GraphQLError(f"A document has at most {MAX_ALIASES} aliases.", node))


RULES: Collection[type[ASTValidationRule]] = (*specified_rules, AliasLimit)


class InvalidDocumentError(errors.BadUserInputError):
    """The document cannot be run."""

    def __init__(self, *reasons: GraphQLError) -> None:
        super().__init__()
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class Document:
    """A text that was read: `ast` is None where it could not be parsed; with `errors` it cannot be run."""

    ast: DocumentNode | None
    errors: tuple[GraphQLError, ...]
    plans: tuple[tuple[str | None, Plan], ...] = ()  # of its operations, with their names

    def plan(self, name: str | None) -> Plan:
        """Say how the operation of that name is run; a document with only one needs no name.

        Raises InvalidDocumentError, also where it is not clear which operation is meant.
        """
        if self.errors:
            raise InvalidDocumentError(*self.errors)
        plans = [plan for its_name, plan in self.plans if name is None or name == its_name]
        if len(plans) != 1:
            message = "names no operation" if name is not None else "must say which operation is meant"
            raise InvalidDocumentError(GraphQLError(f"`operationName` {message}."))
        return plans[0]

    def kind(self, name: str | None) -> OperationType:
        """Say what the operation of that name does. Raises InvalidDocumentError as `plan` does."""
        return self.plan(name).kind


def read(schema: GraphQLSchema, text: str) -> Document:
    """Parse and validate a text; the same text costs nothing the second time."""
    if len(text) > MAX_CHARACTERS:
        message = f"The document has more than {MAX_CHARACTERS:,} characters: send large values as variables."
        return Document(None, (GraphQLError(message),))
    return _read(schema, text)


@lru_cache(maxsize=KEPT_DOCUMENTS)
def _read(schema: GraphQLSchema, text: str) -> Document:
    try:
        ast = parse(text, max_lexical_tokens=MAX_TOKENS)
    except GraphQLSyntaxError as error:
        return Document(None, (error.with_traceback(None),))
    errors = tuple(validate(schema, ast, RULES) or costs.check(ast))
    return Document(ast, errors, () if errors else tuple(_plans(schema, ast)))


def _plans(schema: GraphQLSchema, ast: DocumentNode) -> Iterator[tuple[str | None, Plan]]:
    fragments = {node.name.value: node for node in ast.definitions if isinstance(node, FragmentDefinitionNode)}
    for node in ast.definitions:
        if isinstance(node, OperationDefinitionNode):
            yield node.name.value if node.name else None, Plan(schema, node, fragments)
