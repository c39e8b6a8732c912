"""A request whose documents stay unread is the request that it is when all of it is parsed."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merge import values
from resolvers import errors
from resolvers.saves import Text
from server import body, unread
from server.operations import Operation

SAVE = "mutation ($i: SyncWorkflowInput!) { syncWorkflow(input: $i) { status } }"
BATCH = "mutation ($i: [SyncWorkflowInput!]!) { syncWorkflows(inputs: $i) { status } }"
CHANGE = 'mutation ($i: [ChangeInput!]) { syncWorkflow(input: {id: "w", changes: $i, baseVersion: 1}) { status } }'
SEARCH = "query ($i: JSON) { workflows(containing: $i) { edges { cursor } } }"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(), inside, max_size=3),
)
MEMBERS = st.dictionaries(st.sampled_from(["id", "state", "value", "name", "é"]) | st.text(), JSON, max_size=4)


def outcome(read: Any) -> object:  # noqa: ANN401 -- a function of a request
    try:
        return read()
    except errors.OperationError as error:
        return type(error), str(error)


def parsed(value: object) -> object:
    """Read what was left unread, and tell numbers and booleans apart."""
    if isinstance(value, Text):
        return parsed(values.parse(value.data))
    if isinstance(value, dict):
        return {key: parsed(member) for key, member in value.items()}
    if isinstance(value, list):
        return [parsed(item) for item in value]
    return type(value), value


def same(data: bytes) -> Operation | None:
    """Check that a request is read as if it were parsed; give it if it could be."""
    found, whole = outcome(lambda: Operation.read(data)), outcome(lambda: Operation.of(body.parse(data)))
    if not isinstance(found, Operation) or not isinstance(whole, Operation):
        assert found == whole
        return None
    assert (found.text, found.name) == (whole.text, whole.name)
    assert parsed(found.variables) == parsed(whole.variables)
    return found


def request(query: str, variables: str) -> bytes:
    return f'{{"query": {json.dumps(query)}, "variables": {variables}}}'.encode()


@given(st.sampled_from([SAVE, BATCH, CHANGE, SEARCH]), JSON | MEMBERS | st.lists(MEMBERS, max_size=3), st.booleans())
def test_any_request_is_read_as_if_it_were_parsed(query: str, variable: object, ascii_: bool) -> None:
    text = json.dumps({"i": variable}, ensure_ascii=ascii_)
    same(f'{{"query": {json.dumps(query)}, "variables": {text}}}'.encode(errors="surrogatepass"))


@pytest.mark.parametrize(
    ("query", "variables", "names"),
    [
        (SAVE, '{"i": {"id": "w", "state": {"n": [1.0, 1e999, "\\u0000"]}, "sequence": 1}, "n": 7}', {"state"}),
        (BATCH, '{"i": [{"state": {}, "id": "v"}, {"id": "w"}]}', {"state"}),
        (CHANGE, '{"i": [{"path": ["a"], "value": {"n": 1}, "state": 2}]}', set()),
        (SEARCH, '{"i": {"state": {"n": 1}, "value": 1e400}}', set()),
    ],
)
def test_only_documents_stay_unread(query: str, variables: str, names: set[str]) -> None:
    operation = same(request(query, variables))
    assert operation is not None
    given_ = operation.variables["i"]
    first = given_[0] if isinstance(given_, list) else given_
    assert {name for name, member in first.items() if isinstance(member, Text)} == names


def test_an_unread_document_keeps_nothing_else_in_memory() -> None:
    operation = same(request(SAVE, '{"i": {"state":  {"a": 1} }}'))
    assert operation is not None
    assert operation.variables["i"]["state"] == Text(b'{"a": 1}')


@pytest.mark.parametrize(
    "document",
    [
        b'{"a": "\xff"}',
        b'{"a": "\xed\xa0\x80"}',
        b'{"a\xc3": 1}',
        b'{"\xc3": {"a": "\xa9"}}',
        b'{"a": "\\ud800"}',
        b'{"a": "\\x"}',
        b'{"a": "\\u00g0"}',
        b'{"a": "\t"}',
        b'{"a": NaN}',
        b'{"a": 01}',
        b'{"a": 1.}',
        b'{"a": 1,}',
        b'{"a" 1}',
        b'{"a": 1, "a": 2}',
        b'{"a": 1e400}',
        b'{"a": 123456789012345678901234567890}',
        b"{'a': 1}",
        b'{"a": "',
        b'"\xc3" "\xa9"',
        b"[" * 990 + b"]" * 990,
        b"[" * 100_000 + b"]" * 100_000,
        b"\xef\xbb\xbf1",
        b"1 2",
        b"",
    ],
    ids=lambda document: f"{document!r:.30}",
)
def test_hostile_documents_are_refused_in_the_same_words(document: bytes) -> None:
    start = b'{"query": "%b", "variables": {"i": {"id": "w", "state": ' % SAVE.encode()
    same(start + document + b"}}}")
    same(b'{"variables": {"i": {"state": %b, "id": "w"}},\n "query": "%b"}' % (document, SAVE.encode()))


def test_invalid_utf8_is_found_wherever_it_stands() -> None:
    for place in (0, 1, unread.CHUNK - 2, unread.CHUNK - 1, unread.CHUNK, 2 * unread.CHUNK):
        for character, is_valid in (("é".encode(), True), ("🙂".encode(), True), (b"\xc3", False), (b"\xa9", False)):
            data = b'{"state": "%b%b"}' % (b" " * place, character)
            assert (unread.members(data) is not None) is is_valid


@pytest.mark.parametrize(
    "data",
    [
        b"[]",
        b"null",
        b"{}",
        b'{"query": 7}',
        b'{"query": "{ viewer { id } }", "variables": []}',
        b'{"query": "{ viewer { id } }", "variables": {"a": 1.5, "b": "x", "c": null, "d": true}}',
        b'{"query": "{ viewer { id } }", "variables": {"a": 123456789012345678901}}',
        b'{"query": "{ viewer { id } }", "variables": {"a": 9007199254740993, "b": 1e2, "c": 1.0}}',
        b'{"query": "{ viewer { id } }", "operationName": 7}',
        b'{"query": "{ viewer { id } }", "operationName": null, "extensions": {"a": {}}}',
        b'{"query": "{ viewer { id } }", "extensions": []}',
        b'{"query": "{", "query": "{ viewer { id } }", "other": [1]}',
    ],
)
def test_other_requests_are_read_as_if_they_were_parsed(data: bytes) -> None:
    same(data)
