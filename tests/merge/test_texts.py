"""Texts beside known ones: read only where they differ, and never otherwise than as a whole."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merge import apply, texts, values
from merge.changes import Change
from merge.texts import Known
from tests import documents
from tests.merge import leaves
from tests.merge.dice import Dice, dice
from tests.merge.strategies import DOCUMENTS, PAIRS, Document, Value

MAX_BYTES = 8 * 1024 * 1024
FORMATS: list[dict[str, Any]] = [
    {"separators": (",", ":"), "ensure_ascii": False},
    {"separators": (",", ":")},
    {},
    {"indent": 1, "ensure_ascii": False},
]
SCRAPS = [
    *(bytes([byte]) for byte in b'{}[],: \n\t"\\-+.0123456789eEutfn\0\x7f\xc3\xa9\xff\xed\xf0'),
    *(
        b'"a"',
        b'"id":"n1"',
        b'"a":1,',
        b',"a":{}',
        b'{"id":"n1"},',
        b"[[",
        b"]]",
        b"{}",
        b"[]",
        b'""',
        b"null",
        b"true",
    ),
    *(
        b"1.0",
        b"1e2",
        b"-0.0",
        b"1e100000",
        b"5e-324",
        b"1e300",
        b"18446744073709551616",
        b"9" * 30,
        b"NaN",
        b"-Infinity",
    ),
    *(
        b"\\u0000",
        b"\\\\u0000",
        b"\\ud800",
        b"\\ud83d\\ude00",
        b'\\"',
        b"\\\\",
        b"\\x",
        "é🙂".encode(),
        b"\xed\xa0\x80",
    ),
    *(b"[" * 6, b'{"a":' * 6, b"[" * 300, b"[" * 300 + b"]" * 300, b'{"":' * 200 + b"0" + b"}" * 200),
]


def read_whole(text: bytes, *, max_depth: int, max_bytes: int) -> Document | None:
    """Parse and check a text; None where it is no document."""
    try:
        document = values.parse(text)
    except values.MalformedError:
        return None
    return None if values.problems(document, max_depth=max_depth, max_bytes=max_bytes) else document  # type: ignore[return-value]


def read(text: bytes, known: Known, *, max_depth: int = 200, max_bytes: int = MAX_BYTES) -> Known | None:
    """Read a text beside a known one; where that succeeds it gives what parsing it does."""
    found = texts.read(text, known, max_depth=max_depth, max_bytes=max_bytes)
    if found is not None:
        whole = read_whole(text, max_depth=max_depth, max_bytes=max_bytes)
        assert repr(found.document) == repr(whole)  # where == takes 1, 1.0 and true for one, and the order for none
        assert found.text == text
        assert found.size is None or found.size >= len(values.dump(whole))
    return found


def load(text: bytes) -> Document:
    document: Document = values.parse(text)  # type: ignore[assignment]
    return document


def dumped(document: Value, form: int = 0) -> bytes:
    return json.dumps(document, **FORMATS[form]).encode()


@contextmanager
def sizes(*, large: int, few: int = 16, margin: int, step: int) -> Iterator[None]:
    """Look into small objects, in small steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(texts, "LARGE", large)
        patch.setattr(texts, "FEW_MEMBERS", few)
        patch.setattr(texts, "MARGIN", margin)
        patch.setattr(texts, "STEP", step)
        yield


def scrap(dice: Dice, text: bytes) -> bytes:
    """Draw what comes into a text: something odd, or a piece of itself."""
    if dice.number(3):
        return b"".join(dice.sample(SCRAPS, 2))
    begin = place(dice, text)
    return text[begin : begin + dice.number(40)]


def place(dice: Dice, text: bytes) -> int:
    return (dice.number(256) * 256 + dice.number(256)) % (len(text) + 1)


def damaged(dice: Dice, text: bytes) -> bytes:
    """Put something into a text, here and there, in the place of something."""
    for _ in range(1 + dice.number(3)):
        begin = place(dice, text)
        text = text[:begin] + scrap(dice, text) + text[begin + dice.pick([0, 0, 1, 2, dice.number(30)]) :]
    return text


