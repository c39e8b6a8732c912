"""Graphs that meet in a merge: sound ones in every shape, and what editors make of them, which is sound again."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from hypothesis.strategies import SearchStrategy

from tests.merge.dice import Dice, dice

Document = dict[str, Any]

ELEMENTS = ["a", "b", "c", "d"]
EDGES = ["1", "2", "3", "4", "5"]
GROUPS = [("loops", "l"), ("loops", "m"), ("parallels", "l")]


@dataclass
class Drawing:
    """A graph under an editor's hands: elements and edges by id, the members of groups by kind and id."""

    elements: dict[str, Document] = field(default_factory=dict)
    edges: dict[str, Document] = field(default_factory=dict)
    groups: dict[tuple[str, str], list[str]] = field(default_factory=dict)


def _edit(drawing: Drawing, dice: Dice) -> None:
    """Do one thing; where it makes no sense, nothing."""
    dice.pick(
        [
            _set,
            _set,
            _set,
            _remove,
            _remove,
            _add,
            _add,
            _connect,
            _connect,
            _disconnect,
            _label,
            _join,
            _join,
            _leave,
            _dissolve,
        ]
    )(drawing, dice)


def _set(drawing: Drawing, dice: Dice) -> None:
    if (element := dice.pick(ELEMENTS)) in drawing.elements:
        drawing.elements[element][dice.pick(["x", "y"])] = dice.number(4)


def _remove(drawing: Drawing, dice: Dice) -> None:
    element = dice.pick(ELEMENTS)
    drawing.elements.pop(element, None)
    drawing.edges = {
        key: edge for key, edge in drawing.edges.items() if element not in (edge["source"], edge["target"])
    }
    for members in drawing.groups.values():
        members[:] = [member for member in members if member != element]


def _add(drawing: Drawing, dice: Dice) -> None:
    drawing.elements.setdefault(dice.pick(ELEMENTS), {"x": dice.number(4)})


def _connect(drawing: Drawing, dice: Dice) -> None:
    """Draw an edge, or turn one; no two join the same elements."""
    edge, source, target = dice.pick(EDGES), dice.pick(ELEMENTS), dice.pick(ELEMENTS)
    pairs = {(edge["source"], edge["target"]) for edge in drawing.edges.values()}
    if {source, target} <= drawing.elements.keys() and (source, target) not in pairs:
        drawing.edges[edge] = {"id": edge, "source": source, "target": target}


def _disconnect(drawing: Drawing, dice: Dice) -> None:
    drawing.edges.pop(dice.pick(EDGES), None)


def _label(drawing: Drawing, dice: Dice) -> None:
    if (edge := dice.pick(EDGES)) in drawing.edges:
        drawing.edges[edge]["label"] = dice.number(4)


def _join(drawing: Drawing, dice: Dice) -> None:
    element, members = dice.pick(ELEMENTS), drawing.groups.setdefault(dice.pick(GROUPS), [])
    if element in drawing.elements and element not in members:
        members.append(element)


def _leave(drawing: Drawing, dice: Dice) -> None:
    element, members = dice.pick(ELEMENTS), drawing.groups.get(dice.pick(GROUPS), [])
    if element in members:
        members.remove(element)


def _dissolve(drawing: Drawing, dice: Dice) -> None:
    drawing.groups.pop(dice.pick(GROUPS), None)


def edited(drawing: Drawing, dice: Dice, *, most: int) -> Drawing:
    """Give what becomes of a drawing by a few edits; it stays as it is."""
    result = deepcopy(drawing)
    for _ in range(dice.number(most + 1)):
        _edit(result, dice)
    return result


def sim(drawing: Drawing) -> Document:
    return {"blocks": drawing.elements, "edges": list(drawing.edges.values()), **_groups(drawing)}


def flowise(drawing: Drawing) -> Document:
    nodes = [{"id": key, **element} for key, element in drawing.elements.items()]
    return {"nodes": nodes, "edges": list(drawing.edges.values()), **_groups(drawing)}


def langflow(drawing: Drawing) -> Document:
    return {"data": flowise(drawing), "name": "flow"}


def _groups(drawing: Drawing) -> Document:
    found: Document = {"loops": {}, "parallels": {}}
    for (kind, name), members in drawing.groups.items():
        found[kind][name] = {"id": name, "nodes": members}
    return found


Shape = Callable[[Drawing], Document]
SHAPES: list[Shape] = [sim, flowise, langflow]


def read(document: Document) -> Drawing:
    """Read the drawing that a document shows."""
    graph = document.get("data", document)
    groups = ((kind, *group) for kind in ("loops", "parallels") for group in graph.get(kind, {}).items())
    return Drawing(
        graph["blocks"] if "blocks" in graph else {node["id"]: node for node in graph.get("nodes", [])},
        {edge["id"]: edge for edge in graph.get("edges", [])},
        {(kind, name): group.get("nodes", []) for kind, name, group in groups},
    )


def is_graph(document: Document) -> bool:
    """Say whether a document has a map or a list of elements: without one it is stored as it is."""
    return not {"blocks", "nodes"}.isdisjoint(document.get("data", document))


def is_sound(document: Document) -> bool:
    """Say whether edges end, and loops and parallels have their members, at elements that are there."""
    drawing = read(document)
    ends = {edge[end] for edge in drawing.edges.values() for end in ("source", "target")}
    return ends.union(*drawing.groups.values()) <= drawing.elements.keys()


def drawn(dice: Dice, shape: Shape) -> Document:
    """Draw a document."""
    return shape(_base(dice))


def redrawn(dice: Dice, document: Document, shape: Shape) -> Document:
    """Give what becomes of a document by a few edits; it stays as it is."""
    return deepcopy(shape(edited(read(document), dice, most=8)))


def _base(dice: Dice) -> Drawing:
    return edited(Drawing({key: {"x": 0, "y": 0} for key in ELEMENTS[dice.number(3) :]}), dice, most=12)


def _meeting(dice: Dice) -> list[Document]:
    """Make a base, and three documents of it, each by an editor of their own."""
    base = _base(dice)
    shape = dice.pick(SHAPES)
    return [deepcopy(shape(drawing)) for drawing in (base, *(edited(base, dice, most=9) for _ in range(3)))]


MEETINGS: SearchStrategy[list[Document]] = dice(200).map(_meeting)
