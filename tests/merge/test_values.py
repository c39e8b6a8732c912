"""JSON values: what is read, what is refused, what is one."""

import itertools
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from db.database import Database
from merge import values
from merge.values import MalformedError, Problem
from tests import documents
from tests.merge.strategies import DOCUMENTS, LITERALS, VALUES, Document, Value


@given(VALUES)
def test_what_is_written_is_read_back_equal(value: Value) -> None:
    assert values.equal(values.parse(values.dump(value)), value)
    assert values.equal(values.load(values.dump(value)), value)
    assert values.equal(values.parse(values.canonical(value)), value)


@given(VALUES)
def test_what_the_standard_library_writes_is_read(value: Value) -> None:
    text = json.dumps(value)
    assert values.equal(values.parse(text), json.loads(text, parse_float=values.number))


@given(st.binary() | st.text().map(str.encode))
@example(b"\xef\xbb\xbf{}")
@example(b"\xed\xa0\x80")
@example(b'"\xc0\x80"')
def test_any_bytes_are_read_or_called_malformed(data: bytes) -> None:
    with suppress(MalformedError):
        values.parse(data)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "line 1 column 1"),
        (b"{", "line 1 column 2"),
        (b'{"a": 1,}', "line 1"),
        (b'{"a": 1} x', "line 1 column 10"),
        (b"{'a': 1}", "line 1 column 2"),
        (b'{\n "a": 01}', "line 2"),
        (b"[1 2]", "line 1 column 4"),
        (b'"a\nb"', "line 1"),
        (b'"\\x"', "line 1"),
        (b'"\\ud8"', "line 1"),
        (b"nul", "line 1 column 1"),
        (b"+1", "line 1 column 1"),
        (b".5", "line 1 column 1"),
        (b"1.", "line 1"),
        (b"NaN", "NaN is no JSON number: line 1 column 1"),
        (b'{"NaN": "Infinity \\" NaN",\n"b": -Infinity}', "-Infinity is no JSON number: line 2 column 6"),
        (b"[Infinity]", "Infinity is no JSON number: line 1 column 2"),
        (b"\xef\xbb\xbf{}", "line 1 column 1"),
        (b'{"a": "\xff"}', "invalid UTF-8 at byte 7"),
        (b'{"a": "\xed\xa0\x80"}', "invalid UTF-8 at byte 7"),
        ('{"a": 1}'.encode("utf-16"), "invalid UTF-8 at byte 0"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deep"),
    ],
)
def test_what_is_no_json_is_refused_with_the_place(text: bytes, reason: str) -> None:
    with pytest.raises(MalformedError) as refused:
        values.parse(text)
    assert reason in str(refused.value)


def test_of_duplicate_keys_the_last_one_counts() -> None:
    assert values.parse(b'{"a": 1, "b": 2, "a": {"x": 1, "x": 2}}') == {"a": {"x": 2}, "b": 2}


@pytest.mark.parametrize("text", ['{"a": "\\u0000"}', '{"\\ud800": 1}', '{"a": 1e999}', '{"a": 99999999999999999999}'])
def test_what_a_path_can_name_is_read(text: str) -> None:
    assert isinstance(values.parse(text), dict)


def test_a_surrogate_pair_is_one_character() -> None:
    assert values.parse(b'"\\ud83d\\ude42"') == "🙂"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(LITERALS, max_size=10))
@example(["1e22", "123456789012345680000", "1.8446744073709552e19", "18446744073709552000"])
@example(["-9223372036854775808", "-9223372036854775808.0", "-9223372036854776000", "-1e19"])
@example(["1E5", "1e-7", "2.5e-324", "1.7976931348623157e308", "-0", "-0.0", "0e99"])
async def test_numbers_come_back_from_postgres_by_value(database: Database, literals: list[str]) -> None:
    read = values.parse(f"[{','.join(literals)}]")
    async with database.connection() as connection:
        kept = await connection.fetchval("SELECT $1::jsonb", read)
    assert values.equal(kept, read)
    again: Any = values.parse(values.dump(kept))
    assert values.equal(again, read)


@pytest.mark.parametrize(
    ("literal", "number"),
    [
        ("9007199254740993", 2**53 + 1),
        ("18446744073709551615", 2**64 - 1),
        ("-9223372036854775808", -(2**63)),
        ("1e3", 1000.0),
        ("1.0", 1.0),
        ("1e18", 10**18),
        ("123456789012345680000", 1.2345678901234568e20),  # what JavaScript writes for that float
        ("1e22", 1e22),
    ],
)
def test_numbers_are_read_by_value(literal: str, number: float) -> None:
    read = values.number(literal)
    assert read == number
    assert found({"n": read}) == []