SIZES = st.fixed_dictionaries(
    {
        "large": st.sampled_from([0, 8, 2_048]),
        "margin": st.sampled_from([1, 4, 256]),
        "step": st.sampled_from([1, 4096]),
    }
)
SEVERAL = st.lists(dice(24), min_size=1, max_size=3)


@given(DOCUMENTS, st.sampled_from(range(len(FORMATS))), SEVERAL, SIZES, st.sampled_from([3, 8, 200]))
def test_damaged_texts_are_read_as_a_whole_or_to_the_same_document(
    document: Document, form: int, damages: list[Dice], drawn: dict[str, int], max_depth: int
) -> None:
    text = dumped(document, form)
    if (whole := read_whole(text, max_depth=max_depth, max_bytes=MAX_BYTES)) is None:
        return
    known = Known(text, whole)
    with sizes(**drawn):
        for damage in damages:
            known = read(damaged(damage, known.text), known, max_depth=max_depth) or known


@given(PAIRS, st.sampled_from(range(len(FORMATS))), SIZES)
def test_edited_documents_are_read_as_a_whole_or_to_the_same_document(
    pair: tuple[Document, Document], form: int, drawn: dict[str, int]
) -> None:
    before, after = (dumped(document, form) for document in pair)
    known = Known(before, load(before))
    with sizes(**drawn):
        there = read(after, known)
        assert there is not None or not pair[0] or not pair[1]
        if there is not None:
            assert read(before, there) is not None


def changed(document: Document, *changes: Change) -> Document:
    return apply.apply(document, changes)


def known(document: Document) -> Known:
    text = dumped(document)
    return Known(text, load(text))


SIM = documents.sim(60)
BLOCKS = list(SIM["blocks"])
EDGES = [edge["id"] for edge in SIM["edges"]]
FLOW = documents.flowise(40)
NODES = [node["id"] for node in FLOW["nodes"]]
LANG = documents.langflow(30)
NODE = LANG["data"]["nodes"][9]["id"]
ITEM: Document = {"id": "new", "data": {"x": 1.5}, "text": "größer"}
EDITS: dict[str, tuple[Document, list[Change]]] = {
    "a property of a block": (SIM, [Change(("blocks", BLOCKS[9], "enabled"), value=None)]),
    "the clock": (SIM, [Change(("lastSaved",), value=17)]),
    "a property and the clock": (
        SIM,
        [Change(("blocks", BLOCKS[9], "position", "x"), value=1e-3), Change(("lastSaved",), value=17)],
    ),
    "two blocks": (SIM, [Change(("blocks", BLOCKS[place], "name"), value="\\") for place in (0, 59)]),
    "neighbours": (SIM, [Change(("blocks", BLOCKS[place], "name"), value='"') for place in (7, 8)]),
    "a new block": (SIM, [Change(("blocks", "new"), value=ITEM)]),
    "a new block and its edge": (SIM, [Change(("blocks", "new"), value=ITEM), Change(("edges", "new"), value=ITEM)]),
    "a block that went": (SIM, [Change(("blocks", BLOCKS[9]), removal=True)]),
    "the last block that went": (SIM, [Change(("blocks", BLOCKS[59]), removal=True)]),
    "blocks that went": (SIM, [Change(("blocks", BLOCKS[place]), removal=True) for place in (0, 9, 10, 11)]),
    "an edge that is first": (SIM, [Change(("edges", "new"), value=ITEM, behind="")]),
    "an edge in the middle": (SIM, [Change(("edges", "new"), value=ITEM, behind=EDGES[9])]),
    "edges that went": (SIM, [Change(("edges", EDGES[place]), removal=True) for place in (0, 9, 10, 58)]),
    "a text that grew": (SIM, [Change(("blocks", BLOCKS[9], "name"), value="日本" * 5_000)]),
    "a new key": (SIM, [Change(("added",), value=True)]),
    "a key that went": (SIM, [Change(("loops",), removal=True)]),
    "a property of a node": (FLOW, [Change(("nodes", NODES[9], "position", "x"), value=4242)]),
    "a node of another id": (
        FLOW,
        [Change(("nodes", NODES[9]), removal=True), Change(("nodes", "new"), value=ITEM, behind=NODES[8])],
    ),
    "a property of a node one level down": (LANG, [Change(("data", "nodes", NODE, "selected"), value=True)]),
    "a member of another type": (LANG, [Change(("data", "viewport"), value=[0])]),
}


