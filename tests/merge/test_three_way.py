"""Three-way merge: what holds for any three documents. What becomes of which edits is told in tests/vectors."""

import json
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from itertools import combinations, pairwise, permutations
from typing import Any

import pytest
from hypothesis import given

from merge import apply, diff, three_way, values
from merge.changes import ABSENT, CLOCK, Absent, Change, Path
from merge.three_way import Collision, Merged, Side
from tests import documents
from tests.merge import drawings, leaves, meetings, steps
from tests.merge.dice import Dice, dice
from tests.merge.meetings import Document, Value

Meeting = list[Document]  # a base, and what was made of it: yours, theirs
MEETINGS = meetings.MEETINGS | drawings.MEETINGS.map(lambda meeting: meeting[:3])


def merge(base: Document, yours: Document, *theirs: Document) -> Merged:
    """Merge into what several saves, one on the other, made of the base."""
    saves = [diff.diff(before, after) for before, after in pairwise((base, *theirs))]
    return three_way.merge(base, yours, theirs[-1] if theirs else base, saves)


def parsed(document: Document) -> Document:
    """Give the same document, with nothing shared."""
    copy: Document = json.loads(json.dumps(document))
    return copy


@given(MEETINGS)
def test_with_nothing_of_theirs_yours_is_the_result(meeting: Meeting) -> None:
    base, yours, _ = meeting
    for theirs in ([], [base], [parsed(base)]):
        merged = merge(base, yours, *theirs)
        assert values.equal(merged.document, yours)
        assert merged.collisions == ()


@given(MEETINGS)
def test_with_nothing_of_yours_theirs_is_the_result(meeting: Meeting) -> None:
    base, _, theirs = meeting
    for yours in (base, parsed(base)):
        merged = merge(base, yours, theirs)
        assert values.equal(merged.document, theirs)
        assert merged.collisions == ()


@given(MEETINGS)
def test_the_same_edits_twice_do_not_collide(meeting: Meeting) -> None:
    base, yours, _ = meeting
    for theirs in (yours, parsed(yours)):
        merged = merge(base, yours, theirs)
        assert values.equal(merged.document, yours)
        assert merged.collisions == ()


def _apart(dice: Dice) -> tuple[Document, list[list[Change]]]:
    """Make a document, and three groups of changes of it that have no path in common."""
    base = meetings.documents(dice)
    groups: list[list[Change]] = [[], [], []]
    for change in diff.diff(base, meetings.edited(dice, base)):
        if change.order is None:
            dice.pick(groups).append(change)
    return base, groups


@given(dice(600).map(_apart))
def test_edits_of_different_paths_all_hold_whatever_their_order(drawn: tuple[Document, list[list[Change]]]) -> None:
    base, groups = drawn
    expected = apply.apply(base, [change for group in groups for change in group])
    for order in permutations(groups):
        standing = [base]
        for group in order:
            merged = merge(base, apply.apply(base, group), *standing[1:])
            assert merged.collisions == ()
            standing.append(merged.document)
        assert all(change.order is not None or change.path[:1] == CLOCK for change in diff.diff(standing[-1], expected))


@given(MEETINGS)
def test_every_value_that_you_set_is_in_the_result(meeting: Meeting) -> None:
    base, yours, theirs = meeting
    for saves in ([theirs], [theirs, {}], [theirs, {}, theirs]):
        result = merge(base, yours, *saves).document
        assert leaves.without(leaves.new(base, yours), leaves.of(result)) == {}


@given(MEETINGS)
def test_every_value_that_they_set_is_in_the_result_or_told(meeting: Meeting) -> None:
    base, yours, theirs = meeting
    merged = merge(base, yours, theirs)
    lost = leaves.without(leaves.new(base, theirs), leaves.of(merged.document))
    assert leaves.without(lost, told(merged.collisions)) == {}


def told(collisions: Sequence[Collision]) -> dict[Path, Any]:
    return {
        path: leaf for collision in collisions for path, leaf in leaves.of(collision.theirs, collision.path).items()
    }


@given(MEETINGS)
def test_only_what_both_sides_changed_collides_and_each_path_once(meeting: Meeting) -> None:
    base, yours, theirs = meeting
    for saves in ([theirs], [theirs, {}], [theirs, {}, theirs]):
        for collision in merge(base, yours, *saves).collisions:
            sides = [collision.base, collision.yours, collision.theirs]
            assert [at(document, collision.path) for document in (base, yours, saves[-1])] == sides
            assert not any(one(a, b) for a, b in combinations(sides, 2))


@given(MEETINGS)
def test_no_collision_is_inside_another(meeting: Meeting) -> None:
    base, yours, theirs = meeting
    for saves in ([theirs], [theirs, {}]):
        paths = [collision.path for collision in merge(base, yours, *saves).collisions]
        assert not any(a == b[: len(a)] or b == a[: len(b)] for a, b in combinations(paths, 2))


