"""JSON as Hypothesis draws it: small documents that meet often, with everything that is odd about JSON in them."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from merge import values

Value = Any
Document = dict[str, Any]

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=4)
KEYS = st.sampled_from(["", "a", "b", "id", "0", "__proto__", "ключ", "nodes", "lastSaved"]) | TEXTS
IDS = st.sampled_from(["n1", "n2", "n3", "n4", "0", " ", "é"]) | TEXTS.filter(bool)
ODD_NUMBERS = [0, 1, -1, 0.0, -0.0, 1.0, 0.1, 2**53, 2**53 + 1, float(2**53), -(2**63), 2**64 - 1, 5e-324, 1e308]
LITERALS = (
    st.sampled_from(ODD_NUMBERS) | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
).map(repr)
NUMBERS = LITERALS.map(values.number)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS


def keyed_lists(members: SearchStrategy[Value]) -> SearchStrategy[list[Document]]:
    """Draw lists of objects with ids of their own; now and then with one id twice, so that the list is not keyed."""
    item = st.tuples(st.dictionaries(KEYS, members, max_size=3), IDS).map(lambda drawn: drawn[0] | {"id": drawn[1]})
    return st.lists(item, max_size=5, unique_by=lambda item: item["id"]) | st.lists(item, max_size=2)


def _containers(members: SearchStrategy[Value]) -> SearchStrategy[Value]:
    return st.dictionaries(KEYS, members, max_size=4) | keyed_lists(members) | st.lists(members, max_size=3)


VALUES: SearchStrategy[Value] = st.recursive(SCALARS, _containers, max_leaves=12)
DOCUMENTS: SearchStrategy[Document] = st.dictionaries(KEYS, keyed_lists(VALUES) | _containers(VALUES), max_size=3)


@st.composite
def edits(draw: DrawFn, document: Document) -> Document:
    """Draw what becomes of a document when somebody edits it here and there; the document itself stays as it is."""
    edited: Document = _edited(draw, document)
    return edited


def _edited(draw: DrawFn, value: Value) -> Value:
    if isinstance(value, dict):
        return _edited_object(draw, value)
    if isinstance(value, list):
        return _edited_list(draw, value)
    return draw(SCALARS)


def _edited_object(draw: DrawFn, members: Document) -> Document:
    kept = {key: _maybe_edited(draw, member) for key, member in members.items() if draw(_MOSTLY)}
    return kept | draw(st.dictionaries(KEYS, VALUES, max_size=1))


def _edited_list(draw: DrawFn, items: list[Value]) -> list[Value]:
    kept = [_with_its_id(item, _maybe_edited(draw, item)) for item in items if draw(_MOSTLY)]
    kept += draw(st.one_of(st.just([]), keyed_lists(SCALARS), keyed_lists(SCALARS), st.lists(SCALARS, max_size=1)))
    return draw(st.permutations(kept)) if draw(st.booleans()) else kept


def _maybe_edited(draw: DrawFn, value: Value) -> Value:
    return _edited(draw, value) if draw(st.booleans()) else value


def _with_its_id(item: Value, edited: Value) -> Value:
    """Keep the id of an edited item, or the lists would hardly ever stay keyed."""
    if isinstance(item, dict) and "id" in item and isinstance(edited, dict):
        return edited | {"id": item["id"]}
    return edited


_MOSTLY = st.sampled_from([True, True, True, False])

_EDITED = DOCUMENTS.flatmap(lambda document: st.tuples(st.just(document), edits(document)))
_LIST = keyed_lists(st.integers(0, 1)).map(lambda items: {"nodes": items})
_LISTS = st.tuples(_LIST, _LIST) | _LIST.flatmap(lambda document: st.tuples(st.just(document), edits(document)))
PAIRS: SearchStrategy[tuple[Document, Document]] = st.one_of(st.tuples(DOCUMENTS, DOCUMENTS), _EDITED, _LISTS)