@pytest.mark.parametrize("form", range(len(FORMATS)))
@pytest.mark.parametrize(("document", "edit"), EDITS.values(), ids=EDITS.keys())
def test_an_edit_is_read_where_it_is(document: Document, edit: list[Change], form: int) -> None:
    before, after = dumped(document, form), dumped(changed(document, *edit), form)
    there = read(after, Known(before, load(before)))
    assert there is not None
    back = read(before, there)
    assert back is not None


@pytest.mark.parametrize(("document", "edit"), EDITS.values(), ids=EDITS.keys())
def test_what_is_not_edited_is_shared_but_for_what_follows_a_removal(document: Document, edit: list[Change]) -> None:
    before = known(document)
    after = read(dumped(changed(document, *edit)), before)
    assert after is not None
    there, here = parts(before.document), parts(after.document)
    alike = [key for key in there.keys() & here.keys() if values.equal(there[key], here[key])]
    assert len(alike) >= len(there) - len(edit)
    assert sum(there[key] is not here[key] for key in alike) <= sum(change.removal for change in edit)


def parts(document: Document) -> dict[tuple[str, str], Value]:
    """Find the blocks, nodes and edges."""
    held = document.get("data", document)
    found: dict[tuple[str, str], Value] = {("blocks", key): block for key, block in held.get("blocks", {}).items()}
    for name in ("nodes", "edges"):
        found |= {(name, item["id"]): item for item in held.get(name, ())}
    return found


SMALL_EDITS = {name: edit for name, edit in EDITS.items() if name != "a text that grew"}


