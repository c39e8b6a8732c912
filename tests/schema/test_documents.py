"""The text of an operation is read once, and a hostile one is refused before it costs much."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import pytest
from graphql import OperationType, get_introspection_query

from schema import documents
from schema.build import schema
from schema.documents import MAX_ALIASES, MAX_CHARACTERS, MAX_TOKENS, InvalidDocumentError

CALLS = 5_000_000  # of functions, while a text is read; that many take half a second


def refused(text: str) -> list[str]:
    return [error.message for error in schema.document(text).errors]


@contextmanager
def limited(calls: int) -> Iterator[None]:
    """Fail where more functions are called than that."""
    left = calls

    def count(*_: FrameType | object) -> None:
        nonlocal left
        left -= 1

    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(None)
    assert left >= 0, f"{calls - left:,} calls"


def filled(piece: str, *, tokens: int) -> str:
    """Repeat a selection of so many tokens as often as a text may hold."""
    return "{" + piece * ((MAX_TOKENS - 4) // tokens) + "}"


def fragments(count: int, fields: str) -> str:
    spreads = " ".join(f"...F{n}" for n in range(count))
    return f"{{ viewer {{ {spreads} }} }} " + " ".join(f"fragment F{n} on Viewer {{ {fields} }}" for n in range(count))


HOSTILE = {
    "the same field": filled("viewer{id}", tokens=4),
    "the same leaf": "{ viewer {" + "id " * (MAX_TOKENS - 10) + "} }",
    "the same list": filled("workflows{edges{node{id}}}", tokens=10),
    "inline fragments": "{ viewer {" + "...{id}" * ((MAX_TOKENS - 10) // 4) + "} }",
    "many fragments": fragments(MAX_TOKENS // 11, "id name"),
    "large fragments": fragments(MAX_TOKENS // 22, "id " * 11),
    "unknown fields": "{" + " ".join(f"viewerr{n}" for n in range(MAX_TOKENS - 10)) + "}",
    "unknown arguments": "{" + " ".join(f"viewer(a{n}:1){{id}}" for n in range((MAX_TOKENS - 10) // 9)) + "}",
    "unknown types": "query ("
    + " ".join(f"$v{n}:Inputt" for n in range((MAX_TOKENS - 20) // 4))
    + ") { viewer { id } }",
    "directives": "{ viewer { id" + " @include(if: true)" * ((MAX_TOKENS - 10) // 7) + "} }",
    "many operations": " ".join(f"query Q{n} {{ viewer {{ id }} }}" for n in range(MAX_TOKENS // 8)),
    "a deep selection": "{" + "a{" * 450 + "b" + "}" * 450 + "}",
    "deep inline fragments": "{ viewer {" + "...{" * 300 + "id" + "}" * 300 + "} }",
    "a deep list": "{ workflows(containing: " + "[" * 480 + "]" * 480 + ") { pageInfo { endCursor } } }",
    "a deep object": "{ workflows(containing: " + "{a:" * 230 + "1" + "}" * 230 + ") { pageInfo { endCursor } } }",
    "a deep type": "query ($x: " + "[" * 480 + "Int" + "]" * 480 + ") { viewer { id } }",
    "fragments in a ring": "{ viewer { ...A } } fragment A on Viewer { ...B } fragment B on Viewer { ...A }",
    "a fragment in itself": "{ viewer { ...A } } fragment A on Viewer { ...A }",
    "fragments that double": "{ viewer { ...F0 } } fragment F80 on Viewer { id } "
    + " ".join(f"fragment F{n} on Viewer {{ ...F{n + 1} ...F{n + 1} }}" for n in range(80)),
    "a long text": '{ workflow(id: "' + "a" * (MAX_CHARACTERS - 30) + '") { id } }',
    "a long comment": "{ viewer { id } } #" + "é" * (MAX_CHARACTERS - 30),
    "a long number": "{ workflows(first: " + "9" * (MAX_CHARACTERS - 60) + ") { pageInfo { endCursor } } }",
    "introspection of introspection": "{ __schema { types " + "{ fields { type " * 20 + "{ name }" + "}}" * 20 + "} }",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_text_is_dear_to_read(text: str) -> None:
    with limited(CALLS):
        schema.document(text + " ")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{" + " ".join(["viewer { id }"] * MAX_TOKENS) + "}", "more than 1000 tokens"),
        ("{ viewer { id } } #" + "x" * MAX_CHARACTERS, "more than 100,000 characters"),
        ("{" + " ".join(f"a{n}: viewer {{ id }}" for n in range(MAX_ALIASES + 1)) + "}", "at most 50 aliases"),
        (HOSTILE["fragments in a ring"], "within itself"),
        (HOSTILE["a fragment in itself"], "within itself"),
        (HOSTILE["introspection of introspection"], "introspection depth"),
        (HOSTILE["a deep selection"], "nested too deep"),
        (HOSTILE["a deep list"], "nested too deep"),
        ("", "Unexpected <EOF>"),
        ("{ viewer { id }", "Expected Name"),
        ("{\0}", "Unexpected character"),
        ('{ workflow(id: "\\ud800") { id } }', "Invalid Unicode escape sequence"),
        ("{ nothing }", "Cannot query field 'nothing'"),
        ("{ workflow { id } }", "of type 'ID!' is required"),
    ],
)
def test_what_cannot_be_run_is_refused_in_words(text: str, reason: str) -> None:
    messages = refused(text)
    assert len(messages) <= 101
    assert reason in messages[0]
    with pytest.raises(InvalidDocumentError):
        schema.document(text).kind(None)


def test_as_many_aliases_as_allowed_are_allowed() -> None:
    assert refused("{" + " ".join(f"a{n}: viewer {{ id }}" for n in range(MAX_ALIASES)) + "}") == []


@pytest.mark.parametrize("options", [{}, {"specified_by_url": True, "input_value_deprecation": True, "one_of": True}])
def test_tools_may_read_the_schema(options: dict[str, bool]) -> None:
    assert refused(get_introspection_query(**options)) == []


def test_a_text_is_read_once() -> None:
    text = "query Once { viewer { id } }"
    assert schema.document(text) is schema.document("".join(text))
    assert schema.document("{ nothing }") is schema.document("{ nothing }")


def test_only_so_many_texts_are_kept() -> None:
    for number in range(documents.KEPT_DOCUMENTS + 20):
        schema.document(f"query Q{number} {{ viewer {{ id }} }}")
    assert documents._read.cache_info().currsize == documents.KEPT_DOCUMENTS


SEVERAL = "query Q { viewer { id } } mutation M { purgeWorkflow(id: 1) } subscription S { workflowsChanged { id } }"


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        ("{ viewer { id } }", None, OperationType.QUERY),
        ("mutation { purgeWorkflow(id: 1) }", None, OperationType.MUTATION),
        (SEVERAL, "Q", OperationType.QUERY),
        (SEVERAL, "M", OperationType.MUTATION),
        (SEVERAL, "S", OperationType.SUBSCRIPTION),
    ],
)
def test_an_operation_has_a_kind(text: str, name: str | None, kind: OperationType) -> None:
    assert schema.document(text).kind(name) is kind


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        (SEVERAL, None, "must say which operation"),
        (SEVERAL, "T", "names no operation"),
        ("{ viewer { id } }", "", "names no operation"),
        ("{ viewer { id } }", "Q", "names no operation"),
        ("fragment F on Viewer { id }", None, "F"),
    ],
)
def test_it_must_be_clear_which_operation_is_meant(text: str, name: str | None, message: str) -> None:
    with pytest.raises(InvalidDocumentError) as refusal:
        schema.document(text).kind(name)
    assert message in refusal.value.reasons[0].message
