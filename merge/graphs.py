"""Graphs in documents: elements (blocks or nodes), the edges between them, the loops and parallels around them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from merge import shapes, values
from merge.changes import Path
from merge.values import Document, Value

ELEMENTS = ("blocks", "nodes")
EDGES = "edges"
GROUPS = ("loops", "parallels")


def is_membership(path: Path) -> bool:
    """Say whether a path is that of the members of a loop or parallel."""
    return len(path) in (3, 4) and path[-1] == "nodes" and path[-3] in GROUPS


def is_element(path: Path) -> bool:
    """Say whether a path is that of a block or node of a graph."""
    return len(path) in (2, 3) and path[-2] in ELEMENTS


def is_map(path: Path) -> bool:
    """Say whether a path is that of all the blocks or nodes of a graph."""
    return len(path) in (1, 2) and path[-1] in ELEMENTS and not is_element(path)


def ends(edge: Value) -> set[str]:
    """Give the ids of the elements that an edge joins, as far as it names them."""
    if not isinstance(edge, dict):
        return set()
    return {end for end in (edge.get("source"), edge.get("target")) if isinstance(end, str)}


@dataclass(frozen=True)  # without slots: `edges` are read where somebody needs them, and but once
class Graph:
    """One graph in one document: the ids of its elements, its list of edges, the members of each group by its path."""

    elements: set[str]
    listed: list[Value]
    members: Mapping[Path, list[Value]]

    @cached_property
    def edges(self) -> list[tuple[str, Value]]:
        """Give the edges with their ids, or with their whole content where their list is not keyed."""
        items = values.by_id(self.listed)
        if items is None:
            return [(values.canonical(edge).decode(), edge) for edge in self.listed]
        return list(items.items())


EMPTY = Graph(set(), [], {})


def read(document: Document) -> dict[Path, Graph]:
    """Read the graphs of a document by the path of the object that holds each: the document, or one a level down."""
    found: dict[Path, Graph] = {}
    for path, ids in shapes.maps(document).items():
        owner = path[:-1]
        if owner not in found:
            held = document[owner[0]] if owner else document
            assert isinstance(held, dict)  # it has a map of elements
            found[owner] = Graph(set(), _listed(held.get(EDGES)), dict(_members(held, owner)))
        found[owner].elements.update(ids)
    return found


def _listed(value: Value) -> list[Value]:
    return value if isinstance(value, list) else []


def _members(held: Document, owner: Path) -> Iterator[tuple[Path, list[Value]]]:
    for kind in GROUPS:
        groups = held.get(kind)
        for name, group in groups.items() if isinstance(groups, dict) else ():
            nodes = group.get("nodes") if isinstance(group, dict) else None
            if isinstance(nodes, list):
                yield (*owner, kind, name, "nodes"), nodes