@pytest.mark.parametrize(("document", "edit"), SMALL_EDITS.values(), ids=SMALL_EDITS.keys())
def test_hardly_more_than_what_differs_is_parsed(
    document: Document, edit: list[Change], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = known(document)
    after = read(dumped(changed(document, *edit)), before)
    assert after is not None
    scanned: list[int] = []
    scan = values.scan

    def measured(text: str, begin: int) -> tuple[Value, int]:
        found, stop = scan(text, begin)
        scanned.append(stop - begin)
        return found, stop

    monkeypatch.setattr(values, "scan", measured)
    assert texts.read(after.text, before, max_depth=200, max_bytes=MAX_BYTES) is not None
    assert sum(scanned) < 6_000 < len(after.text) // 6


def test_a_text_that_is_known_is_not_read_at_all() -> None:
    before = known(SIM)
    assert texts.read(bytes(bytearray(before.text)), before, max_depth=200, max_bytes=MAX_BYTES) is before


def test_the_document_is_the_known_one_where_only_space_around_it_differs() -> None:
    before = known(SIM)
    after = read(before.text + b"\n ", before)
    assert after is not None
    assert after.document is before.document


@pytest.mark.parametrize(
    ("text", "other"),
    [
        (b'{"a":1}', b'{"a":12}'),
        (b'{"a":1}', b'{"a":1.0}'),
        (b'{"a":[1,2]}', b'{"a":[1,2,3]}'),
        (b'{"a":[1,2]}', b'{"a":[]}'),
        (b'{"a":[]}', b'{"a":[{}]}'),
        (b'{"a":"\xc3\xa9"}', b'{"a":"\xc3\xa8"}'),
        (b'{"a":"\\\\"}', b'{"a":"\\""}'),
        (b'{"a":1,"b":2}', b'{"b":2,"a":1}'),
        (b'{"a":1,"b":2}', b'{ "a" : 1 , "b":2 }'),
        (b'{"a":{"id":"x"}}', b'{"a":{"id":"y"}}'),
        (b"{}", b'{"a":1}'),
    ],
)
def test_small_differences_are_read_both_ways(text: bytes, other: bytes) -> None:
    for before, after in ((text, other), (other, text)):
        with sizes(large=0, margin=1, step=1):
            assert read(after, Known(before, load(before))) is not None


@pytest.mark.parametrize(
    "text",
    [
        b'\xef\xbb\xbf{"a":{"b":1},"c":[1,2]}',
        b' {"a":{"b":1},"c":[1,2]}',
        b'{"a":{"b":1},"c":[1,2]} {}',
        b'{"a":{"b":1},"c":[1,2]',
        b'{"a":{"b":1},"c":[1,2}}',
        b'{"a":{"b":1},"c":[1,2,]}',
        b'{"a":{"b":1},"c":[,1,2]}',
        b'{"a":{"b":1},"c":[1 2]}',
        b'{"a":{"b":1,"b":1},"c":[1,2]}',
        b'{"a":{"b":1},"a":{"b":1},"c":[1,2]}',
        b'{"a":{"b":01},"c":[1,2]}',
        b'{"a":{"b":1e100000},"c":[1,2]}',
        b'{"a":{"b":NaN},"c":[1,2]}',
        b'{"a":{"b":18446744073709551616},"c":[1,2]}',
        b'{"a":{"b":"\\u0000"},"c":[1,2]}',
        b'{"a":{"b\\u0000":1},"c":[1,2]}',
        b'{"a":{"b":"\\ud800"},"c":[1,2]}',
        b'{"a":{"b":"\xff"},"c":[1,2]}',
        b'{"a":{"b":"\n"},"c":[1,2]}',
        b'{"a":{"b":[[]]},"c":[1,2]}',
        b'{"a":{"b":1},"c":[[[]]]}',
        b'[{"a":{"b":1},"c":[1,2]}]',
        b"",
    ],
)
def test_what_is_wrong_or_unusual_is_left_to_be_read_as_a_whole(text: bytes) -> None:
    before = b'{"a":{"b":1},"c":[1,2]}'
    with sizes(large=0, margin=1, step=1):
        assert read(text, Known(before, load(before)), max_depth=3) is None


@pytest.mark.parametrize("first", [b"1", b'"[2],"', b"[1,2]", b"[2]", b"{}"])
def test_a_known_text_with_a_key_twice_is_no_help(first: bytes) -> None:
    text = b'{"a":' + first + b',"a":[2],"b":3}'
    with sizes(large=0, few=0, margin=1, step=1):
        assert read(text.replace(b"3", b"4"), Known(text, {"a": [2], "b": 3})) is None


def test_a_document_that_may_have_become_too_large_is_left_to_be_measured() -> None:
    before = known({"a": [1.5, 2.5], "b": ""})
    size = values.size(before.document, 200)
    assert size is not None
    assert read(dumped({"a": [1.5, 2.5], "b": "x" * 100}), before, max_bytes=size + 99) is None
    assert read(dumped({"a": [1e300, 2.5], "b": ""}), before, max_bytes=size + 299) is None
    assert read(dumped({"a": [1.5, 2.5], "b": "x" * 100}), before, max_bytes=size + 120) is not None


@pytest.mark.parametrize("large", [0, 2_048])
def test_a_difference_is_read_at_any_depth(large: int) -> None:
    nested = b'{"a":' * 199 + b'{"x":1}' + b"}" * 199
    with sizes(large=large, few=0, margin=1, step=1):
        assert read(nested.replace(b"1", b'"y"'), Known(nested, load(nested))) is not None
        assert read(nested.replace(b"1", b"{}"), Known(nested, load(nested))) is None


def test_where_too_much_differs_the_text_is_left_to_be_read_as_a_whole() -> None:
    before = known({"blocks": {str(key): {"x": key} for key in range(1_000)}})
    edited = {"blocks": {str(key): {"x": -key - 1} for key in range(1_000)}}
    assert read(dumped(edited), before) is None


@pytest.mark.parametrize("document", documents.EVERY_DOCUMENT)
def test_every_property_of_a_workflow_is_read_where_it_changes(document: Document) -> None:
    before = known(document)
    for path, leaf in leaves.of(document).items():
        if path[-1] != "id" and path[0] not in {"loops", "parallels"}:  # whose members go by what they are
            assert read(dumped(changed(document, Change(path, value=[leaf, "changed"]))), before) is not None
