"""Three-way merge: two versions of one base become one document; what collides is decided, and told whole.

            yours left it     yours changed it                      yours removed it
theirs
left it     base              yours                                 gone
changed it  theirs            containers member by member, else     theirs: the edit wins, told
                              yours: the later one wins, told
removed it  gone              as it was when removed, plus the      gone
                              edit: the edit wins, told
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from merge import graphs, order, revival, values
from merge.changes import ABSENT, CLOCK, Absent, Change, Path
from merge.touched import Touched
from merge.values import Document, Value

Members = Mapping[str, Value]

SKIPPED_LEVELS = 4  # what is equal down there is skipped as a whole; looking further ahead at each level adds up


class Side(StrEnum):
    """Whose value."""

    YOURS = "YOURS"
    THEIRS = "THEIRS"
    BASE = "BASE"


@dataclass(frozen=True, slots=True)
class Collision:
    """Two values for one path. The winner's is in the document; the other one is only here."""

    path: Path
    base: Value | Absent
    theirs: Value | Absent
    yours: Value | Absent
    winner: Side


@dataclass(frozen=True, slots=True)
class Merged:
    """The document that came of a merge, and what collided on the way: no path is part of another."""

    document: Document
    collisions: tuple[Collision, ...]


def merge(base: Document, yours: Document, theirs: Document, saves: Sequence[Sequence[Change]]) -> Merged:
    """Merge `yours`, the later one, into `theirs`, which `saves` (their changes, oldest first) made of `base`.

    Objects merge by key, keyed lists by id, the members of loops and parallels as sets; anything else is one value.
    Removals and orders alone are no edits: inside something that the other side removed, they go with it. The result
    shares with the documents whatever it can.
    """
    merging = _Merging(Touched(saves))
    merged = merging.objects((), base, yours, theirs)
    collisions = merging.collisions
    document = revival.with_edges(
        revival.Sides(base, yours, theirs, merged),
        merging.touched,
        removed_by_yours=[collision.path for collision in collisions if collision.yours is ABSENT],
        removed_by_theirs=[collision.path for collision in collisions if collision.theirs is ABSENT],
    )
    return Merged(document, tuple(collisions))


class _Merging:
    """A merge under way, with what collided so far."""

    def __init__(self, touched: Touched) -> None:
        self.touched = touched
        self.collisions: list[Collision] = []

    def objects(self, path: Path, base: Members, yours: Members, theirs: Members) -> Document:
        """Merge objects, or keyed lists by id, member by member."""
        merged = dict(theirs)
        changed = {key for key, your in yours.items() if base.get(key, ABSENT) is not your}
        changed |= base.keys() - yours.keys()
        for key in dict.fromkeys(key for key in (*theirs, *yours) if key in changed):
            old, your, their = base.get(key, ABSENT), yours.get(key, ABSENT), theirs.get(key, ABSENT)
            member = self.value((*path, key), old, your, their)
            if member is not ABSENT:
                merged[key] = member
            else:
                merged.pop(key, None)
        return merged

    def value(self, path: Path, base: Value | Absent, yours: Value | Absent, theirs: Value | Absent) -> Value | Absent:
        """Merge what is at one path."""
        if path == CLOCK:
            return theirs if _same(yours, base) else yours
        if _skipped(path, yours, base) or _skipped(path, yours, theirs):
            return theirs
        if _skipped(path, theirs, base):
            return yours
        if isinstance(yours, dict) and isinstance(theirs, dict) and isinstance(base, dict | Absent):
            return self.objects(path, {} if base is ABSENT else base, yours, theirs)
        if isinstance(yours, list) and isinstance(theirs, list) and isinstance(base, list | Absent):
            merged = self._keyed_lists(path, [] if base is ABSENT else base, yours, theirs)
            if merged is not None:
                return merged
        return self._whole(path, base, yours, theirs)

    def _keyed_lists(
        self, path: Path, base: list[Value], yours: list[Value], theirs: list[Value]
    ) -> list[Value] | None:
        """Merge lists item by item; None where one is not keyed."""
        base_items, your_items, their_items = values.by_id(base), values.by_id(yours), values.by_id(theirs)
        if base_items is None or your_items is None or their_items is None:
            return None
        merged = self.objects(path, base_items, your_items, their_items)
        return [merged[key] for key in order.merge(base_items, your_items, their_items, merged)]

    def _whole(self, path: Path, base: Value | Absent, yours: Value | Absent, theirs: Value | Absent) -> Value | Absent:
        """Merge what has no members to go by, or is not there on one side."""
        if _same(yours, base) or _same(yours, theirs):
            return theirs
        if _same(theirs, base):
            return yours
        if yours is ABSENT:
            return self._removed_by_yours(path, base, theirs)
        if theirs is ABSENT:
            return self._removed_by_theirs(path, base, yours)
        members = _sets(base, yours, theirs) if graphs.is_membership(path) else None
        if members is not None:
            return members
        self.collisions.append(Collision(path, base, theirs, yours, Side.YOURS))
        return yours

    def _removed_by_yours(self, path: Path, base: Value | Absent, theirs: Value | Absent) -> Value | Absent:
        if _only_lost(path, base, theirs):
            return ABSENT
        self.collisions.append(Collision(path, base, theirs, ABSENT, Side.THEIRS))
        return theirs

    def _removed_by_theirs(self, path: Path, base: Value | Absent, yours: Value | Absent) -> Value | Absent:
        """Bring a value back with what yours did to it. What it held of theirs, they knew when they removed it."""
        if _only_lost(path, base, yours):
            return ABSENT
        self.collisions.append(Collision(path, base, ABSENT, yours, Side.YOURS))
        removed = self.touched.removed(path)
        return yours if removed is None else _Merging(self.touched).value(path, base, yours, removed.value)


def _same(a: Value | Absent, b: Value | Absent) -> bool:
    return a is b or (a is not ABSENT and b is not ABSENT and values.equal(a, b))


def _skipped(path: Path, a: Value | Absent, b: Value | Absent) -> bool:
    """Say fast that two values are one, so that nobody needs to look at their members."""
    if a is b or a is ABSENT or b is ABSENT or len(path) > SKIPPED_LEVELS:
        return a is b
    return values.surely_equal(a, b)


def _sets(base: Value | Absent, yours: Value, theirs: Value) -> list[Value] | None:
    """Merge lists of texts as sets, in the order of a keyed list; None where one is something else."""
    old, your, their = _texts([] if base is ABSENT else base), _texts(yours), _texts(theirs)
    if old is None or your is None or their is None:
        return None
    merged = {text: None for text in {**their, **your} if text not in old or (text in your and text in their)}
    return [*order.merge(old, your, their, merged)]


def _texts(value: Value) -> dict[str, Value] | None:
    """Give the texts of a list, each once; None where it is something else."""
    if not isinstance(value, list):
        return None
    texts: dict[str, Value] = {item: None for item in value if isinstance(item, str)}
    return texts if all(isinstance(item, str) for item in value) else None


def _only_lost(path: Path, base: Value | Absent, value: Value | Absent) -> bool:
    """Say whether a value is its base but for what was removed or brought into another order inside."""
    old, new = _members(path, base), _members(path, value)
    if old is None or new is None or isinstance(base, dict) is not isinstance(value, dict):
        return _same(base, value)
    return all(key in old and _only_lost((*path, key), old[key], member) for key, member in new.items())


def _members(path: Path, value: Value | Absent) -> Members | None:
    """Give what a value is made of, by key, by id, or by itself; None where it is one value."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, list):
        return None
    items = values.by_id(value)
    return _texts(value) if items is None and graphs.is_membership(path) else items
