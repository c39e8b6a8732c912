"""Elements that come back, and the edges that come with them. Single cases are told in tests/vectors."""

from itertools import pairwise

import pytest
from hypothesis import given

from merge import diff, three_way
from merge.changes import ABSENT, Path
from merge.three_way import Merged
from tests.merge import drawings
from tests.merge.drawings import Document
from tests.merge.meetings import Value

A_B = {"id": "ab", "source": "a", "target": "b"}


def merge(base: Document, yours: Document, *theirs: Document) -> Merged:
    saves = [diff.diff(before, after) for before, after in pairwise((base, *theirs))]
    return three_way.merge(base, yours, (base, *theirs)[-1], saves)


def held(document: Document) -> Document:
    graph: Document = document.get("data", document)
    return graph


def edges(document: Document) -> dict[str, Document]:
    return {edge["id"]: edge for edge in held(document)["edges"]}


def elements(document: Document) -> set[str]:
    graph = held(document)
    return {node["id"] for node in graph["nodes"]} if "nodes" in graph else set(graph["blocks"])


def is_element(path: Path) -> bool:
    return path[-2] in {"blocks", "nodes"} and "loops" not in path and "parallels" not in path


def ends(edge: Document) -> set[str]:
    return {edge["source"], edge["target"]}


@given(drawings.MEETINGS)
def test_edges_that_one_save_removed_with_an_element_come_back_with_it(meeting: list[Document]) -> None:
    base, yours, theirs, _ = meeting
    merged = merge(base, yours, theirs)
    for collision in merged.collisions:
        if is_element(collision.path) and ABSENT in (collision.yours, collision.theirs):
            remover, editor = (yours, theirs) if collision.yours is ABSENT else (theirs, yours)
            for key, edge in edges(base).items():
                went = key not in edges(remover) and key in edges(editor) and collision.path[-1] in ends(edge)
                if went and ends(edges(editor)[key]) <= elements(merged.document):
                    assert key in edges(merged.document)


@given(drawings.MEETINGS)
def test_no_other_edge_comes_back(meeting: list[Document]) -> None:
    base, yours, theirs, _ = meeting
    merged = merge(base, yours, theirs)
    back = {collision.path[-1] for collision in merged.collisions}
    for key in edges(base).keys() & edges(merged.document).keys():
        if key not in edges(yours) or key not in edges(theirs):
            assert key in back or ends(edges(merged.document)[key]) & back


@given(drawings.MEETINGS)
def test_an_edge_comes_back_only_to_both_its_ends(meeting: list[Document]) -> None:
    base, yours, theirs, _ = meeting
    merged = merge(base, yours, theirs)
    collided = {collision.path[-1] for collision in merged.collisions if "edges" in collision.path}
    for key in (edges(yours).keys() ^ edges(theirs).keys()) & edges(base).keys() & edges(merged.document).keys():
        assert key in collided or ends(edges(merged.document)[key]) <= elements(merged.document)


@pytest.mark.parametrize("standing", ["none", None, 5, {"ab": A_B}, [{"source": "a"}]])
def test_edges_that_became_something_else_are_not_written_over(standing: Value) -> None:
    base: Document = {"nodes": [{"id": "a"}, {"id": "b"}], "edges": [A_B]}
    removed: Document = {"nodes": [{"id": "a"}], "edges": []}
    yours: Document = {"nodes": [{"id": "a"}, {"id": "b", "x": 1}], "edges": [A_B]}
    merged = merge(base, yours, removed, {**removed, "edges": standing})
    assert merged.document == {"nodes": yours["nodes"], "edges": standing}


def test_an_edge_that_was_drawn_anew_is_not_written_over_by_the_old_one() -> None:
    base: Document = {"blocks": {"a": {}, "b": {"x": 0}}, "edges": [A_B]}
    removed: Document = {"blocks": {"a": {}}, "edges": []}
    anew: Document = {"blocks": {"a": {}}, "edges": [{"id": "ab", "source": "a", "target": "a"}]}
    yours: Document = {"blocks": {"a": {}, "b": {"x": 1}}, "edges": [A_B]}
    assert merge(base, yours, removed, anew).document == {"blocks": yours["blocks"], "edges": anew["edges"]}


def test_edges_of_one_graph_do_not_come_back_with_an_element_of_another() -> None:
    base: Document = {name: {"nodes": [{"id": "a"}, {"id": "b"}], "edges": [A_B]} for name in ("one", "two")}
    theirs: Document = {"one": {"nodes": [{"id": "a"}], "edges": []}, "two": {**base["two"], "edges": []}}
    yours: Document = {**base, "one": {"nodes": [{"id": "a"}, {"id": "b", "x": 1}], "edges": [A_B]}}
    merged = merge(base, yours, theirs).document
    assert merged == {"one": yours["one"], "two": {**base["two"], "edges": []}}


def test_two_graphs_come_back_each_with_its_edges() -> None:
    base: Document = {name: {"nodes": [{"id": "a"}, {"id": "b"}], "edges": [A_B]} for name in ("one", "two")}
    theirs: Document = {name: {"nodes": [{"id": "a"}], "edges": []} for name in ("one", "two")}
    yours: Document = {name: {"nodes": [{"id": "a"}, {"id": "b", "x": 1}], "edges": [A_B]} for name in ("one", "two")}
    assert merge(base, yours, theirs).document == yours
    assert merge(base, theirs, yours).document == yours


def test_a_map_of_nodes_one_level_down_comes_back_with_its_edges() -> None:
    base: Document = {"data": {"nodes": [{"id": "a"}, {"id": "b"}], "edges": [A_B], "x": 0}}
    edited: Document = {"data": {"nodes": [{"id": "a"}, {"id": "b", "x": 1}], "edges": [A_B], "x": 0}}
    removed: Document = {"data": {"x": 0}}
    assert merge(base, edited, removed).document == edited
    assert merge(base, removed, edited).document == edited


def test_the_member_of_a_loop_that_comes_back_does_not_join_the_loop_again() -> None:
    """Editors work out the members of loops from the blocks; what a save took out of a loop on purpose stays out."""
    base: Document = {"blocks": {"a": {"x": 0}}, "loops": {"l": {"nodes": ["a"]}}}
    theirs: Document = {"blocks": {}, "loops": {"l": {"nodes": []}}}
    yours: Document = {"blocks": {"a": {"x": 1}}, "loops": {"l": {"nodes": ["a"]}}}
    assert merge(base, yours, theirs).document == {"blocks": {"a": {"x": 1}}, "loops": {"l": {"nodes": []}}}
