"""Saves that wipe what was drawn are recognised, whichever editor drew it."""

import pytest

from merge import shapes
from tests import documents
from tests.documents import Document


def nodes(*ids: object) -> list[Document]:
    return [{"id": node} for node in ids]


WIPED: dict[str, tuple[Document, Document]] = {
    "no blocks are left": ({"blocks": {"a": {}, "b": {}}, "edges": []}, {"blocks": {}, "edges": []}),
    "the map of blocks is gone": ({"blocks": {"a": {}}, "edges": []}, {"edges": []}),
    "the map of blocks is null": ({"blocks": {"a": {}}}, {"blocks": None}),
    "the map of blocks is a list": ({"blocks": {"a": {}}}, {"blocks": []}),
    "the blocks are null": ({"blocks": {"a": {}}}, {"blocks": {"a": None}}),
    "nothing is left at all": ({"blocks": {"a": {}}}, {}),
    "all blocks are others": ({"blocks": {"a": {}}}, {"blocks": {"b": {}}}),
    "no nodes are left": ({"nodes": nodes("a", "b"), "edges": []}, {"nodes": [], "edges": []}),
    "the list of nodes is gone": ({"nodes": nodes("a")}, {"edges": []}),
    "all nodes are others": ({"nodes": nodes("a")}, {"nodes": nodes("b")}),
    "nodes one level down": ({"data": {"nodes": nodes("a")}, "name": "x"}, {"data": {"nodes": []}, "name": "x"}),
    "what holds the nodes is gone": ({"data": {"nodes": nodes("a")}, "name": "x"}, {"name": "x"}),
    "blocks one level down": ({"state": {"blocks": {"a": {}}}}, {"state": {"blocks": {}}}),
    "one of two maps": (
        {"blocks": {"a": {}}, "data": {"nodes": nodes("b")}},
        {"blocks": {}, "data": {"nodes": nodes("b")}},
    ),
    "nodes whose ids are numbers": ({"nodes": nodes(1, 2)}, {"nodes": nodes(3)}),
    "nodes without ids": ({"nodes": [{"x": 1}]}, {"nodes": []}),
    "no key is left of an unknown shape": ({"cells": [1, 2]}, {}),
    "no key is left of a document without blocks": ({"blocks": {}, "variables": {"x": 1}}, {}),
}

KEPT: dict[str, tuple[Document, Document]] = {
    "one block is left": ({"blocks": {"a": {}, "b": {}}}, {"blocks": {"b": {}}}),
    "one node is left": ({"nodes": nodes("a", "b")}, {"nodes": nodes("c", "b")}),
    "one node one level down is left": ({"data": {"nodes": nodes("a", "b")}}, {"data": {"nodes": nodes("a")}}),
    "only edges went": ({"blocks": {"a": {}}, "edges": [{"id": "e"}]}, {"blocks": {"a": {}}, "edges": []}),
    "there were no blocks": ({"blocks": {}, "edges": []}, {"blocks": {}}),
    "there was no document": ({}, {}),
    "the document began empty": ({}, {"blocks": {}}),
    "an unknown shape keeps a key": ({"cells": [1, 2], "rows": 3}, {"rows": 3}),
    "names that are called nodes": ({"selection": {"nodes": ["a"]}}, {"selection": {"nodes": []}}),
    "a number that is called blocks": ({"blocks": 3, "x": 1}, {"x": 1}),
    "nodes two levels down are not looked for": ({"a": {"b": {"nodes": nodes("a")}}}, {"a": {}}),
    "a selection that was empty": ({"blocks": {"a": {}}, "selection": {"nodes": []}}, {"blocks": {"a": {}}}),
}


@pytest.mark.parametrize(("base", "result"), WIPED.values(), ids=WIPED.keys())
def test_a_save_that_wipes_everything_is_recognised(base: Document, result: Document) -> None:
    assert shapes.empties(base, result)


@pytest.mark.parametrize(("base", "result"), KEPT.values(), ids=KEPT.keys())
def test_other_saves_are_not(base: Document, result: Document) -> None:
    assert not shapes.empties(base, result)


@pytest.mark.parametrize("document", documents.EVERY_DOCUMENT)
def test_every_editor_s_documents_are_guarded(document: Document) -> None:
    assert not shapes.empties(document, document)
    assert shapes.empties(document, dict.fromkeys(document))
    assert shapes.empties(document, _hollow(document))


def _hollow(document: Document) -> Document:
    """Make what a page sends that has not loaded its document yet: every list and every map is there, and empty."""
    if "data" in document:
        return document | {"data": _hollow(document["data"])}
    return {key: type(member)() if isinstance(member, dict | list) else member for key, member in document.items()}


def test_maps_are_found_with_the_ids_in_them() -> None:
    document: Document = {
        "blocks": {"a": {}, "b": 1},
        "data": {"nodes": nodes("c"), "blocks": {}},
        "selection": {"nodes": ["c"]},
        "more": {"deeper": {"nodes": nodes("d")}},
    }
    assert shapes.maps(document) == {("blocks",): {"a"}, ("data", "nodes"): {"c"}, ("data", "blocks"): set()}
