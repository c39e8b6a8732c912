"""The difference between documents: exactly what changed, to the leaf."""

from copy import deepcopy

import pytest
from hypothesis import given

from merge import apply, changes, diff, values
from merge.apply import PathError
from merge.changes import Change, Path
from tests import documents
from tests.merge.strategies import DOCUMENTS, PAIRS, Document, Value


def items(*ids: str) -> list[Value]:
    return [{"id": item} for item in ids]


@given(PAIRS)
def test_applying_the_difference_gives_the_other_document(pair: tuple[Document, Document]) -> None:
    before, after = pair
    assert values.equal(apply.apply(before, diff.diff(before, after)), after)


@given(PAIRS)
def test_nothing_in_a_difference_is_superfluous(pair: tuple[Document, Document]) -> None:
    before, after = pair
    there = diff.diff(before, after)
    for place in range(len(there)):
        try:
            result = apply.apply(before, there[:place] + there[place + 1 :])
        except PathError:
            continue
        assert not values.equal(result, after)


@given(PAIRS)
def test_equal_documents_are_those_without_a_difference(pair: tuple[Document, Document]) -> None:
    before, after = pair
    assert values.equal(before, after) is (diff.diff(before, after) == [])


@given(PAIRS)
def test_a_difference_is_the_same_whether_members_are_compared_one_by_one_or_together(
    pair: tuple[Document, Document],
) -> None:
    told = []
    for few in (0, 1_000):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(diff, "FEW_MEMBERS", few)
            told.append(repr(diff.diff(*pair)))
    assert told[0] == told[1]


@given(DOCUMENTS)
def test_a_document_does_not_differ_from_its_copy(document: Document) -> None:
    assert diff.diff(document, deepcopy(document)) == []


@given(PAIRS)
def test_the_documents_stay_as_they_are(pair: tuple[Document, Document]) -> None:
    before, after = pair
    copies = deepcopy(pair)
    diff.diff(before, after)
    assert repr(pair) == repr(copies)


@pytest.mark.parametrize("document", documents.EVERY_DOCUMENT)
def test_one_property_changed_in_a_workflow_is_one_change(document: Document) -> None:
    for path, leaf in leaves((), document):
        if path[-1] == "id":
            continue
        changed = apply.apply(document, [Change(path, value=[leaf, "changed"])])
        assert diff.diff(document, changed) == [Change(path, value=[leaf, "changed"], before=leaf)]


def leaves(path: Path, value: Value) -> list[tuple[Path, Value]]:
    """List what changes can address: the members of objects and of lists with ids, down to what is one value."""
    members = value if isinstance(value, dict) else values.by_id(value) if isinstance(value, list) else None
    if not members:
        return [(path, value)] if path else []
    return [leaf for key, member in members.items() for leaf in leaves((*path, key), member)]


