"""A plan gives what graphql-core's executor gives: data, errors, and where they belong."""

from datetime import UTC, datetime
from typing import Any, cast

import orjson
import pytest
from graphql import get_introspection_query
from strawberry.types import ExecutionResult

from db.members import Member
from db.workflows import Head, Role
from resolvers import conflicts, errors, history, sync, workflows
from resolvers.answers import Answer
from resolvers.context import Context, UserId, Viewer
from resolvers.saves import Save, Status, Text
from resolvers.workflows import HeadPage
from schema import failures
from schema.build import schema
from schema.plans import KEPT_SELECTIONS

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def head(name: str) -> Head:
    return Head(name, "ada", name.upper(), 1, Role.EDITOR, "bob", NOON, NOON, None)


async def find(_: Context, workflow_id: str) -> Head | None:
    if workflow_id == "broken":
        raise RuntimeError("broken")
    return None if workflow_id == "missing" else head(workflow_id)


async def page(_: Context, *, first: int | None, **__: object) -> HeadPage:
    if first == 0:
        raise errors.BadUserInputError("none")
    return HeadPage([head(f"w{number}") for number in range(first or 2)], has_next=True)


async def text(_: Context, workflow_id: str, __: int) -> Text:
    if workflow_id == "w1":
        raise errors.ResyncRequiredError
    return Text(b'{"n": [1.0, "\xc3\xa9"]}')


async def list_members(_: Context, found: Head) -> list[Member]:
    if found.id == "w1":
        raise errors.ForbiddenError
    return [Member("cy", Role.VIEWER), Member("di", cast("Role", "NOBODY"))]


async def read_open(_: Context, __: Head) -> list[Any]:
    return cast("list[Any]", None)


async def rename(_: Context, workflow_id: str, name: str) -> Head:
    if name == "":
        raise errors.BadUserInputError("a name")
    return head(workflow_id + name)


async def save(_: Context, save: Save, **__: object) -> Answer:
    return Answer(Status.SAVED, f"{save.id} {save.mode} {save.changes} {save.state} {save.base_version}", 2)


