"""The difference between two documents: the changes, to the leaf, that lead from one to the other."""

from collections.abc import Iterator, Mapping

from merge import order, values
from merge.changes import ABSENT, Change, Path
from merge.values import Document, Value

SKIPPED_LEVELS = 4  # what is equal down there is skipped as a whole; looking further ahead at each level adds up
FEW_MEMBERS = 16  # of a document or a block, not of a map of blocks
CHANGE_CHARACTERS = 64  # what a change weighs besides its path and its values
MOST_CHARACTERS = 8 * 1024 * 1024  # of changes without their values: as much as a large document


def diff(before: Document, after: Document) -> list[Change]:
    """Compare two documents: objects by key, keyed lists by id at any depth, anything else as one value.

    `apply(before, diff(before, after))` equals `after`, the order of its lists included. The changes follow the
    documents: for each object or keyed list first what went or changed inside, then what is new, then the order of the
    list where it is not the one that comes of itself. `problems` finds nothing in either document.

    Where so many leaves changed that their paths would outweigh any document, its members are told as a whole.
    """
    changes, characters = [], 0
    for change in _objects((), before, after):
        changes.append(change)
        characters += CHANGE_CHARACTERS + sum(map(len, change.path))
        if characters > MOST_CHARACTERS:
            return list(_members(before, after))
    return changes


def _members(before: Document, after: Document) -> Iterator[Change]:
    for key in before | after:
        old, new = before.get(key, ABSENT), after.get(key, ABSENT)
        if old is ABSENT or new is ABSENT or not values.equal(old, new):
            yield Change((key,), value=new, removal=new is ABSENT, before=old)


def _objects(path: Path, before: Document, after: Document) -> Iterator[Change]:
    for key in _suspects(path, before, after):
        if key in after:
            yield from _inside((*path, key), before[key], after[key])
        else:
            yield Change((*path, key), removal=True, before=before[key])
    yield from _additions(path, before, after)


def _suspects(path: Path, before: Mapping[str, Value], after: Mapping[str, Value]) -> list[str]:
    """Find the members that went or may differ; the rest is sure to be equal."""
    keys = [key for key, member in before.items() if after.get(key, ABSENT) is not member]
    if len(path) >= SKIPPED_LEVELS:
        return keys
    if len(keys) > FEW_MEMBERS:
        return values.unlike(keys, before, after)
    return [key for key in keys if key not in after or not _surely_equal(before[key], after[key])]


def _surely_equal(before: Value, after: Value) -> bool:
    """Say fast that two values are one. Large objects are left to be compared member by member, all together."""
    if isinstance(before, dict) and len(before) > FEW_MEMBERS:
        return False
    return values.surely_equal(before, after)


def _inside(path: Path, before: Value, after: Value) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _objects(path, before, after)
    elif (lists := _as_keyed(before, after)) is not None:
        yield from _keyed_lists(path, *lists)
    elif not values.equal(before, after):
        yield Change(path, value=after, before=before)


def _as_keyed(before: Value, after: Value) -> tuple[Mapping[str, Document], Mapping[str, Document]] | None:
    """Give the items of two lists by id; None where either is not keyed."""
    if not isinstance(before, list) or not isinstance(after, list):
        return None
    items, new_items = values.by_id(before), values.by_id(after)
    return None if items is None or new_items is None else (items, new_items)


def _keyed_lists(path: Path, before: Mapping[str, Document], after: Mapping[str, Document]) -> Iterator[Change]:
    behind, suspects = "", frozenset(_suspects(path, before, after))
    for key, item in before.items():
        if key not in after:
            yield Change((*path, key), removal=True, before=item, behind=behind)
            continue
        behind = key
        if key in suspects:
            yield from _inside((*path, key), item, after[key])
    yield from _additions(path, before, after)
    yield from _order(path, before, after)


def _additions(path: Path, before: Mapping[str, Value], after: Mapping[str, Value]) -> Iterator[Change]:
    if after.keys() <= before.keys():
        return
    for key, member in after.items():
        if key not in before:
            yield Change((*path, key), value=member)


def _order(path: Path, before: Mapping[str, Value], after: Mapping[str, Value]) -> Iterator[Change]:
    """Compare the order that comes of itself, what stayed and then what is new, with the order that is meant."""
    meant = tuple(after)
    if meant != tuple(before) and (natural := order.natural(before, after)) != meant:
        yield Change(path, order=meant, previous_order=natural)
