"""The order of keyed lists."""

import pytest
from hypothesis import given

from merge import order
from tests.merge.dice import Dice, dice

Ids = dict[str, None]  # in order


def _meeting(dice: Dice) -> list[Ids]:
    """Make the ids of a base, of yours and theirs, and of what a merge leaves: both have it, or one added it."""
    base, yours, theirs = (dict.fromkeys(dice.shuffled("abcdefgh")[dice.number(9) :]) for _ in range(3))
    both = {**theirs, **yours}
    kept = {key: None for key in both if key not in base or (key in yours and key in theirs) or dice.number(2)}
    return [base, yours, theirs, kept]


MEETINGS = dice(40).map(_meeting)


def ids(text: str) -> Ids:
    return dict.fromkeys(text.split())


def among(some: list[str] | Ids, others: list[str] | Ids) -> list[str]:
    return [key for key in some if key in others]


@given(MEETINGS)
def test_each_item_has_one_place(meeting: list[Ids]) -> None:
    merged = order.merge(*meeting)
    assert sorted(merged) == sorted(meeting[-1])


@given(MEETINGS)
def test_items_stand_as_yours_where_yours_changed_the_order_else_as_theirs(meeting: list[Ids]) -> None:
    base, yours, theirs, kept = meeting
    leading = yours if order.natural(base, yours) != tuple(yours) else theirs
    merged = order.merge(base, yours, theirs, kept)
    assert among(merged, leading) == among(leading, kept)


@given(MEETINGS)
def test_new_items_of_the_other_side_go_last_in_their_order(meeting: list[Ids]) -> None:
    base, yours, theirs, kept = meeting
    leading = yours if order.natural(base, yours) != tuple(yours) else theirs
    new = [key for key in kept if key not in base and key not in leading]
    merged = order.merge(base, yours, theirs, kept)
    assert merged[len(merged) - len(new) :] == new


@given(MEETINGS)
def test_an_item_that_comes_back_stands_right_behind_the_one_before_it(meeting: list[Ids]) -> None:
    base, yours, theirs, kept = meeting
    leading = yours if order.natural(base, yours) != tuple(yours) else theirs
    merged = order.merge(base, yours, theirs, kept)
    before: str | None = None
    for key in among(base, kept):
        if key not in leading:
            place = merged.index(key)
            assert (merged[place - 1] if place else None) == before
        before = key


@given(MEETINGS)
def test_the_natural_order_is_what_stayed_and_then_what_is_new(meeting: list[Ids]) -> None:
    before, after, *_ = meeting
    natural = order.natural(before, after)
    assert sorted(natural) == sorted(after)
    assert list(natural) == among(before, after) + [key for key in after if key not in before]


@pytest.mark.parametrize(
    ("base", "yours", "theirs", "merged"),
    [
        ("", "", "", ""),
        ("", "a", "b", "b a"),
        ("a b c", "a b c", "c b a", "c b a"),
        ("a b c", "c b a", "a b c", "c b a"),
        ("a b c", "b a c", "c b a", "b a c"),
        ("a b c", "a b c d", "c a b e", "c a b e d"),
        ("a b c", "b a c d", "a b c e", "b a c d e"),
        ("a b", "n a b", "a m b", "n a b m"),
    ],
)
def test_orders_and_additions_meet(base: str, yours: str, theirs: str, merged: str) -> None:
    kept = ids(f"{theirs} {yours}")
    assert order.merge(ids(base), ids(yours), ids(theirs), kept) == merged.split()


@pytest.mark.parametrize(
    ("theirs", "merged"),
    [
        ("b c d", "a b c d"),
        ("d", "a b c d"),
        ("", "a b c d"),
        ("d c", "a b d c"),
        ("c a new", "c d a b new"),
    ],
)
def test_items_come_back_behind_the_ones_they_stood_behind(theirs: str, merged: str) -> None:
    base = ids("a b c d")
    assert order.merge(base, base, ids(theirs), {**ids(theirs), **base}) == merged.split()
