"""The values that somebody set in a document, one by one: what a merge may neither lose nor make up."""

from collections.abc import Iterator, Mapping
from typing import Any

from merge import changes, values
from merge.changes import Absent, Path

Value = Any
GROUPS = ("loops", "parallels")


def of(value: Value | Absent, path: Path = ()) -> dict[Path, Value]:
    """Give the scalars and the lists that are one value by their paths, without the clock.

    A text in the list of a loop's or parallel's members is a value of its own.
    """
    return dict(_leaves(value, path))


def _leaves(value: Value, path: Path) -> Iterator[tuple[Path, Value]]:
    members = _members(value, path)
    if path == changes.CLOCK or isinstance(value, Absent):
        return
    if members is None:
        yield path, value
        return
    for key, member in members.items():
        yield from _leaves(member, (*path, key))


def _members(value: Value, path: Path) -> Mapping[str, Value] | None:
    if isinstance(value, dict):
        return value
    if not isinstance(value, list):
        return None
    is_membership = len(path) in (3, 4) and path[-1] == "nodes" and path[-3] in GROUPS
    if is_membership and all(isinstance(item, str) for item in value):
        return dict.fromkeys(value, True)
    return values.by_id(value)


def new(before: Value, after: Value) -> dict[Path, Value]:
    """Give the values that somebody set who made `after` of `before`."""
    return without(of(after), of(before))


def without(leaves: Mapping[Path, Value], known: Mapping[Path, Value]) -> dict[Path, Value]:
    """Give the leaves that are not among the known ones, each at its path."""
    return {path: leaf for path, leaf in leaves.items() if path not in known or not values.equal(leaf, known[path])}
