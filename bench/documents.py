"""The documents that are saved: real ones where WORKFLOW_DOCUMENTS names some, else look-alikes of the same sizes."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from merge import values
from tests import documents as samples

Document = dict[str, Any]

SIZES = ("0.2", "9", "34", "174", "350")  # kB of compact JSON
SPOTS = 4  # blocks that are moved in turn
MARK = 987_654_320  # what stands where a block will be moved to, and nowhere else

REAL = {
    "9": "sim-lead-enricher-parallel-15k",
    "34": "sim-gh-release-64k",
    "174": "langflow-simple-agent-211k",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """A document whose blocks are moved: its text, with holes named x0, x1 ... for the places, and their paths."""

    size: str
    text: bytes
    spots: tuple[tuple[str, ...], ...]


def subject(size: str) -> Subject:
    """Give the document of a size."""
    document = deepcopy(_document(size))
    spots = _spread(list(_positions(document)))
    for place, path in enumerate(spots):
        _at(document, path)["x"] = MARK + place
    text = values.dump(document)
    for place in range(len(spots)):
        before, after = text.split(b"%d" % (MARK + place))
        text = b"%b\x01x%d\x01%b" % (before, place, after)
    return Subject(size, text, tuple((*path, "x") for path in spots))


def _document(size: str) -> Document:
    real = samples.real()
    match size:
        case "0.2":
            start = {"id": "start", "type": "starter", "name": "Start", "position": {"x": 0, "y": 160}, "enabled": True}
            return {"blocks": {"start": {**start, "subBlocks": {}, "outputs": {}}}, "edges": [], "loops": {}}
        case "350" if real:
            return _twice(real[REAL["174"]])
        case _ if real:
            return real[REAL[size]]
        case _:
            shape = samples.sim if float(size) < 100 else samples.langflow
            return samples.of_size(shape, int(float(size) * 1000))


def _twice(document: Document) -> Document:
    """Put a document's nodes and edges into it a second time, as copies with ids of their own."""
    doubled = deepcopy(document)
    for name in ("nodes", "edges"):
        doubled["data"][name] += [{**deepcopy(item), "id": f"copy-{item['id']}"} for item in document["data"][name]]
    return doubled


def _positions(document: Document) -> Iterator[tuple[str, ...]]:
    """Find where the positions of blocks or nodes stand."""
    for key in document.get("blocks", {}):
        yield ("blocks", key, "position")
    if "data" in document:
        for node in document["data"]["nodes"]:
            yield ("data", "nodes", node["id"], "position")


def _spread(paths: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Pick some that lie far from each other."""
    return paths if len(paths) <= SPOTS else [paths[place * len(paths) // SPOTS] for place in range(SPOTS)]


def _at(value: Any, path: tuple[str, ...]) -> Document:  # noqa: ANN401 -- any JSON
    for key in path:
        value = next(item for item in value if item["id"] == key) if isinstance(value, list) else value[key]
    return value  # type: ignore[no-any-return]