@pytest.fixture(autouse=True)
def resolvers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resolvers that ask no database."""
    monkeypatch.setattr(workflows, "find", find)
    monkeypatch.setattr(workflows, "page", page)
    monkeypatch.setattr(workflows, "list_members", list_members)
    monkeypatch.setattr(workflows, "rename", rename)
    monkeypatch.setattr(history, "text", text)
    monkeypatch.setattr(conflicts, "read_open", read_open)
    monkeypatch.setattr(sync, "sync", save)


@pytest.fixture
def context() -> Context:
    """Ada, and nothing else."""
    nothing = cast("Any", None)
    return Context(nothing, nothing, nothing, nothing, Viewer(UserId("ada")))


def shown(result: ExecutionResult) -> object:
    """Show a result as a client would see it; errors that happen at the same time come in any order."""
    found = sorted((orjson.dumps(error.formatted) for error in result.errors or ()), key=bytes)
    return orjson.dumps(result.data), found


RENAME = 'renameWorkflow(id: "w", name: "%s") { id }'
SAVE = "mutation ($i: SyncWorkflowInput!) { syncWorkflow(input: $i) { id status version workflow { id } } }"
CONDITIONS = "query ($a: Boolean!, $b: Boolean = true) { viewer { id @include(if: $a) name @skip(if: $b) __typename } }"

SAME: dict[str, tuple[str, dict[str, object]]] = {
    "leaves": ("{ viewer { id name } }", {}),
    "aliases and order": ("{ b: viewer { x: name id } a: viewer { id __typename } __typename }", {}),
    "a list": (
        "{ workflows(first: 3) { edges { cursor node { id name savedAt role deletedAt } } pageInfo { endCursor } } }",
        {},
    ),
    "null": ('{ workflow(id: "missing") { id state } }', {}),
    "an object that is null twice": ('{ a: workflow(id: "missing") { id } b: workflow(id: "w0") { id } }', {}),
    "fields that merge": (
        "{ viewer { id } ... { viewer { name } } ...F } fragment F on Query { viewer { n: name } }",
        {},
    ),
    "nested fragments": (
        """
        { workflows { ...A } }
        fragment A on WorkflowConnection { edges { node { ...B } } ...C }
        fragment B on Workflow { id ... on Workflow { name } }
        fragment C on WorkflowConnection { edges { node { version } } }
        """,
        {},
    ),
    "text": ('{ workflow(id: "w0") { state version } }', {}),
    "included": (CONDITIONS, {"a": True}),
    "skipped": (CONDITIONS, {"a": False, "b": False}),
    "a condition in a fragment": (
        """
        query ($a: Boolean!) { viewer { id } ...F @include(if: $a) }
        fragment F on Query { v: viewer { id @skip(if: $a) name } }
        """,
        {"a": True},
    ),
    "an error of a root field that may be null": ('{ workflow(id: "broken") { id } viewer { id } }', {}),
    "an error of a root field that may not": ("{ workflows(first: 0) { edges { cursor } } viewer { id } }", {}),
    "an error below something that may be null": ('{ workflow(id: "w1") { id state } viewer { id } }', {}),
    "two errors below it": ('{ workflow(id: "w1") { id state members { userId } } viewer { id } }', {}),
    "errors in a list": ("{ workflows(first: 3) { edges { node { state } } } }", {}),
    "a list that is none": ('{ workflow(id: "w0") { conflicts { id } } }', {}),
    "an enum that is none": ('{ workflow(id: "w0") { id members { role } } }', {}),
    "one mutation after the other": (f"mutation {{ a: {RENAME % 'x'} b: {RENAME % 'y'} }}", {}),
    "no mutation after one that failed": (f"mutation {{ a: {RENAME % ''} b: {RENAME % 'y'} }}", {}),
    "an input": (SAVE, {"i": {"id": "w", "state": {"n": 1}, "baseVersion": 3, "mode": "STRICT", "changes": None}}),
    "an input with changes": (
        SAVE,
        {"i": {"id": 7, "changes": [{"path": ["a"], "value": None}, {"path": "b", "remove": True}]}},
    ),
    "an input with nulls": (SAVE, {"i": {"id": "w", "state": None, "mode": None, "baseVersion": None, "dryRun": None}}),
    "an input in the text": (
        """
        mutation ($s: JSON, $c: [ChangeInput!]) {
          a: syncWorkflow(input: {id: "w", state: $s}) { id }
          b: syncWorkflow(input: {id: "w", changes: $c, mode: OVERWRITE}) { id }
        }
        """,
        {"s": {"n": [1, None]}, "c": {"path": ["a"], "order": ["x"]}},
    ),
    "variables that are left out": (
        "query ($n: Int = 1, $a: String) { workflows(first: $n, after: $a) { edges { node { id } } } }",
        {},
    ),
    "a variable that is not declared": (
        "query ($n: Int) { workflows(first: $n) { edges { node { id } } } }",
        {"n": 1, "m": 2},
    ),
    "the schema": (get_introspection_query(), {}),
    "a type": (
        """
        query ($t: String!) {
          __type(name: $t) { name fields(includeDeprecated: true) { name type { kind ofType { name } } } }
          viewer { id }
        }
        """,
        {"t": "Workflow"},
    ),
    "a type that is none": ('{ __type(name: "Nothing") { name } }', {}),
    "too few variables": (SAVE, {}),
    "null for what may not be null": (SAVE, {"i": None}),
    "an input of another type": (SAVE, {"i": [1]}),
    "unknown members": (SAVE, {"i": {"id": "w", "userId": "eve", "state": {}}}),
    "missing members": (SAVE, {"i": {"state": {}}}),
    "members of other types": (
        SAVE,
        {"i": {"id": {}, "mode": "FAST", "baseVersion": 2**31, "changes": [{"path": [1]}]}},
    ),
    "a change that is none": (SAVE, {"i": {"id": "w", "changes": [{"path": ["a"]}]}}),
    "an item that may not be null": (SAVE, {"i": {"id": "w", "changes": [None]}}),
}


@pytest.mark.parametrize("name", SAME)
async def test_a_plan_gives_what_the_executor_gives(
    context: Context, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, variables = SAME[name]
    assert not schema.document(text).errors
    monkeypatch.setattr(type(schema), "process_errors", lambda *_: None)  # which both call
    expected = await schema.execute(text, variable_values=variables, context_value=context)
    for _ in range(2):
        assert shown(await schema.run(text, variables, context)) == shown(expected)


async def test_a_condition_that_is_null_is_refused(context: Context) -> None:
    result = await schema.run(CONDITIONS, {"a": True, "b": None}, context)
    assert result.data is None
    assert result.errors is not None
    (error,) = result.errors
    assert (failures.code(error), error.path) == ("BAD_USER_INPUT", None)


async def test_only_so_many_selections_of_one_operation_are_kept(context: Context) -> None:
    names = [f"v{number}" for number in range(4)]
    fields = " ".join(f"{name}: id @include(if: ${name})" for name in names)
    text = f"query ({' '.join(f'${name}: Boolean!' for name in names)}) {{ viewer {{ id {fields} }} }}"
    for number in range(16):
        chosen = {name: bool(number & 1 << bit) for bit, name in enumerate(names)}
        data = (await schema.run(text, chosen, context)).data
        assert data == {"viewer": {"id": "ada"} | {name: "ada" for name in names if chosen[name]}}
    assert len(schema.document(text).plan(None)._selected) <= KEPT_SELECTIONS


@pytest.mark.parametrize(("fields", "is_kept"), [(11, True), (13, False)])
async def test_a_selection_that_fragments_make_large_is_not_kept(
    context: Context, fields: int, *, is_kept: bool
) -> None:
    viewers = " ".join(f"v{number}: viewer {{ ...F }}" for number in range(40))
    aliases = " ".join(f"f{number}: id" for number in range(fields - 3))
    text = f"{{ {viewers} }} fragment F on Viewer {{ id name __typename {aliases} }}"
    data = (await schema.run(text, {}, context)).data
    assert data is not None
    assert [len(viewer) for viewer in data.values()] == [fields] * 40
    assert bool(schema.document(text).plan(None)._selected) is is_kept
