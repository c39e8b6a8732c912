"""The order of keyed lists, by the ids of their items: what comes of itself, and what comes of a merge."""

from collections.abc import Collection, Iterator, Mapping

Ids = Collection[str]  # in order; whether an id is in them costs the same for any length


def natural(before: Ids, after: Ids) -> tuple[str, ...]:
    """Give the order that comes of itself: what stayed, and then what is new."""
    return (*(key for key in before if key in after), *(key for key in after if key not in before))


def merge(base: Ids, yours: Ids, theirs: Ids, merged: Ids) -> list[str]:
    """Order the items of a merged list: as yours where it changed the order, else as theirs.

    New items go last; one that comes back goes behind the item that it stood behind.
    """
    leading = yours if natural(base, yours) != tuple(yours) else theirs
    back: dict[str | None, str] = {}
    place = None
    for key in (key for key in base if key in merged):
        if key not in leading:
            back[place] = key
        place = key
    order = [follower for key in (None, *leading) for follower in _followers(key, back)]
    new = (key for key in merged if key not in leading and key not in base)
    return [key for key in (*order, *new) if key in merged]


def _followers(key: str | None, back: Mapping[str | None, str]) -> Iterator[str]:
    """Give an item (None: the beginning), and the run of those that come back behind it."""
    if key is not None:
        yield key
    while (key := back.get(key)) is not None:
        yield key
