"""What an operation may read at most is known from its text, and too much is refused in words."""

import pytest
from graphql import parse

from schema import costs
from schema.build import schema


def refused(text: str) -> list[str]:
    return [error.message for error in schema.document(text).errors]


DEEPEST = "{ workflows(first: %s) { edges { node { versions(first: %s) { edges { node { state } } } } } } }"


@pytest.mark.parametrize(
    "text",
    [
        "{ workflows(first: 100) { edges { node { state } } } }",
        "query ($n: Int) { workflows(first: $n) { edges { node { state } } } }",
        '{ workflow(id: "w") { versions(first: 100) { edges { node { state changes { path value } } } } } }',
        "{ workflows { edges { node { members { userId } versions { edges { node { savedBy } } } } } } }",
        "mutation ($i: [SyncWorkflowInput!]!) { syncWorkflows(inputs: $i) { status workflow { state } } }",
        DEEPEST % (10, 10),
        "subscription ($id: ID!, $tab: ID) { presence(id: $id, clientId: $tab) { clientId userId name state at } }",
        "mutation ($id: ID!, $tab: ID!, $state: JSON) { setPresence(id: $id, clientId: $tab, state: $state) }",
    ],
)
def test_what_an_editor_needs_is_allowed(text: str) -> None:
    assert refused(text) == []


@pytest.mark.parametrize(
    "text",
    [
        DEEPEST % (100, 100),
        DEEPEST % (15, 20),
        "query ($n: Int = 1) " + DEEPEST.replace("state", "version") % ("$n", "$n"),
        "{" + " ".join(f"a{n}: workflows(first: 100) {{ edges {{ node {{ id }} }} }}" for n in range(21)) + "}",
        "{ workflows(first: 100) { edges { node { diff(from: 0) { path } } } } }",
        "mutation ($i: [SyncWorkflowInput!]!) { syncWorkflows(inputs: $i) { workflow { diff(from: 0) { path } } } }",
        """
        { workflows(first: 100) { ...A } }
        fragment A on WorkflowConnection { edges { ...B ...B ...B } }
        fragment B on WorkflowEdge { node { ... { state } } }
        """,
        """
        query Cheap { viewer { id } }
        subscription Dear { workflowSaved(id: "w") { workflow { ...V } } }
        fragment V on Workflow { a: versions(first: 100) { ...S } b: versions(first: 100) { ...S } }
        fragment S on VersionConnection { edges { node { state } } }
        """,
    ],
)
def test_what_multiplies_is_refused(text: str) -> None:
    (message,) = refused(text)
    assert "at most 2,000 are allowed" in message


def test_a_fragment_is_measured_once_however_often_it_is_spread() -> None:
    """Otherwise thirty lines would take for ever."""
    chain = "".join(f"fragment F{n} on Viewer {{ ...F{n + 1} ...F{n + 1} }} " for n in range(60))
    assert refused("{ viewer { ...F0 } } " + chain + "fragment F60 on Viewer { id }") == []


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("{ viewer { id name } }", 0),
        ('{ workflow(id: "w") { name } }', 1),
        ('{ workflow(id: "w") { state members { role } diff(from: 0) { path } } }', 1 + 10 + 1 + 20),
        ("{ workflows { pageInfo { endCursor } } }", 20),
        ("{ workflows(first: null) { edges { node { name } } } }", 100),
        ("{ workflows(first: 3) { edges { node { state } } } }", 3 * 11),
        ("{ workflows(first: -5) { edges { node { state } } } }", 5 * 11),
        ("mutation { syncWorkflows(inputs: [{id: 1}, {id: 2}]) { status } }", 2),
        ("{ ...A ...A } fragment A on Query { workflows(first: 7) { edges { cursor } } }", 14),
    ],
)
def test_costs_add_up(text: str, cost: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costs, "MOST", cost)
    assert list(costs.check(parse(text))) == []
    monkeypatch.setattr(costs, "MOST", cost - 1)
    assert len(list(costs.check(parse(text)))) == 1
