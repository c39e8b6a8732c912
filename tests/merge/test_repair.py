"""Graph repair: what a merge of sound graphs breaks is taken out, and told; nothing else is."""

from copy import deepcopy
from itertools import pairwise

from hypothesis import given

from merge import diff, repair, three_way, values
from merge.changes import Path
from merge.repair import Reason, Repair
from tests.merge import drawings, meetings
from tests.merge.drawings import Document
from tests.merge.meetings import Value

Meeting = list[Document]  # a base, yours, theirs, and one more


def edge(key: str, source: str, target: str) -> Document:
    return {"id": key, "source": source, "target": target}


def merge(base: Document, yours: Document, theirs: Document) -> Document:
    return three_way.merge(base, yours, theirs, [diff.diff(base, theirs)]).document


def graph(document: Document) -> Document:
    """Give the object that holds the graph."""
    held: Document = document.get("data", document)
    return held


def elements(document: Document) -> set[str]:
    held = graph(document)
    return {node["id"] for node in held["nodes"]} if "nodes" in held else set(held["blocks"])


def loose_edges(document: Document) -> list[Document]:
    here = elements(document)
    return [edge for edge in graph(document)["edges"] if not {edge["source"], edge["target"]} <= here]


def lost_members(document: Document) -> list[str]:
    here, held = elements(document), graph(document)
    groups = [*held["loops"].values(), *held["parallels"].values()]
    return [member for group in groups for member in group["nodes"] if member not in here]


@given(drawings.MEETINGS)
def test_the_graph_is_sound_after_the_merge_of_sound_graphs(meeting: Meeting) -> None:
    base, yours, theirs, _ = meeting
    result, _ = repair.repair(merge(base, yours, theirs), yours, theirs)
    assert loose_edges(result) == []
    assert lost_members(result) == []


@given(drawings.MEETINGS)
def test_the_graph_is_sound_after_one_merge_upon_the_other(meeting: Meeting) -> None:
    base, *sides = meeting
    standing = [base]
    for yours in sides:
        saves = [diff.diff(before, after) for before, after in pairwise(standing)]
        merged = three_way.merge(base, yours, standing[-1], saves).document
        standing.append(repair.repair(merged, yours, standing[-1])[0])
    assert loose_edges(standing[-1]) == []
    assert lost_members(standing[-1]) == []


@given(drawings.MEETINGS)
def test_no_edge_that_both_sides_draw_at_the_same_time_is_there_twice(meeting: Meeting) -> None:
    base, yours, theirs, _ = meeting
    result, _ = repair.repair(merge(base, yours, theirs), yours, theirs)
    mine, other = (
        {edge["id"] for edge in graph(one)["edges"]} - {edge["id"] for edge in graph(two)["edges"]}
        for one, two in ((yours, theirs), (theirs, yours))
    )
    contents = [content(edge) for edge in graph(result)["edges"] if edge["id"] in mine]
    assert not set(contents) & {content(edge) for edge in graph(result)["edges"] if edge["id"] in other}


def content(edge: Document) -> bytes:
    return values.canonical({key: value for key, value in edge.items() if key != "id"})


@given(drawings.MEETINGS)
def test_what_is_repaired_is_what_the_merge_broke(meeting: Meeting) -> None:
    base, yours, theirs, _ = meeting
    merged = merge(base, yours, theirs)
    result, repairs = repair.repair(merged, yours, theirs)
    ends = [mended.removed for mended in repairs if mended.reason is Reason.END_MISSING]
    members = [mended.removed for mended in repairs if mended.reason is Reason.MEMBER_MISSING]
    duplicates = [mended.removed for mended in repairs if mended.reason is Reason.DUPLICATE]
    assert ends == [edge for edge in loose_edges(merged) if edge not in duplicates]
    assert members == lost_members(merged)
    assert elements(result) == elements(merged)
    gone = len(graph(merged)["edges"]) - len(graph(result)["edges"])
    assert gone == len(ends) + len(duplicates)


@given(drawings.MEETINGS)
def test_what_is_told_is_no_longer_there(meeting: Meeting) -> None:
    base, yours, theirs, _ = meeting
    merged = merge(base, yours, theirs)
    result, repairs = repair.repair(merged, yours, theirs)
    for mended in repairs:
        if mended.reason is Reason.MEMBER_MISSING:
            assert mended.removed in find(merged, mended.path)
            assert mended.removed not in find(result, mended.path)
        else:
            *parents, key = mended.path
            assert mended.removed in find(merged, tuple(parents))
            assert key not in [edge["id"] for edge in find(result, tuple(parents))]