@given(MEETINGS)
def test_the_winners_value_is_in_the_result(meeting: Meeting) -> None:
    base, yours, theirs = meeting
    merged = merge(base, yours, theirs)
    for collision in merged.collisions:
        winning = collision.theirs if collision.winner is Side.THEIRS else collision.yours
        assert winning is not ABSENT
        found = leaves.of(at(merged.document, collision.path), collision.path)
        assert (
            leaves.without(leaves.of(winning, collision.path), leaves.of(collision.base, collision.path) | found) == {}
        )


@given(MEETINGS)
def test_nothing_in_the_result_is_made_up(meeting: Meeting) -> None:
    merged = merge(*meeting)
    found = leaves.of(merged.document)
    for document in meeting:
        found = leaves.without(found, leaves.of(document))
    assert found == {}


@given(MEETINGS)
def test_what_only_one_side_changed_is_as_that_side_has_it(meeting: Meeting) -> None:
    base, yours, theirs = meeting
    merged = merge(base, yours, theirs)
    mine, other, found = leaves.of(yours), leaves.of(theirs), leaves.of(merged.document)
    for path, leaf in leaves.of(base).items():
        if not may_come_back(path, merged.collisions):
            changed = mine if one(other.get(path, ABSENT), leaf) else other
            assert one(found.get(path, ABSENT), changed.get(path, ABSENT))


def may_come_back(path: Path, collisions: Sequence[Collision]) -> bool:
    """Say whether a path is inside something that collided, or that of an edge, which may have come back with it."""
    return any(path[: len(collision.path)] == collision.path or "edges" in path for collision in collisions)


@given(MEETINGS)
def test_merging_again_changes_nothing_more(meeting: Meeting) -> None:
    base, yours, theirs = meeting
    once = merge(base, yours, theirs).document
    assert values.equal(merge(base, yours, theirs, once).document, once)


@given(MEETINGS)
def test_the_documents_handed_in_stay_as_they_are(meeting: Meeting) -> None:
    base, yours, theirs = meeting
    saves = [diff.diff(base, {}), diff.diff({}, theirs)]
    kept = deepcopy((base, yours, theirs, saves))
    three_way.merge(base, yours, theirs, saves)
    assert repr((base, yours, theirs, saves)) == repr(kept)


@given(MEETINGS)
def test_what_documents_share_makes_no_difference(meeting: Meeting) -> None:
    base, yours, theirs = meeting
    shared = [apply.apply(base, diff.diff(base, side)) for side in (yours, theirs)]
    one_way, other_way = merge(base, *shared), merge(parsed(base), parsed(yours), parsed(theirs))
    assert values.equal(one_way.document, other_way.document)
    for here, there in zip(by_path(one_way.collisions), by_path(other_way.collisions), strict=True):
        assert (here.path, here.winner) == (there.path, there.winner)
        assert one(here.yours, there.yours)
        assert one(here.theirs, there.theirs)


def by_path(collisions: Sequence[Collision]) -> list[Collision]:
    return sorted(collisions, key=lambda collision: collision.path)


@given(dice(600).map(lambda dice: [meetings.documents(dice) for _ in range(4)]))
def test_any_documents_can_be_merged(unrelated: list[Document]) -> None:
    base, yours, between, theirs = unrelated
    merged = merge(base, yours, between, theirs)
    assert values.equal(apply.apply(theirs, diff.diff(theirs, merged.document)), merged.document)


def at(document: Document, path: Path) -> Value:
    """Go down a path; ABSENT where it leads nowhere."""
    value: Value = document
    for key in path:
        members = values.by_id(value) if isinstance(value, list) else value
        if not isinstance(members, dict) or key not in members:
            return ABSENT
        value = members[key]
    return value


def one(a: Value, b: Value) -> bool:
    return a is b or (not isinstance(a, Absent) and not isinstance(b, Absent) and values.equal(a, b))


@pytest.mark.parametrize("document", documents.EVERY_DOCUMENT)
def test_every_second_text_of_a_known_document_may_change_on_either_side(document: Document) -> None:
    texts = [path for path, leaf in leaves.of(document).items() if isinstance(leaf, str) and path[-1] != "id"]
    mine, other = dict.fromkeys(texts[::2], "yours"), dict.fromkeys(texts[1::2], "theirs")
    yours, theirs = rewritten(document, mine), rewritten(document, other)
    merged = merge(document, yours, theirs)
    assert merged.collisions == ()
    assert values.equal(merged.document, rewritten(document, mine | other))


@pytest.mark.parametrize("document", documents.EVERY_DOCUMENT)
def test_every_text_of_a_known_document_may_collide(document: Document) -> None:
    texts = [path for path, leaf in leaves.of(document).items() if isinstance(leaf, str) and path[-1] != "id"]
    yours, theirs = (rewritten(document, dict.fromkeys(texts, side)) for side in ("yours", "theirs"))
    merged = merge(document, yours, theirs)
    assert sorted(collision.path for collision in merged.collisions) == sorted(texts)
    assert values.equal(merged.document, yours)


def rewritten(document: Document, texts: Mapping[Path, str]) -> Document:
    return apply.apply(document, [Change(path, value=text) for path, text in texts.items()])


Sides = tuple[Document, Document, Document]


