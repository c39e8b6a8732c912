"""What a run of saves touched."""

from itertools import pairwise

from hypothesis import given

from merge import diff
from merge.changes import Change, Path
from merge.touched import Removed, Touched
from tests.merge import drawings, meetings
from tests.merge.drawings import Document


def by(*documents: Document) -> Touched:
    """Give what the saves touched that made each document of the one before it."""
    return Touched([diff.diff(before, after) for before, after in pairwise(documents)])


def test_nothing_is_touched_without_saves() -> None:
    nothing = Touched([])
    assert nothing.last(("a",)) is None
    assert nothing.removed(("a",)) is None


def test_the_last_save_of_a_path_is_the_last_that_changed_it() -> None:
    saves = by({"a": 0, "b": 0}, {"a": 1, "b": 0}, {"a": 2, "b": 0}, {"a": 2, "b": 1})
    assert saves.last(("a",)) == 1
    assert saves.last(("b",)) == 2
    assert saves.last(("c",)) is None


def test_a_change_inside_counts_and_one_beside_does_not() -> None:
    saves = by({"a": {"x": {"y": 0}, "z": 0}}, {"a": {"x": {"y": 1}, "z": 0}}, {"a": {"x": {"y": 1}, "z": 1}})
    assert saves.last(("a",)) == 1
    assert saves.last(("a", "x")) == 0
    assert saves.last(("a", "x", "y")) == 0
    assert saves.last(("a", "z")) == 1


def test_a_change_of_what_a_path_is_part_of_counts() -> None:
    saves = by({"a": {"x": 0}}, {"a": {"x": 1}}, {"b": 0}, {"a": {"x": 1}, "b": 0})
    assert saves.last(("a", "x")) == 2


def test_another_order_is_a_change_of_the_list_and_not_of_its_items() -> None:
    items = [{"id": "1", "x": 0}, {"id": "2", "x": 0}]
    edited = [{"id": "1", "x": 1}, {"id": "2", "x": 0}]
    saves = by({"a": items}, {"a": edited}, {"a": edited[::-1]})
    assert saves.last(("a",)) == 1
    assert saves.last(("a", "1")) == 0
    assert saves.last(("a", "1", "x")) == 0
    assert saves.last(("a", "2")) is None


def test_what_was_removed_is_told_as_it_was_then_with_the_save() -> None:
    saves = by({"a": {"x": 0}}, {"a": {"x": 1}}, {}, {"b": 1})
    assert saves.removed(("a",)) == Removed(1, {"x": 1})
    assert saves.removed(("a", "x")) == Removed(1, 1)
    assert saves.removed(("a", "y")) is None
    assert saves.removed(("a", "x", "y")) is None


def test_of_several_removals_the_last_one_counts() -> None:
    saves = by({"a": 0}, {}, {"a": 1}, {})
    assert saves.removed(("a",)) == Removed(2, 1)


def test_what_was_removed_before_what_it_was_part_of_is_told_by_its_own_removal() -> None:
    saves = by({"a": {"x": 0, "y": 0}}, {"a": {"y": 0}}, {})
    assert saves.removed(("a", "x")) == Removed(0, 0)
    assert saves.removed(("a",)) == Removed(1, {"y": 0})


def test_what_became_another_type_took_its_members_away() -> None:
    saves = by({"a": {"x": 0}, "b": [{"id": "1"}]}, {"a": 5, "b": ["text"]})
    assert saves.removed(("a", "x")) == Removed(0, 0)
    assert saves.removed(("b", "1")) == Removed(0, {"id": "1"})
    assert saves.removed(("b", "2")) is None


def test_an_item_is_found_in_a_list_that_was_removed_whole() -> None:
    saves = by({"a": {"b": [{"id": "1", "x": 0}], "c": [0]}}, {})
    assert saves.removed(("a", "b", "1", "x")) == Removed(0, 0)
    assert saves.removed(("a", "c", "0")) is None


def test_null_that_was_removed_is_a_value() -> None:
    assert by({"a": None}, {}).removed(("a",)) == Removed(0, None)


def test_the_items_that_a_save_removed_one_by_one_or_all_at_once() -> None:
    edges = [{"id": "1"}, {"id": "2", "x": {"id": "3"}}]
    saves = by({"edges": edges, "other": edges}, {"edges": edges[:1], "other": []}, {"edges": edges[:1]}, {})
    assert list(saves.removals(0, ("edges",))) == [("2", edges[1])]
    assert list(saves.removals(1, ("edges",))) == []
    assert list(saves.removals(2, ("edges",))) == [("1", edges[0])]


def test_a_list_without_ids_has_no_items_to_remove() -> None:
    assert list(by({"edges": [{"source": "a"}]}, {}).removals(0, ("edges",))) == []


def test_items_of_a_list_that_became_something_else_were_not_removed() -> None:
    edges = [{"id": "1"}, {"id": "2"}]
    assert list(by({"edges": edges}, {"edges": [*edges, "text"]}).removals(0, ("edges",))) == []


def test_changes_that_do_not_tell_what_they_replaced_remove_nothing() -> None:
    saves = Touched([[Change(("a", "1"), removal=True)]])
    assert saves.removed(("a", "1")) is None
    assert list(saves.removals(0, ("a",))) == []


@given(meetings.MEETINGS | drawings.MEETINGS)
def test_the_last_save_is_the_one_after_which_a_path_stays_as_it_is(documents: list[Document]) -> None:
    saves = by(*documents)
    for path in {change.path for before, after in pairwise(documents) for change in diff.diff(before, after)}:
        last = saves.last(path)
        assert last is not None
        assert not any(meets(path, change) for change in changes_after(documents, last))
        assert any(meets(path, change) for change in diff.diff(documents[last], documents[last + 1]))


def changes_after(documents: list[Document], save: int) -> list[Change]:
    return [change for before, after in pairwise(documents[save + 1 :]) for change in diff.diff(before, after)]


def meets(path: Path, change: Change) -> bool:
    shorter = min(len(path), len(change.path))
    is_inside = path == change.path or len(change.path) > len(path) or change.order is None
    return path[:shorter] == change.path[:shorter] and is_inside
