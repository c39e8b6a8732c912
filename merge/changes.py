"""Changes of documents, as the journal keeps them: each tells what it replaced and can be taken back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeAlias

from merge import values
from merge.values import Value

Path: TypeAlias = tuple[str, ...]  # keys of objects and ids of keyed lists, from the document down

CLOCK: Final[Path] = ("lastSaved",)  # when the client saved, by its own clock: alone it is no change


class Absent(Enum):
    """No value at all, which is not null."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one path: it gets `value`, or it goes (`removal`), or the keyed list there gets `order`, its ids.

    Exactly one of the three; ValueError otherwise. What was there is kept: `before` is the value, or ABSENT,
    `previous_order` the ids. `behind` is the place of a removed item in its keyed list: the id before it, "" for the
    first; put back, it goes there, while other new items go last. Clients hear nothing of places: what they are sent
    is made by `diff` anew.
    """

    path: Path
    value: Value | Absent = ABSENT
    removal: bool = False
    order: tuple[str, ...] | None = None
    before: Value | Absent = ABSENT
    previous_order: tuple[str, ...] | None = None
    behind: str | None = None

    def __post_init__(self) -> None:
        if (self.value is not ABSENT) + self.removal + (self.order is not None) != 1:
            raise ValueError("A change is exactly one of a value, a removal, or an order.")


def is_only_clock(changes: Iterable[Change]) -> bool:
    """Say whether nothing but the document's clock changed; true where nothing changed at all."""
    return all(change.path[:1] == CLOCK for change in changes)


def growth(change: Change) -> int:
    """Say by how many bytes of compact JSON a document grows with a change, at most: less than 0 where it shrinks."""
    if change.order is not None:
        return 0
    key = len(values.dump(change.path[-1])) + 2 if change.before is ABSENT else 0  # with its colon and comma
    return key + _size(change.value) - _size(change.before)


def _size(value: Value | Absent) -> int:
    return 0 if value is ABSENT else len(values.dump(value))


def inverse(changes: Sequence[Change]) -> list[Change]:
    """Give the changes that take these back, the last one first. Each must tell what it replaced."""
    return [_inverse(change) for change in reversed(changes)]


def _inverse(change: Change) -> Change:
    if change.order is not None:
        return Change(change.path, order=change.previous_order, previous_order=change.order)
    return Change(
        change.path,
        value=change.before,
        removal=change.before is ABSENT,
        before=change.value,
        behind=change.behind,
    )


def to_json(change: Change) -> dict[str, Any]:
    """Write a change for the journal: `path`, and one of `value`, `remove` (true), `order` (ids).

    What it replaced is under `before`, a value or ids; without `before` there was nothing. `behind` is the id that a
    removed item of a keyed list stood behind, "" for the first one.
    """
    encoded: dict[str, Any] = {"path": change.path}
    if change.removal:
        encoded["remove"] = True
    elif change.order is not None:
        encoded["order"] = change.order
    else:
        encoded["value"] = change.value
    if change.previous_order is not None:
        encoded["before"] = change.previous_order
    elif change.before is not ABSENT:
        encoded["before"] = change.before
    if change.behind is not None:
        encoded["behind"] = change.behind
    return encoded


def from_json(encoded: Mapping[str, Any]) -> Change:
    """Read a change that `to_json` wrote."""
    path, before = tuple(encoded["path"]), encoded.get("before", ABSENT)
    if "order" in encoded:
        previous_order = None if before is ABSENT else tuple(before)
        return Change(path, order=tuple(encoded["order"]), previous_order=previous_order)
    return Change(
        path,
        value=encoded.get("value", ABSENT),
        removal=encoded.get("remove", False),
        before=before,
        behind=encoded.get("behind"),
    )
