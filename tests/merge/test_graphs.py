"""Graphs, found in documents of every shape."""

import pytest

from merge import graphs, values
from merge.changes import Path
from merge.graphs import Graph
from tests import documents
from tests.merge.meetings import Document, Value

A: Document = {"id": "a"}
B: Document = {"id": "b"}
AB: Document = {"id": "ab", "source": "a", "target": "b"}


def test_blocks_edges_loops_and_parallels_are_a_graph() -> None:
    groups: Document = {"loops": {"l": {"nodes": ["a"]}}, "parallels": {"p": {"nodes": ["b", "a"]}}}
    found = graphs.read({"blocks": {"a": {}, "b": {}}, "edges": [AB], **groups})
    members: dict[Path, Value] = {("loops", "l", "nodes"): ["a"], ("parallels", "p", "nodes"): ["b", "a"]}
    assert found == {(): Graph({"a", "b"}, [AB], members)}


def test_nodes_and_edges_are_a_graph() -> None:
    assert graphs.read({"nodes": [A, B], "edges": [AB]}) == {(): Graph({"a", "b"}, [AB], {})}


def test_a_graph_may_be_one_level_down() -> None:
    found = graphs.read({"data": {"nodes": [A], "loops": {"l": {"nodes": ["a"]}}}, "name": "x"})
    assert found == {("data",): Graph({"a"}, [], {("data", "loops", "l", "nodes"): ["a"]})}


def test_a_document_may_hold_several_graphs() -> None:
    found = graphs.read({"blocks": {"a": {}}, "one": {"nodes": [A]}, "two": {"nodes": [B], "edges": [AB]}})
    assert {owner: graph.elements for owner, graph in found.items()} == {(): {"a"}, ("one",): {"a"}, ("two",): {"b"}}
    assert [graph.edges for graph in found.values()] == [[], [], [("ab", AB)]]


def test_blocks_and_nodes_side_by_side_are_the_elements_of_one_graph() -> None:
    assert graphs.read({"blocks": {"a": {}}, "nodes": [B]})[()].elements == {"a", "b"}


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"edges": [AB]},
        {"blocks": "none", "nodes": None},
        {"nodes": ["a", "b"], "edges": []},
        {"steps": {"deep": {"nodes": [A]}}},
        {"list": [{"nodes": [A]}]},
    ],
)
def test_other_documents_hold_no_graph(document: Document) -> None:
    assert graphs.read(document) == {}


@pytest.mark.parametrize("edges", [{"ab": AB}, "none", None, 5])
def test_edges_that_are_no_list_are_none(edges: Value) -> None:
    assert graphs.read({"nodes": [A], "edges": edges})[()].edges == []


def test_edges_of_a_list_that_is_not_keyed_go_by_their_content() -> None:
    twice: list[Value] = [AB, {**AB, "target": "c"}, "text"]
    assert graphs.read({"nodes": [A], "edges": twice})[()].edges == [
        (values.canonical(edge).decode(), edge) for edge in twice
    ]


@pytest.mark.parametrize("loops", [["a"], "none", {"l": 5}, {"l": {}}, {"l": {"nodes": "a"}}, {"l": {"nodes": {}}}])
def test_groups_without_a_list_of_members_have_none(loops: Value) -> None:
    assert graphs.read({"blocks": {"a": {}}, "loops": loops})[()].members == {}


@pytest.mark.parametrize(
    ("edge", "ends"),
    [
        (AB, {"a", "b"}),
        ({"source": "a", "target": "a"}, {"a"}),
        ({"source": "a"}, {"a"}),
        ({"source": 1, "target": None}, set()),
        ({"source": {"id": "a"}, "target": ["b"]}, set()),
        ("ab", set()),
        (None, set()),
    ],
)
def test_the_ends_of_an_edge_are_the_elements_that_it_names(edge: Value, ends: set[str]) -> None:
    assert graphs.ends(edge) == ends


PATHS: list[tuple[Path, str]] = [
    ((), ""),
    (("blocks",), "map"),
    (("nodes",), "map"),
    (("data", "nodes"), "map"),
    (("loops", "nodes"), "map"),
    (("blocks", "a"), "element"),
    (("nodes", "a"), "element"),
    (("data", "nodes", "a"), "element"),
    (("blocks", "nodes"), "element"),
    (("blocks", "nodes", "x"), "element"),
    (("blocks", "a", "x"), ""),
    (("data", "nodes", "a", "x"), ""),
    (("x", "y", "nodes"), ""),
    (("x", "y", "nodes", "a"), ""),
    (("edges",), ""),
    (("edges", "a"), ""),
    (("loops", "l"), ""),
    (("loops", "l", "nodes"), "membership"),
    (("parallels", "l", "nodes"), "membership"),
    (("data", "loops", "l", "nodes"), "membership"),
    (("x", "y", "loops", "l", "nodes"), ""),
    (("loops", "l", "nodes", "a"), ""),
    (("groups", "l", "nodes"), ""),
]


@pytest.mark.parametrize(("path", "kind"), PATHS)
def test_paths_are_told_apart(path: Path, kind: str) -> None:
    assert graphs.is_map(path) is (kind == "map")
    assert graphs.is_element(path) is (kind == "element")
    assert graphs.is_membership(path) is (kind == "membership")


@pytest.mark.parametrize("document", documents.EVERY_DOCUMENT)
def test_the_edges_of_every_known_document_end_at_its_elements(document: Document) -> None:
    found = graphs.read(document)
    assert len(found) == 1
    for graph in found.values():
        assert graph.elements
        assert all(graphs.ends(edge) <= graph.elements for _, edge in graph.edges)
