"""What merging costs: one property edited in a document of 300 blocks, while somebody else edited another one.

Run `make bench-merge`. Each way of merging starts with three documents that were parsed apart, or replicas that hold
them, and ends with the merged document. jsonpatch finds what yours changed and applies it to theirs; pycrdt takes the
other edit into a replica and reads the document. Neither tells of collisions or mends the graph. Each way of reading
starts with the text of a whole document and the document before, and ends with what changed.
"""

import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import click
import jsonpatch
import pycrdt

from merge import apply, changes, diff, repair, texts, three_way, values
from merge.changes import Change

Document = dict[str, Any]

BLOCKS = 300
ROUNDS = 50
FAR = 4242  # where nothing is
LIMITS = {"max_depth": 200, "max_bytes": 8 * 1024 * 1024}  # of a document


def document(moved: int | None = None) -> Document:
    """Make the document as a client parsed it, with one block moved."""
    made = {
        "blocks": {f"block-{place}": _block(place) for place in range(BLOCKS)},
        "edges": [
            {"id": f"edge-{place}", "source": f"block-{place}", "target": f"block-{place + 1}"}
            for place in range(BLOCKS - 1)
        ],
        "loops": {},
    }
    if moved is not None:
        made["blocks"][f"block-{moved}"]["position"]["x"] = FAR  # type: ignore[index]
    return json.loads(json.dumps(made))  # type: ignore[no-any-return]


def _block(place: int) -> Document:
    fields = {
        name: {"id": name, "type": "input", "value": f"{name} of {place}"} for name in ("model", "prompt", "tools")
    }
    return {
        "id": f"block-{place}",
        "type": "agent",
        "name": f"Block {place}",
        "position": {"x": place, "y": -place},
        "enabled": True,
        "subBlocks": fields,
    }


def ours() -> Callable[[], object]:
    """Merge as a save does: what it changed, the merge, the repair, what goes into the journal and to the client."""
    yours, theirs = document(7), document(42)
    saved = diff.diff(document(), theirs)
    return lambda: _saved(theirs, saved, lambda base: diff.diff(base, yours))


def ours_with_changes() -> Callable[[], object]:
    """Do the same for a client that sends only what it changed."""
    theirs = document(42)
    saved, changed = diff.diff(document(), theirs), diff.diff(document(), document(7))
    return lambda: _saved(theirs, saved, lambda _: changed)


def _saved(theirs: Document, saved: list[Change], changed: Callable[[Document], list[Change]]) -> Document:
    base = apply.apply(theirs, changes.inverse(saved))
    mine = apply.apply(base, changed(base))
    merged, _ = repair.repair(three_way.merge(base, mine, theirs, [saved]).document, mine, theirs)
    diff.diff(theirs, merged)
    diff.diff(mine, merged)
    return merged


def with_jsonpatch() -> Callable[[], object]:
    """Apply to theirs what yours changed."""
    base, yours, theirs = document(), document(7), document(42)
    return lambda: jsonpatch.make_patch(base, yours).apply(theirs)


def with_pycrdt() -> Callable[[], object]:
    """Take the other edit into a replica that holds the base and one's own edit, and read the document."""
    base: Any = pycrdt.Doc()
    base["root"] = _shared(document())
    edits = []
    for moved in (7, 42):
        replica: Any = pycrdt.Doc({"root": pycrdt.Map[Any]()})
        replica.apply_update(base.get_update())
        replica["root"]["blocks"][f"block-{moved}"]["position"]["x"] = FAR
        edits.append(replica.get_update())

    def work() -> object:
        replica: Any = pycrdt.Doc({"root": pycrdt.Map[Any]()})
        for edit in edits:
            replica.apply_update(edit)
        return replica["root"].to_py()

    return work


def _shared(value: object) -> Any:  # noqa: ANN401 -- its types have no parent
    if isinstance(value, dict):
        return pycrdt.Map({key: _shared(member) for key, member in value.items()})
    if isinstance(value, list):
        return pycrdt.Array([_shared(item) for item in value])
    return value


def reading_whole() -> Callable[[], object]:
    """Parse a text, check it and compare it with the document before."""
    before, text = document(), _text(document(7))
    return lambda: _told(before, _checked(text))


def reading_beside() -> Callable[[], object]:
    """Read a text where it differs from the one before."""
    text = _text(document())
    known, new = texts.Known(text, _checked(text)), _text(document(7))

    def work() -> object:
        read = texts.read(new, known, **LIMITS)
        assert read is not None, "this is not read beside a known text"
        return _told(known.document, read.document)

    return work


def _text(document: Document) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _checked(text: bytes) -> Document:
    document: Any = values.parse(text)
    assert not values.problems(document, **LIMITS)
    return document  # type: ignore[no-any-return]


def _told(before: Document, after: Document) -> object:
    return [changes.to_json(change) for change in diff.diff(before, after)]


Ways = dict[str, Callable[[], Callable[[], object]]]
MERGING: Ways = {
    "whole documents": ours,
    "changes": ours_with_changes,
    "jsonpatch": with_jsonpatch,
    "pycrdt": with_pycrdt,
}
READING: Ways = {"beside a known text": reading_beside, "as a whole": reading_whole}


def milliseconds(work: Callable[[], object]) -> float:
    """Time a piece of work: the median processor time of its rounds, after one that is not counted."""
    work()
    times = []
    for _ in range(ROUNDS):
        start = time.process_time_ns()
        work()
        times.append(time.process_time_ns() - start)
    return statistics.median(times) / 1e6


def main() -> None:
    """Print what each way costs, and how that compares."""
    size = len(json.dumps(document(), separators=(",", ":")))
    expected = document(7)
    expected["blocks"]["block-42"]["position"]["x"] = FAR
    click.echo(f"{BLOCKS} blocks, {size / 1000:.0f} kB, medians of {ROUNDS} rounds")
    _compare("Merging", MERGING, expected)
    _compare("Reading", READING, _told(document(), document(7)))


def _compare(label: str, kind: Ways, expected: object) -> None:
    with click.progressbar(kind.items(), label=label, item_show_func=lambda way: way and way[0]) as ways:
        figures = {name: _measured(prepare(), expected) for name, prepare in ways}
    first = next(iter(figures.values()))
    for name, figure in figures.items():
        click.echo(f"{name:20} {figure:8.3f} ms {figure / first:8.1f} x")


def _measured(work: Callable[[], object], expected: object) -> float:
    assert work() == expected, "this way does not end where it should"
    return milliseconds(work)


if __name__ == "__main__":
    main()