def removed_and_edited(size: int) -> Sides:
    """Every node is removed by one side, with its edge, and edited by the other."""
    nodes = [{"id": f"n{place}", "x": 0} for place in range(size)]
    edges = [{"id": f"e{place}", "source": f"n{place}", "target": f"n{place}"} for place in range(size)]
    moved = [node | {"x": 1} for node in nodes]
    return {"nodes": nodes, "edges": edges}, {"nodes": moved, "edges": edges}, {"nodes": [], "edges": []}


def edited_and_removed(size: int) -> Sides:
    base, yours, theirs = removed_and_edited(size)
    return base, theirs, yours


def edited_twice(size: int) -> Sides:
    """Every block is edited by both sides, one property each and one together."""
    blocks = {f"b{place}": {"x": 0, "y": 0, "z": 0} for place in range(size)}
    yours = {key: block | {"x": 1, "z": 1} for key, block in blocks.items()}
    theirs = {key: block | {"y": 1, "z": 2} for key, block in blocks.items()}
    return {"blocks": blocks}, {"blocks": yours}, {"blocks": theirs}


def reordered(size: int) -> Sides:
    """Both sides bring the items into another order, take some out and put some in."""
    items = [{"id": f"i{place}"} for place in range(size)]
    return {"a": items}, {"a": [*items[1::2], {"id": "y"}, *items[::4]]}, {"a": [{"id": "t"}, *items[::-1][1::3]]}


def deep(size: int) -> Sides:
    """Objects stand inside one another, and differ on both sides at the bottom."""
    sides: list[Any] = [{"x": 0, "y": 0}, {"x": 1, "y": 0}, {"x": 0, "y": 2}]
    for _ in range(size):
        sides = [{"a": side, "b": 1} for side in sides]
    return sides[0], sides[1], sides[2]


def members(size: int) -> Sides:
    """Both sides exchange half of the members of a loop."""
    everybody = [f"b{place}" for place in range(size)]
    lists = everybody, [*everybody[::2], "y"], [*everybody[1::2], "t"]
    base, yours, theirs = ({"blocks": {}, "loops": {"l": {"nodes": nodes}}} for nodes in lists)
    return base, yours, theirs


@pytest.mark.parametrize("sides", [removed_and_edited, edited_and_removed, edited_twice, reordered, members])
def test_twice_the_document_takes_twice_the_steps(sides: Callable[[int], Sides]) -> None:
    assert steps_of(*sides(400)) < 2.2 * steps_of(*sides(200))


def test_twice_the_depth_takes_twice_the_steps() -> None:
    assert steps_of(*deep(180)) < 2.4 * steps_of(*deep(90))  # paths become longer, too


def test_twice_the_saves_take_twice_the_steps() -> None:
    assert steps.count(lambda: merge_one_by_one(200)) < 2.2 * steps.count(lambda: merge_one_by_one(100))


def steps_of(*sides: Document) -> int:
    base, yours, theirs = map(parsed, sides)
    saves = [diff.diff(base, theirs)]
    return steps.count(lambda: three_way.merge(base, yours, theirs, saves))


def test_a_list_that_went_whole_is_read_once() -> None:
    assert steps.count(lambda: merge_replaced(400)) < 2.2 * steps.count(lambda: merge_replaced(200))


def merge_replaced(size: int) -> None:
    """Merge edits of nodes into saves that removed them all at once, and added another."""
    base, yours, _ = removed_and_edited(size)
    merged = merge(base, yours, {}, {"nodes": [{"id": "new"}]})
    assert len(merged.collisions) == size


class Counted(str):
    """A text that counts how often it is compared."""

    __slots__ = ()
    compared = 0
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return str.__eq__(self, other)


def test_what_is_deep_inside_is_compared_as_often_as_what_is_not() -> None:
    assert comparisons(180) == comparisons(20)


def comparisons(depth: int) -> int:
    sides: list[Document] = [{"x": Counted("same"), "y": place} for place in range(3)]
    for _ in range(depth):
        sides = [{"a": side} for side in sides]
    Counted.compared = 0
    base, yours, theirs = sides
    three_way.merge(base, yours, theirs, [])
    return Counted.compared


def merge_one_by_one(size: int) -> None:
    """Merge edits of nodes into saves that removed one each."""
    base, yours, _ = removed_and_edited(size)
    saves = [
        [
            Change(("nodes", node["id"]), removal=True, before=node),
            Change(("edges", edge["id"]), removal=True, before=edge),
        ]
        for node, edge in zip(base["nodes"], base["edges"], strict=True)
    ]
    merged = three_way.merge(base, yours, {"nodes": [], "edges": []}, saves)
    assert values.equal(merged.document, yours)


def test_documents_of_the_greatest_depth_are_merged() -> None:
    base, yours, theirs = deep(199)
    assert len(merge(base, yours, theirs).collisions) == 0
    items: list[Any] = [0, 1, 2]
    for _ in range(99):
        items = [{"id": "1", "a": [item]} if isinstance(item, dict) else {"id": "1", "x": item} for item in items]
    base, yours, theirs = ({"a": [item]} for item in items)
    assert [collision.yours for collision in merge(base, yours, theirs).collisions] == [1]
