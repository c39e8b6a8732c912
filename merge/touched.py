"""What a run of saves touched: which of them did last, and what was there before something went."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from merge import values
from merge.changes import ABSENT, Absent, Change, Path
from merge.values import Document, Value


@dataclass(frozen=True, slots=True)
class Removed:
    """What went, and the save that took it away."""

    save: int
    value: Value


class Touched:
    """The changes of consecutive saves, oldest first, found by path. Saves go by their place in the run."""

    def __init__(self, saves: Sequence[Sequence[Change]]) -> None:
        self._saves = saves
        self._set: defaultdict[Path, list[tuple[int, Change]]] = defaultdict(list)
        self._last_inside: dict[Path, int] = {}
        self._items: dict[int, Mapping[str, Document] | None] = {}  # by the identity of the list, which `saves` keeps
        for save, changes in enumerate(saves):
            for change in changes:
                self._last_inside.update(dict.fromkeys(_prefixes(change.path), save))
                if change.order is None:
                    self._set[change.path].append((save, change))

    def last(self, path: Path) -> int | None:
        """Say which save was the last to change the value at a path, inside it, or one that it is part of."""
        around = [self._set[prefix][-1][0] for prefix in _prefixes(path) if prefix in self._set]
        inside = [self._last_inside[path]] if path in self._last_inside else []
        return max([*around, *inside], default=None)

    def last_set(self, path: Path) -> int | None:
        """Say which save was the last to set or remove the value at a path, or one that it is part of, as a whole."""
        return max((self._set[prefix][-1][0] for prefix in _prefixes(path) if prefix in self._set), default=None)

    def removed(self, path: Path) -> Removed | None:
        """Say what was last at a path where there is nothing now; None where there never was."""
        found = [removed for prefix in _prefixes(path) if (removed := self._last_with(prefix, path)) is not None]
        return max(found, key=lambda removed: removed.save, default=None)

    def _last_with(self, prefix: Path, path: Path) -> Removed | None:
        """Find the last save that set or removed what is at `prefix` when there was a value at `path` in it."""
        for save, change in reversed(self._set.get(prefix, ())):
            value = self._member(change.before, path[len(prefix) :])
            if value is not ABSENT:
                return Removed(save, value)
        return None

    def removals(self, save: int, parent: Path) -> Iterator[tuple[str, Value]]:
        """Give the items of a keyed list that a save removed, one by one or all at once: what they were, by id."""
        for change in self._saves[save]:
            if not change.removal or change.before is ABSENT:
                continue
            if change.path[:-1] == parent:
                yield change.path[-1], change.before
            elif change.path == parent:
                yield from (self._members(change.before) or {}).items()

    def _member(self, value: Value | Absent, path: Path) -> Value | Absent:
        """Go down a path; ABSENT where it leads nowhere."""
        for key in path:
            members = self._members(value)
            if members is None or key not in members:
                return ABSENT
            value = members[key]
        return value

    def _members(self, value: Value | Absent) -> Mapping[str, Value] | None:
        """Give the members of an object, or of a list by their ids, which are read but once."""
        if not isinstance(value, list):
            return value if isinstance(value, dict) else None
        if id(value) not in self._items:
            self._items[id(value)] = values.by_id(value)
        return self._items[id(value)]


def _prefixes(path: Path) -> Iterator[Path]:
    return (path[:length] for length in range(1, len(path) + 1))