CASES = {
    "a new key": ({}, {"a": 1}, [Change(("a",), value=1)]),
    "a key that went": ({"a": 1}, {}, [Change(("a",), removal=True, before=1)]),
    "null is a value": ({"a": 1}, {"a": None}, [Change(("a",), value=None, before=1)]),
    "null is not nothing": ({"a": None}, {}, [Change(("a",), removal=True, before=None)]),
    "nothing is not null": ({}, {"a": None}, [Change(("a",), value=None)]),
    "true is not 1": ({"a": 1}, {"a": True}, [Change(("a",), value=True, before=1)]),
    "false is not 0": ({"a": 0.0}, {"a": False}, [Change(("a",), value=False, before=0.0)]),
    "true in a list is not 1": (
        {"a": [0, [1]]},
        {"a": [0, [True]]},
        [Change(("a",), value=[0, [True]], before=[0, [1]])],
    ),
    "1.0 is 1": ({"a": [1], "b": {"c": 1.0}}, {"a": [1.0], "b": {"c": 1}}, []),
    "text is no number": ({"a": 1}, {"a": "1"}, [Change(("a",), value="1", before=1)]),
    "an empty object is no empty list": ({"a": {}}, {"a": []}, [Change(("a",), value=[], before={})]),
    "the order of keys is no content": ({"a": 1, "b": {"c": 1, "d": 2}}, {"b": {"d": 2, "c": 1}, "a": 1}, []),
    "an empty key": ({"": {"": 1}}, {"": {"": 2}}, [Change(("", ""), value=2, before=1)]),
    "a key that JavaScript minds": ({}, {"__proto__": {"a": 1}}, [Change(("__proto__",), value={"a": 1})]),
    "keys that are no ASCII": ({"ключ": {"é": 1}}, {"ключ": {"é": 2}}, [Change(("ключ", "é"), value=2, before=1)]),
    "a list without ids is one value": ({"a": [1, 2]}, {"a": [1, 3]}, [Change(("a",), value=[1, 3], before=[1, 2])]),
    "an item's property": (
        {"nodes": [{"id": "n1", "x": 1}, {"id": "n2"}]},
        {"nodes": [{"id": "n1", "x": 2}, {"id": "n2"}]},
        [Change(("nodes", "n1", "x"), value=2, before=1)],
    ),
    "lists in items of lists": (
        {"a": [{"id": "1", "b": [{"id": "2", "c": 1}]}]},
        {"a": [{"id": "1", "b": [{"id": "2", "c": 2}]}]},
        [Change(("a", "1", "b", "2", "c"), value=2, before=1)],
    ),
    "a new item goes last": (
        {"a": items("1", "2")},
        {"a": items("1", "2", "3")},
        [Change(("a", "3"), value={"id": "3"})],
    ),
    "a new item that does not go last has an order": (
        {"a": items("1", "2")},
        {"a": items("1", "3", "2")},
        [
            Change(("a", "3"), value={"id": "3"}),
            Change(("a",), order=("1", "3", "2"), previous_order=("1", "2", "3")),
        ],
    ),
    "an item that went tells its place": (
        {"a": items("1", "2", "3")},
        {"a": items("1", "3")},
        [Change(("a", "2"), removal=True, before={"id": "2"}, behind="1")],
    ),
    "the first items that went stood behind none": (
        {"a": items("1", "2", "3")},
        {"a": items("3")},
        [
            Change(("a", "1"), removal=True, before={"id": "1"}, behind=""),
            Change(("a", "2"), removal=True, before={"id": "2"}, behind=""),
        ],
    ),
    "another order": (
        {"a": items("1", "2", "3")},
        {"a": items("3", "1", "2")},
        [Change(("a",), order=("3", "1", "2"), previous_order=("1", "2", "3"))],
    ),
    "another id is another item": (
        {"a": [{"id": "1", "x": 1}]},
        {"a": [{"id": "2", "x": 1}]},
        [
            Change(("a", "1"), removal=True, before={"id": "1", "x": 1}, behind=""),
            Change(("a", "2"), value={"id": "2", "x": 1}),
        ],
    ),
    "an empty list is keyed when the other side is": (
        {"a": []},
        {"a": items("1")},
        [Change(("a", "1"), value={"id": "1"})],
    ),
    "a list that is emptied keeps its ids": (
        {"a": items("1")},
        {"a": []},
        [Change(("a", "1"), removal=True, before={"id": "1"}, behind="")],
    ),
    "an empty list that gets numbers is one value": ({"a": []}, {"a": [1]}, [Change(("a",), value=[1], before=[])]),
    "the same id twice: the list is one value": (
        {"a": items("1", "1")},
        {"a": items("1", "2")},
        [Change(("a",), value=items("1", "2"), before=items("1", "1"))],
    ),
    "an empty id: the list is one value": (
        {"a": items("1")},
        {"a": items("")},
        [Change(("a",), value=items(""), before=items("1"))],
    ),
    "an id that is a number: the list is one value": (
        {"a": [{"id": 1}]},
        {"a": [{"id": 2}]},
        [Change(("a",), value=[{"id": 2}], before=[{"id": 1}])],
    ),
    "an item without id: the list is one value": (
        {"a": items("1")},
        {"a": [{"id": "1"}, {}]},
        [Change(("a",), value=[{"id": "1"}, {}], before=items("1"))],
    ),
}


@pytest.mark.parametrize(("before", "after", "there"), CASES.values(), ids=CASES.keys())
def test_what_is_told_of_a_difference(before: Document, after: Document, there: list[Change]) -> None:
    assert diff.diff(before, after) == there
    assert values.equal(apply.apply(before, there), after)


@pytest.mark.parametrize("levels", [1, 3, 4, 5, 6, 199])
def test_a_change_is_found_at_any_depth(levels: int) -> None:
    before, after = nested(levels, {"kept": [1, 2], "x": 1}), nested(levels, {"kept": [1.0, 2], "x": True})
    assert diff.diff(before, after) == [Change((*["a"] * levels, "x"), value=True, before=1)]


def nested(levels: int, value: Value) -> Document:
    for _ in range(levels):
        value = {"a": value}
    return value  # type: ignore[no-any-return]


def test_what_is_equal_is_not_looked_at_once_more_for_every_level_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0
    canonical = values.canonical

    def counting(value: object) -> bytes:
        nonlocal compared
        compared += 1
        return canonical(value)

    monkeypatch.setattr(values, "canonical", counting)
    diff.diff(nested(150, {"x": 1, "kept": [0, 1]}), nested(150, {"x": True, "kept": [0, 1]}))
    assert compared < 20


def test_changes_whose_paths_outweigh_any_document_are_told_by_whole_members(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diff, "MOST_CHARACTERS", 10_000)
    before: Document = {"k" * 1_000: {str(n): n for n in range(20)}, "same": {"x": 1}, "gone": 1, "true": [1]}
    after: Document = {"k" * 1_000: {str(n): -1 for n in range(20)}, "same": {"x": 1.0}, "true": [True], "new": None}
    assert diff.diff(before, after) == [
        Change(("k" * 1_000,), value=after["k" * 1_000], before=before["k" * 1_000]),
        Change(("gone",), removal=True, before=1),
        Change(("true",), value=[True], before=[1]),
        Change(("new",), value=None),
    ]


@given(PAIRS)
def test_changes_of_whole_members_lead_there_and_back(pair: tuple[Document, Document]) -> None:
    before, after = pair
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diff, "MOST_CHARACTERS", 0)
        there = diff.diff(before, after)
    assert all(len(change.path) == 1 for change in there)
    assert values.equal(apply.apply(before, there), after)
    assert values.equal(apply.apply(after, changes.inverse(there)), before)
