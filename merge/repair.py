"""Graph repair: what was sound on both sides of a merge and is broken in the result is taken out, and told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from merge import apply, graphs, values
from merge.changes import Change, Path
from merge.graphs import Graph
from merge.values import Document, Value


class Reason(StrEnum):
    """Why something was taken out."""

    END_MISSING = "END_MISSING"  # an edge whose source or target is gone
    DUPLICATE = "DUPLICATE"  # an edge that both sides added, each under an id of its own
    MEMBER_MISSING = "MEMBER_MISSING"  # a member of a loop or parallel that is gone


@dataclass(frozen=True, slots=True)
class Repair:
    """One thing that was taken out.

    `path` is the edge's; that of its list where edges have no ids, and where it is a member of a loop or parallel.
    """

    path: Path
    reason: Reason
    removed: Value


def repair(merged: Document, yours: Document, theirs: Document) -> tuple[Document, tuple[Repair, ...]]:
    """Mend what a merge broke. What was broken in yours or theirs already is its editor's own business."""
    repairs: list[Repair] = []
    changes: list[Change] = []
    of_yours, of_theirs = graphs.read(yours), graphs.read(theirs)
    for owner, graph in graphs.read(merged).items():
        sides = graph, of_yours.get(owner, graphs.EMPTY), of_theirs.get(owner, graphs.EMPTY)
        for path, kept, found in (*_mended_edges(owner, *sides), *_mended_groups(*sides)):
            changes.append(Change(path, value=kept))
            repairs += found
    return apply.apply(merged, changes), tuple(repairs)


Mended = Iterator[tuple[Path, list[Value], list[Repair]]]  # a list's path, what stays in it, what was taken out


def _mended_edges(owner: Path, merged: Graph, yours: Graph, theirs: Graph) -> Mended:
    path = (*owner, graphs.EDGES)
    broken: dict[str, Reason] = {}
    if not any(side.listed is merged.listed for side in _left_whole(merged, yours, theirs)):
        broken |= dict.fromkeys(_loose(merged) - _loose(yours) - _loose(theirs), Reason.END_MISSING)
    broken |= dict.fromkeys(_added_twice(merged, yours, theirs), Reason.DUPLICATE)
    if broken:
        kept = [edge for key, edge in merged.edges if key not in broken]
        gone = [(key, edge) for key, edge in merged.edges if key in broken]
        yield path, kept, [Repair(_address(path, key, edge), broken[key], edge) for key, edge in gone]


def _address(path: Path, key: str, edge: Value) -> Path:
    """Give the path of an edge, or of its list where it goes by its content."""
    return (*path, key) if isinstance(edge, dict) and edge.get("id") == key else path


def _left_whole(merged: Graph, *sides: Graph) -> list[Graph]:
    """Give the sides that lost no element: the very edges and members that they have are as sound as before.

    Others may be older than both sides: what came back with an edit inside it is as it was when it was removed.
    """
    return [side for side in sides if side.elements <= merged.elements]


def _loose(graph: Graph) -> set[str]:
    """Find the edges that end at nothing."""
    return {key for key, edge in graph.edges if not graphs.ends(edge) <= graph.elements}


def _added_twice(merged: Graph, yours: Graph, theirs: Graph) -> set[str]:
    """Find the edges that only yours has, where only theirs has one that differs in nothing but the id."""
    if merged.listed is yours.listed or merged.listed is theirs.listed:
        return set()
    in_yours, in_theirs = ({key for key, _ in side.edges} for side in (yours, theirs))
    only_yours, only_theirs = in_yours - in_theirs, in_theirs - in_yours
    if not (only_yours and only_theirs):
        return set()
    left = {key: edge for key, edge in merged.edges if graphs.ends(edge)}
    known = {_content(edge) for key, edge in left.items() if key in only_theirs}
    return {key for key, edge in left.items() if key in only_yours and _content(edge) in known}


def _content(edge: Value) -> bytes:
    assert isinstance(edge, dict)  # it has ends
    return values.canonical({name: value for name, value in edge.items() if name != "id"})


def _mended_groups(merged: Graph, yours: Graph, theirs: Graph) -> Mended:
    sides = _left_whole(merged, yours, theirs)
    for path, members in merged.members.items():
        if any(side.members.get(path) is members for side in sides):
            continue
        gone = _missing(merged, path) - _missing(yours, path) - _missing(theirs, path)
        found = [member for member in members if isinstance(member, str) and member in gone]
        if found:
            kept = [member for member in members if not isinstance(member, str) or member not in gone]
            yield path, kept, [Repair(path, Reason.MEMBER_MISSING, member) for member in found]


def _missing(graph: Graph, path: Path) -> set[str]:
    """Find the members of a group that are no elements."""
    return {member for member in graph.members.get(path, ()) if isinstance(member, str)} - graph.elements


def to_json(found: Repair) -> dict[str, Any]:
    """Write a repair for the journal."""
    return {"path": found.path, "reason": found.reason, "removed": found.removed}


def from_json(encoded: Mapping[str, Any]) -> Repair:
    """Read a repair that `to_json` wrote."""
    return Repair(tuple(encoded["path"]), Reason(encoded["reason"]), encoded["removed"])
