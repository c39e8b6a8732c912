"""Changes brought into a document, which itself stays as it is: only the containers on their paths are copied."""

from collections.abc import Iterable, Mapping
from contextlib import suppress

from merge import values
from merge.changes import ABSENT, Absent, Change, Path
from merge.values import Document, Value


class PathError(Exception):
    """A path leads nowhere in the document, or to a place that cannot take what the change brings."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(reason)
        self.path = path
        self.reason = reason


class _MisfitError(Exception):
    """Why a change does not fit where it goes; `apply` adds the path."""


def apply(document: Document, changes: Iterable[Change]) -> Document:
    """Apply changes, one after the other. The result shares with `document` and the changes whatever it can.

    A new item of a keyed list goes last; one that is put back goes behind the item that it stood behind, or last where
    that one is gone. Raises PathError.
    """
    draft = _Draft(document)
    for change in changes:
        try:
            _apply(draft, change)
        except _MisfitError as error:
            raise PathError(change.path, str(error)) from None
    return draft.finished()


def fitting(document: Document, changes: Iterable[Change]) -> Document:
    """Apply those changes that fit, one after the other, and leave the others out."""
    for change in changes:
        with suppress(PathError):
            document = apply(document, [change])
    return document


def find(value: Value | Absent, path: Path) -> Value | Absent:
    """Give what is at a path inside a value; ABSENT where it leads nowhere."""
    for key in path:
        members = values.by_id(value) if isinstance(value, list) else value
        if not isinstance(members, dict) or key not in members:
            return ABSENT
        value = members[key]
    return value


def _apply(draft: "_Draft", change: Change) -> None:
    if not change.path:
        raise _MisfitError("The path is empty: the document itself is not set, removed or ordered.")
    *parents, key = change.path
    for parent in parents:
        draft = draft.opened(parent)
    if change.order is not None:
        draft.opened(key).reorder(change.order)
    elif change.value is ABSENT:
        draft.remove(key)
    else:
        draft.put(key, change.value, behind=change.behind)


class _Draft:
    """A container under change: a copy of its members by key, or id, and drafts of those with changes inside them.

    A draft `is_keyed` when it is a keyed list, and `is_item` when it is an object in one, whose `id` must stay. New
    items that are `placed` stand last until all are brought to their places at once.
    """

    def __init__(self, members: Mapping[str, Value], *, is_keyed: bool = False, is_item: bool = False) -> None:
        self.members = dict(members)
        self.drafts: dict[str, _Draft] = {}
        self.placed: dict[str, list[str]] = {}  # by the item behind which they go, the one that came last nearest
        self.is_keyed = is_keyed
        self.is_item = is_item

    def opened(self, key: str) -> "_Draft":
        """Give the draft of a member."""
        if key not in self.drafts:
            self.drafts[key] = self._open(self._existing(key))
        return self.drafts[key]

    def _open(self, member: Value) -> "_Draft":
        if isinstance(member, dict):
            return _Draft(member, is_item=self.is_keyed)
        items = values.by_id(member) if isinstance(member, list) else None
        if items is None:
            raise _MisfitError("The path leads into a single value: neither an object nor a list of items with ids.")
        return _Draft(items, is_keyed=True)

    def _existing(self, key: str) -> Value:
        if key not in self.members:
            raise _MisfitError(f"There is nothing at {key!r}.")
        return self.members[key]

    def put(self, key: str, value: Value, *, behind: str | None) -> None:
        """Set a member. A new item goes `behind` another, first for "", or last for None."""
        if self.is_keyed and not (key and isinstance(value, dict) and value.get("id") == key):
            raise _MisfitError(f"An item of this list is an object with the `id` that its path names, {key!r}.")
        if self.is_item and key == "id" and value != self.members["id"]:
            raise _MisfitError("An item keeps its `id`: remove the item, and add it under the other one.")
        is_new = key not in self.members
        self.drafts.pop(key, None)
        self.members[key] = value
        if self.is_keyed and is_new and behind is not None and (behind == "" or behind in self.members):
            self.placed.setdefault(behind, []).append(key)

    def _settle(self) -> None:
        """Bring the items that were placed to their places."""
        placed = {key for keys in self.placed.values() for key in keys}
        waiting = [key for key in reversed(self.members) if key not in placed] + self.placed.get("", [])
        order = []
        while waiting:
            order.append(key := waiting.pop())
            waiting += self.placed.get(key, ())
        self.reorder(tuple(order))

    def remove(self, key: str) -> None:
        """Remove a member."""
        self._existing(key)
        if self.is_item and key == "id":
            raise _MisfitError("An item keeps its `id`: remove the whole item.")
        if self.placed:
            self._settle()
        self.drafts.pop(key, None)
        del self.members[key]

    def reorder(self, order: tuple[str, ...]) -> None:
        """Bring the items of a keyed list into another order."""
        if not self.is_keyed:
            raise _MisfitError("Only a list of items with ids has an order.")
        if len(order) != len(self.members) or set(order) != self.members.keys():
            raise _MisfitError("The order does not name each item of the list once.")
        self.members = {key: self.members[key] for key in order}
        self.placed = {}

    def finished(self) -> dict[str, Value]:
        """Give the members as they have become."""
        if self.placed:
            self._settle()
        for key, draft in self.drafts.items():
            members = draft.finished()
            self.members[key] = list(members.values()) if draft.is_keyed else members
        return self.members
