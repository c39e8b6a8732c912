"""Elements that one side removed and the other edited come back; with them, the edges that went at the same time."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from merge import apply, graphs, order, shapes, values
from merge.changes import Change, Path
from merge.touched import Touched
from merge.values import Document, Value

Edges = Mapping[str, Value]  # by id


@dataclass(frozen=True, slots=True)
class Sides:
    """The documents of a three-way merge, and what became of them."""

    base: Document
    yours: Document
    theirs: Document
    merged: Document


def with_edges(
    sides: Sides, touched: Touched, *, removed_by_yours: Collection[Path], removed_by_theirs: Collection[Path]
) -> Document:
    """Bring back the edges of what came back: those that the same save removed, as far as their ends exist.

    Where edges have no ids of their own, their list is one value, and stays as it was merged.
    """
    merged = sides.merged
    your_removals, their_removals = _by_owner(removed_by_yours), _by_owner(removed_by_theirs)
    for owner in your_removals | their_removals:
        edges = _Edges.of(sides, owner)
        if edges is not None:
            back = dict(edges.gone_with_yours(_ids(merged, your_removals.get(owner, ())).keys()))
            back |= edges.gone_with_theirs(_ids(merged, their_removals.get(owner, ())), touched)
            merged = apply.apply(merged, edges.put(back, graphs.read(merged).get(owner, graphs.EMPTY).elements))
    return merged


def _by_owner(paths: Collection[Path]) -> dict[Path, list[Path]]:
    """Sort the paths of elements, and of whole maps of them, by the graph that they belong to; leave out others."""
    found: defaultdict[Path, list[Path]] = defaultdict(list)
    for path in paths:
        if graphs.is_element(path):
            found[path[:-2]].append(path)
        elif graphs.is_map(path):
            found[path[:-1]].append(path)
    return found


def _ids(document: Document, paths: Collection[Path]) -> dict[str, Path]:
    """Give the ids of the elements that came back, each with the path that was removed: its own, or its map's."""
    ids = {path[-1]: path for path in paths if graphs.is_element(path)}
    maps = shapes.maps(document) if len(ids) < len(paths) else {}
    return {key: path for path in paths for key in maps.get(path, ())} | ids


@dataclass(frozen=True, slots=True)
class _Edges:
    """The edges of one graph, at `path`, as each side has them."""

    path: Path
    base: Edges
    yours: Edges
    theirs: Edges
    merged: Edges

    @classmethod
    def of(cls, sides: Sides, owner: Path) -> "_Edges | None":
        """Read the edges of a graph by their ids; None where some have none."""
        documents = (sides.base, sides.yours, sides.theirs, sides.merged)
        base, yours, theirs, merged = (_by_id(document, owner) for document in documents)
        if base is None or yours is None or theirs is None or merged is None:
            return None
        return cls((*owner, graphs.EDGES), base, yours, theirs, merged)

    def gone_with_yours(self, elements: AbstractSet[str]) -> Iterator[tuple[str, Value]]:
        """Find the edges of elements that theirs still has. Those that the merge has not went with yours."""
        return ((key, edge) for key, edge in self.theirs.items() if graphs.ends(edge) & elements)

    def gone_with_theirs(self, elements: Mapping[str, Path], touched: Touched) -> Iterator[tuple[str, Value]]:
        """Find the edges that one save of theirs removed together with an element, and yours did not."""
        for save, together in _by_save(elements, touched).items():
            for key, edge in touched.removals(save, self.path):
                if (key in self.yours or key not in self.base) and graphs.ends(edge) & together:
                    yield key, edge

    def put(self, back: Edges, elements: AbstractSet[str]) -> list[Change]:
        """Say how those of the edges whose ends exist go back into the merged document."""
        new = {key: edge for key, edge in back.items() if key not in self.merged and graphs.ends(edge) <= elements}
        if not new:
            return []
        edges = {**self.merged, **new}
        ordered = order.merge(self.base, self.yours, self.theirs, edges)
        return [Change(self.path, value=[edges[key] for key in ordered])]


def _by_id(document: Document, owner: Path) -> Edges | None:
    held = document.get(owner[0]) if owner else document
    edges = held.get(graphs.EDGES, []) if isinstance(held, dict) else []
    return values.by_id(edges) if isinstance(edges, list) else None


def _by_save(elements: Mapping[str, Path], touched: Touched) -> dict[int, set[str]]:
    """Sort elements by the save that removed them."""
    found: defaultdict[int, set[str]] = defaultdict(set)
    for key, path in elements.items():
        if (removed := touched.removed(path)) is not None:
            found[removed.save].add(key)
    return found
