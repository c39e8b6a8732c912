"""The scenarios in tests/vectors: read, and played against the merge."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from merge import apply, changes, diff, repair, three_way
from merge.changes import ABSENT, Change
from merge.repair import Repair
from merge.three_way import Collision

Document = dict[str, Any]
Scenario = dict[str, Any]
Row = dict[str, Any]

FOLDER = Path(__file__).parent.parent / "vectors"


def scenarios() -> Iterator[tuple[str, Scenario]]:
    """Read every scenario, with the topic that its file is named after."""
    for file in sorted(FOLDER.glob("*.json")):
        for scenario in json.loads(file.read_text()):
            yield file.stem, scenario


@dataclass
class Played:
    """What became of a base: the documents after 0, 1, 2 ... saves, the changes of each save, and what was told."""

    documents: list[Document]
    saves: list[list[Change]] = field(default_factory=list)
    conflicts: list[Row] = field(default_factory=list)
    repairs: list[Row] = field(default_factory=list)


def play(scenario: Scenario) -> Played:
    """Merge the saves of a scenario one after the other."""
    played = Played([scenario["base"]])
    for place, save in enumerate(scenario["saves"]):
        _play(played, place, save)
    return played


def _play(played: Played, place: int, save: Row) -> None:
    seen, current = save.get("seen", 0), played.documents[-1]
    base = played.documents[seen]
    yours = save["state"] if "state" in save else apply.apply(base, map(changes.from_json, save["changes"]))
    merged = three_way.merge(base, yours, current, played.saves[seen:])
    result, repairs = repair.repair(merged.document, yours, current)
    written = diff.diff(current, result)
    if changes.is_only_clock(written):
        result, written = current, []
    played.documents.append(result)
    played.saves.append(written)
    played.conflicts += [_conflict(place, collision) for collision in merged.collisions]
    played.repairs += [_repair(place, mended) for mended in repairs]


def _conflict(place: int, collision: Collision) -> Row:
    sides = {"base": collision.base, "theirs": collision.theirs, "yours": collision.yours}
    present = {name: value for name, value in sides.items() if value is not ABSENT}
    return {"save": place, "path": list(collision.path), **present, "winner": collision.winner.value}


def _repair(place: int, mended: Repair) -> Row:
    return {"save": place, "path": list(mended.path), "reason": mended.reason.value, "removed": mended.removed}