@pytest.mark.parametrize(
    "literal",
    [
        "18446744073709551616",
        "-9223372036854775809",
        "99999999999999999999",
        "1" + "0" * 30,
        "9" * 10_000,
        "-" + "9" * 10_000,
        "1e309",
        "-1e309",
        "1e100000",
    ],
)
def test_numbers_that_64_bits_cannot_hold_are_named(literal: str) -> None:
    assert found(values.parse(f'{{"n": [{literal}]}}')) == [(("n", "0"), "NUMBER_OUT_OF_RANGE")]


def reference_equal(a: Value, b: Value) -> bool:
    """Say slowly and plainly what `equal` should."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(reference_equal(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(reference_equal, a, b))
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    return a == b  # type: ignore[no-any-return]


ALIKE: list[Value] = [0, 0.0, -0.0, False, 1, 1.0, True, None, "", "1", 2**53, float(2**53), 2**53 + 1, [], {}]


@pytest.mark.parametrize(("a", "b"), [*itertools.product(ALIKE, ALIKE)], ids=repr)
def test_lookalikes_are_told_apart(a: Value, b: Value) -> None:
    pairs: list[tuple[Value, Value]] = [
        (a, b),
        ([a], [b]),
        ({"": a}, {"": b}),
        ([{"x": a, "y": True}], [{"y": True, "x": b}]),
    ]
    for one, other in pairs:
        assert values.equal(one, other) is reference_equal(a, b)


@given(st.lists(VALUES, min_size=3, max_size=3))
def test_equality_agrees_with_a_plain_comparison_and_is_an_equivalence(three: list[Value]) -> None:
    for a, b in itertools.product(three, three):
        assert values.equal(a, b) is values.equal(b, a) is reference_equal(a, b)
        assert not values.surely_equal(a, b) or values.equal(a, b)
    a, b, c = three
    assert values.equal(a, a)
    assert not (values.equal(a, b) and values.equal(b, c)) or values.equal(a, c)


@given(VALUES)
def test_a_value_surely_equals_what_is_written_alike(value: Value) -> None:
    assert values.surely_equal(value, values.load(values.dump(value)))


@pytest.mark.parametrize(
    "items",
    [
        [1],
        ["a"],
        [None],
        [[]],
        [{}],
        [{"id": None}],
        [{"id": 1}],
        [{"id": ""}],
        [{"id": "a"}, {"id": "a"}],
        [{"id": "a"}, 1],
    ],
    ids=json.dumps,
)
def test_a_list_is_not_keyed_unless_every_item_has_an_id_of_its_own(items: list[Value]) -> None:
    assert values.by_id(items) is None


def test_items_are_given_by_id_in_their_order() -> None:
    items: list[Value] = [{"id": "b", "x": 1}, {"id": "a"}]
    keyed = values.by_id(items)
    assert keyed is not None
    assert list(keyed.items()) == [("b", items[0]), ("a", items[1])]


def test_an_empty_list_can_be_keyed() -> None:
    assert values.by_id([]) == {}


def problems(document: object, *, max_depth: int = 200, max_bytes: int = 8 * 1024 * 1024) -> list[Problem]:
    return values.problems(document, max_depth=max_depth, max_bytes=max_bytes)


def found(document: object, *, max_depth: int = 200) -> list[tuple[tuple[str, ...], str]]:
    return [(problem.path, problem.code) for problem in problems(document, max_depth=max_depth)]


@given(DOCUMENTS)
def test_there_is_no_problem_in_what_can_be_stored(document: Document) -> None:
    assert found(document) == []


@pytest.mark.parametrize("document", documents.EVERY_DOCUMENT)
def test_there_is_no_problem_in_workflows(document: Document) -> None:
    assert found(document) == []


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "{}", [], [{}]])
def test_a_document_is_an_object(value: Value) -> None:
    assert problems(value) == [Problem((), "NOT_AN_OBJECT", "A document is a JSON object.")]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"a": "x\0"}, [(("a",), "NUL_CHARACTER")]),
        ({"a\0": 1}, [(("a\\u0000",), "NUL_CHARACTER")]),
        ({"\0": {"\0": 1}}, [(("\\u0000",), "NUL_CHARACTER"), (("\\u0000", "\\u0000"), "NUL_CHARACTER")]),
        ({"a": ["\ud800"]}, [(("a", "0"), "LONE_SURROGATE")]),
        ({"\udc00": 1}, [(("\\udc00",), "LONE_SURROGATE")]),
        ({"a": {"b": "\ude42\ud83d"}}, [(("a", "b"), "LONE_SURROGATE")]),
        ({"a": float("inf")}, [(("a",), "NUMBER_OUT_OF_RANGE")]),
        ({"a": float("nan")}, [(("a",), "NUMBER_OUT_OF_RANGE")]),
        ({"a": 2**64, "b": -(2**63) - 1}, [(("a",), "NUMBER_OUT_OF_RANGE"), (("b",), "NUMBER_OUT_OF_RANGE")]),
        ({"nodes": [{"id": "n1", "x": "\0"}]}, [(("nodes", "n1", "x"), "NUL_CHARACTER")]),
        ({"nodes": [{"id": "n1"}, {"id": "n1", "x": "\0"}]}, [(("nodes", "1", "x"), "NUL_CHARACTER")]),
        ({"": [[], ["", "\0"]]}, [(("", "1", "1"), "NUL_CHARACTER")]),
    ],
)
def test_a_problem_is_named_by_its_path_and_code(document: Document, expected: list[Any]) -> None:
    assert found(document) == expected


def test_every_problem_says_what_is_wrong_and_can_be_written() -> None:
    document: Document = {"a": "\0", "b": "\ud800", "c": 2**64, "d": [[]], "\ud800\0é": 1}
    flaws = problems(document, max_depth=2)
    assert {problem.code for problem in flaws} == {
        "NUL_CHARACTER",
        "LONE_SURROGATE",
        "NUMBER_OUT_OF_RANGE",
        "TOO_DEEP",
    }
    for problem in flaws:
        assert problem.message.endswith(".")
        assert values.dump(problem.path)


@pytest.mark.parametrize("text", ["\\u0000", "\\\\u0000", "\\0", "\\ud800", "\x01", "\x7f", "\u2028", "\uffff", "🙂"])
def test_text_that_only_looks_like_a_problem_is_none(text: str) -> None:
    assert found({text: text}) == []


@pytest.mark.parametrize("value", [1, {}, []])
def test_depth_counts_objects_and_lists(value: Value) -> None:
    depth = 3 if value == 1 else 4
    document = {"a": [{"b": value}]}
    assert found(document, max_depth=depth) == []
    assert [code for _, code in found(document, max_depth=depth - 1)] == ["TOO_DEEP"]


def test_nesting_too_deep_is_named_where_it_begins() -> None:
    assert found({"a": [{"b": {"c": 1}}]}, max_depth=3) == [(("a", "0", "b"), "TOO_DEEP")]


def test_nesting_that_python_could_not_follow_is_named() -> None:
    document: Document = {}
    for _ in range(900):
        document = {"a": document}
    assert found(document) == [(("a",) * 200, "TOO_DEEP")]


def test_no_more_than_ten_problems_are_listed() -> None:
    assert len(found({str(key): "\0" for key in range(1_000)})) == 10


def test_long_keys_on_the_path_of_a_problem_are_cut() -> None:
    assert found({"k" * 200: {"k" * 1_000_000: "\0"}}) == [(("k" * 200, "k" * 200 + "…"), "NUL_CHARACTER")]


def test_a_document_has_a_limit_in_bytes() -> None:
    document: Document = {"a": "é", "n": [1, 2.5]}
    size = len(values.dump(document))
    assert problems(document, max_bytes=size) == []
    message = f"The document has more than {size - 1} bytes."
    assert problems(document, max_bytes=size - 1) == [Problem((), "TOO_LARGE", message)]


@pytest.mark.parametrize("number", [1e308, -1.5e300, 1e100, 1e22, 5e-324, 1.2345e-300, 1e-22, 2.5, 1e15, 10**18, 0.0])
async def test_numbers_count_as_postgres_writes_them(database: Database, number: float) -> None:
    """A few bytes of exponent become hundreds of zeros: eight megabytes would be read as five hundred."""
    document: Document = {"n": [number] * 1_000}
    async with database.connection() as connection:
        written = await connection.fetchval("SELECT octet_length(replace($1::jsonb::text, ' ', ''))", document)
    assert problems(document, max_bytes=written * 6 // 5) == []
    assert [problem.code for problem in problems(document, max_bytes=written * 9 // 10)] == ["TOO_LARGE"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63), 2**64 - 1))
async def test_numbers_that_postgres_writes_long_are_found(database: Database, number: float) -> None:
    async with database.connection() as connection:
        text = await connection.fetchval("SELECT $1::jsonb::text", [number])
    if abs(number) >= values.PLAIN_FLOATS:
        assert values.has_long_numbers(text.encode())


@pytest.mark.parametrize(
    "text", [b'["#000000", "00000000-0000-4000-8000-000000000000"]', b'{"n": 1000000, "00000": 0}']
)
def test_zeros_in_texts_are_no_long_numbers(text: bytes) -> None:
    assert not values.has_long_numbers(text)
