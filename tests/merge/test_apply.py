"""Changes brought into documents, which stay as they are; what does not fit is refused with its path."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given

from merge import apply, changes, diff, values
from merge.apply import PathError
from merge.changes import Change
from tests.merge.strategies import PAIRS, Document


def items(*ids: str) -> list[Any]:
    return [{"id": item} for item in ids]


def ids(document: Document, key: str = "a") -> str:
    return " ".join(item["id"] for item in document[key])


@given(PAIRS)
def test_the_document_and_the_changes_stay_as_they_are(pair: tuple[Document, Document]) -> None:
    before, after = pair
    there = diff.diff(before, after)
    kept = repr((before, there))
    result = apply.apply(before, there)
    apply.apply(result, diff.diff(result, {}))
    apply.apply(before, [*there, *changes.inverse(there)])
    assert repr((before, there)) == kept


def test_a_value_that_is_put_is_not_changed_by_later_changes() -> None:
    value: Document = {"x": 1, "list": items("1")}
    there = [
        Change(("a",), value=value),
        Change(("a", "x"), value=2),
        Change(("a", "list", "2"), value={"id": "2"}),
        Change(("a", "list", "1", "y"), value=3),
    ]
    first, second = apply.apply({}, there), apply.apply({}, there)
    assert first == second == {"a": {"x": 2, "list": [{"id": "1", "y": 3}, {"id": "2"}]}}
    assert value == {"x": 1, "list": items("1")}


def test_what_no_change_touches_is_shared_and_the_rest_is_not() -> None:
    document: Document = {"a": {"x": 1}, "b": {"y": [1]}, "c": items("1", "2")}
    result: Document = apply.apply(document, [Change(("a", "x"), value=2), Change(("c", "1", "z"), value=1)])
    assert result["b"] is document["b"]
    assert result["c"][1] is document["c"][1]
    result["a"]["new"] = result["c"][0]["new"] = True
    result["c"].pop()
    assert document == {"a": {"x": 1}, "b": {"y": [1]}, "c": items("1", "2")}


def test_without_changes_the_result_is_a_document_of_its_own() -> None:
    document: Document = {"a": 1}
    result = apply.apply(document, [])
    result["b"] = 2
    assert document == {"a": 1}


def test_changes_are_applied_one_after_the_other() -> None:
    there = [
        Change(("a",), value=1),
        Change(("a",), value={}),
        Change(("a", "b"), value=2),
        Change(("a",), value={"c": {}}),
        Change(("a", "c", "d"), value=3),
        Change(("a", "c"), value=4),
        Change(("b",), value=[{"id": "1"}]),
        Change(("b", "1", "x"), value=5),
        Change(("b",), value={"id": "2"}),
    ]
    assert apply.apply({}, there) == {"a": {"c": 4}, "b": {"id": "2"}}
    there += [
        Change(("b",), removal=True),
        Change(("a",), removal=True),
        Change(("a",), value=[]),
        Change(("a", "1"), value={"id": "1"}),
        Change(("a", "1", "x"), value=None),
    ]
    assert apply.apply({}, there) == {"a": [{"id": "1", "x": None}]}


@pytest.mark.parametrize(
    ("behind", "order"),
    [(None, "1 2 3 new"), ("", "new 1 2 3"), ("1", "1 new 2 3"), ("3", "1 2 3 new"), ("gone", "1 2 3 new")],
)
def test_a_new_item_goes_behind_the_one_it_names_or_last(behind: str | None, order: str) -> None:
    there = [Change(("a", "new"), value={"id": "new"}, behind=behind)]
    assert ids(apply.apply({"a": items("1", "2", "3")}, there)) == order


def test_items_behind_the_same_one_stand_in_reverse_each_next_to_it() -> None:
    there = [Change(("a", key), value={"id": key}, behind="1") for key in ("x", "y", "z")]
    assert ids(apply.apply({"a": items("1", "2")}, there)) == "1 z y x 2"


def test_an_item_goes_behind_one_that_was_itself_just_placed() -> None:
    there = [
        Change(("a", "x"), value={"id": "x"}, behind=""),
        Change(("a", "y"), value={"id": "y"}, behind="x"),
        Change(("a", "last"), value={"id": "last"}),
        Change(("a", "z"), value={"id": "z"}, behind="last"),
    ]
    assert ids(apply.apply({"a": items("1")}, there)) == "x y 1 last z"


def test_an_item_keeps_its_place_when_the_one_before_it_goes() -> None:
    there = [
        Change(("a", "x"), value={"id": "x"}, behind="1"),
        Change(("a", "1"), removal=True),
        Change(("a", "1"), value={"id": "1"}),
    ]
    assert ids(apply.apply({"a": items("0", "1", "2")}, there)) == "0 x 2 1"


def test_an_order_decides_over_places_that_came_before_it() -> None:
    there = [Change(("a", "x"), value={"id": "x"}, behind=""), Change(("a",), order=("2", "x", "1"))]
    assert ids(apply.apply({"a": items("1", "2")}, there)) == "2 x 1"


def test_an_item_that_is_replaced_stays_where_it_is() -> None:
    there = [Change(("a", "1"), value={"id": "1", "new": True}, behind="2")]
    assert ids(apply.apply({"a": items("1", "2")}, there)) == "1 2"


def test_a_place_means_nothing_in_an_object() -> None:
    assert apply.apply({"a": {}}, [Change(("a", "x"), value=1, behind="")]) == {"a": {"x": 1}}


MISFITS = {
    "the document itself": ((), {"value": {}}),
    "below nothing": (("gone", "x"), {"value": 1}),
    "below a number": (("number", "x"), {"value": 1}),
    "below null": (("null", "x"), {"value": 1}),
    "below a text": (("text", "0"), {"value": 1}),
    "into a list without ids": (("list", "0"), {"value": 1}),
    "into a list with one id twice": (("twice", "1", "x"), {"value": 1}),
    "an item that is no object": (("keyed", "1"), {"value": 1}),
    "an item without its id": (("keyed", "1"), {"value": {}}),
    "an item with another id": (("keyed", "1"), {"value": {"id": "2"}}),
    "an item with an empty id": (("empty", ""), {"value": {"id": ""}}),
    "another id for an item": (("keyed", "1", "id"), {"value": "2"}),
    "no id for an item": (("keyed", "1", "id"), {"removal": True}),
    "removing nothing": (("gone",), {"removal": True}),
    "removing an item that is not there": (("keyed", "9"), {"removal": True}),
    "ordering nothing": (("gone",), {"order": ()}),
    "ordering an object": (("object",), {"order": ("x",)}),
    "ordering a list without ids": (("list",), {"order": ("1",)}),
    "an order that leaves an item out": (("keyed",), {"order": ("1",)}),
    "an order with an item too many": (("keyed",), {"order": ("1", "2", "3")}),
    "an order with an item twice": (("keyed",), {"order": ("1", "1")}),
}


@pytest.mark.parametrize(("path", "what"), MISFITS.values(), ids=MISFITS.keys())
def test_what_does_not_fit_is_refused_with_its_path(path: tuple[str, ...], what: dict[str, Any]) -> None:
    document: Document = {
        "number": 1,
        "null": None,
        "text": "abc",
        "object": {"x": 1},
        "list": [1],
        "twice": items("1", "1"),
        "keyed": items("1", "2"),
        "empty": [],
    }
    kept = deepcopy(document)
    with pytest.raises(PathError) as refused:
        apply.apply(document, [Change(("number",), value=2), Change(path, **what)])
    assert refused.value.path == path
    assert str(refused.value).endswith(".")
    assert document == kept


def test_an_item_keeps_an_id_that_is_set_again() -> None:
    assert apply.apply({"a": items("1")}, [Change(("a", "1", "id"), value="1")]) == {"a": items("1")}


@pytest.mark.timeout(20)
def test_twenty_thousand_items_are_put_back_in_time_that_does_not_multiply() -> None:
    every: Document = {"a": items(*map(str, range(20_000)))}
    some: list[Document] = [{"a": []}, {"a": every["a"][::2]}, {"a": every["a"][:1]}]
    for left in some:
        there = diff.diff(every, left)
        assert apply.apply(every, there) == left
        assert apply.apply(left, changes.inverse(there)) == every


@pytest.mark.timeout(20)
def test_twenty_thousand_items_are_turned_around_in_time_that_does_not_multiply() -> None:
    every: Document = {"a": items(*map(str, range(20_000)))}
    turned: Document = {"a": every["a"][::-1]}
    there = diff.diff(every, turned)
    assert len(there) == 1
    assert values.equal(apply.apply(every, there), turned)