def find(document: Document, path: Path) -> list[Value]:
    value: Value = document
    for key in path:
        value = value[key]
    assert isinstance(value, list)
    return value


@given(drawings.MEETINGS)
def test_a_sound_graph_is_left_as_it_is(meeting: Meeting) -> None:
    _, yours, theirs, result = meeting
    assert repair.repair(result, result, result) == (result, ())
    assert repair.repair(yours, yours, theirs) == (yours, ())
    assert repair.repair(theirs, yours, theirs) == (theirs, ())


@given(meetings.MEETINGS)
def test_any_documents_can_be_repaired_and_stay_as_they_are(meeting: Meeting) -> None:
    base, yours, theirs = meeting
    kept = deepcopy(meeting)
    repair.repair(merge(base, yours, theirs), yours, theirs)
    assert repr([base, yours, theirs]) == repr(kept)


def test_what_was_broken_on_one_side_is_that_sides_business() -> None:
    early: Document = {"blocks": {"a": {}, "b": {}}, "edges": [edge("1", "a", "z")], "loops": {"l": {"nodes": ["z"]}}}
    without: Document = {"blocks": {"a": {}}, "edges": [], "loops": {"l": {"nodes": []}}}
    merged: Document = {**early, "blocks": {"a": {}}}
    assert repair.repair(merged, early, without) == (merged, ())
    assert repair.repair(merged, without, early) == (merged, ())


def test_what_comes_back_from_before_both_sides_is_mended_too() -> None:
    yours: Document = {"blocks": {"a": {}}, "edges": [], "loops": {"m": {"nodes": []}}}
    theirs: Document = {"blocks": {"b": {}}}
    merged: Document = {
        "blocks": {"a": {}, "b": {}},
        "edges": [edge("1", "a", "gone")],
        "loops": {"l": {"nodes": ["gone"]}},
    }
    result, repairs = repair.repair(merged, yours, theirs)
    assert (result["edges"], result["loops"]) == ([], {"l": {"nodes": []}})
    assert [mended.reason for mended in repairs] == [Reason.END_MISSING, Reason.MEMBER_MISSING]


def test_an_edge_that_names_only_one_end_is_sound_with_that_end() -> None:
    sides: Document = {"blocks": {"a": {}, "b": {}}, "edges": [{"id": "1", "source": "a"}, {"id": "2", "target": 7}]}
    assert repair.repair({**sides, "blocks": {"a": {}}}, sides, sides)[1] == ()
    removed: Document = {"id": "1", "source": "a"}
    _, repairs = repair.repair({**sides, "blocks": {"b": {}}}, sides, sides)
    assert repairs == (Repair(("edges", "1"), Reason.END_MISSING, removed),)


def test_what_is_no_list_of_edges_is_left_alone() -> None:
    for edges in ({"1": edge("1", "a", "b")}, "none", None, ["a", 1, None]):
        sides: Document = {"blocks": {"a": {}, "b": {}}, "edges": edges}
        merged: Document = {"blocks": {"a": {}}, "edges": edges}
        assert repair.repair(merged, sides, sides) == (merged, ())


def test_members_that_are_no_texts_are_left_alone() -> None:
    sides: Document = {
        "blocks": {"a": {}, "b": {}},
        "loops": {"l": {"nodes": ["b", 1, None, {}, "b"]}, "m": 5, "n": {"nodes": "b"}},
    }
    merged: Document = {**sides, "blocks": {"a": {}}}
    result, repairs = repair.repair(merged, sides, sides)
    assert result["loops"] == {"l": {"nodes": [1, None, {}]}, "m": 5, "n": {"nodes": "b"}}
    assert repairs == (Repair(("loops", "l", "nodes"), Reason.MEMBER_MISSING, "b"),) * 2


def test_edges_without_ids_are_told_by_their_list_and_all_alike_ones_go() -> None:
    lost: Document = {"source": "a", "target": "b"}
    sides: Document = {"nodes": [{"id": "a"}, {"id": "b"}], "edges": [lost, {"source": "a", "target": "a"}, lost]}
    result, repairs = repair.repair({**sides, "nodes": [{"id": "a"}]}, sides, sides)
    assert result["edges"] == [{"source": "a", "target": "a"}]
    assert repairs == (Repair(("edges",), Reason.END_MISSING, lost),) * 2


def test_what_joins_nothing_is_no_edge_that_was_drawn_twice() -> None:
    yours: Document = {"nodes": [], "edges": [{"id": "1", "type": "note"}]}
    theirs: Document = {"nodes": [], "edges": [{"id": "2", "type": "note"}]}
    merged = merge({"nodes": [], "edges": []}, yours, theirs)
    assert repair.repair(merged, yours, theirs) == (merged, ())
