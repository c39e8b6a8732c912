"""Hostile and unusual documents: refused in words, or given back as they came in."""

import json
import random
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.server.live import Running

SAVE = """
mutation Save($input: SyncWorkflowInput!) {
  syncWorkflow(input: $input) { status version problems { path code message } }
}
"""
READ = "query Read($id: ID!) { workflow(id: $id) { version state } }"
GOOD = {"blocks": {"a": {"name": "kept"}}}

REFUSED_DOCUMENTS = {
    "no object": ("[1, 2]", []),
    "a text": ('"blocks"', []),
    "null": ("null", []),
    "a NUL character": ('{"blocks": {"a": {"name": "x\\u0000y"}}}', ["blocks", "a", "name"]),
    "a NUL character in a key": ('{"blocks": {"a\\u0000": {}}}', ["blocks", "a\\u0000"]),
    "half a surrogate pair": ('{"blocks": {"a": ["x", "\\ud800"]}}', ["blocks", "a", "1"]),
    "half a surrogate pair in a key": ('{"\\udc00": 1, "blocks": {"a": {}}}', ["\\udc00"]),
    "a number that is no double": ('{"blocks": {"a": {"x": 1e100000}}}', ["blocks", "a", "x"]),
    "an integer of more than 64 bits": ('{"blocks": {"a": {"x": 18446744073709551616}}}', ["blocks", "a", "x"]),
    "201 levels": ('{"blocks": ' + '{"a": ' * 200 + "1" + "}" * 200 + "}", None),
}

REFUSED_BODIES = {
    "invalid UTF-8": b'{"blocks": {"a": "\xff"}}',
    "10,000 levels": b'{"a": ' * 10_000 + b"1" + b"}" * 10_000,
    "NaN": b'{"blocks": NaN}',
    "Infinity": b'{"blocks": -Infinity}',
    "a comma too many": b'{"blocks": {},}',
    "cut off": b'{"blocks": {"a"',
}


def body(document: bytes, workflow: str = "w1") -> bytes:
    """Make the body of a GraphQL request that saves a document, which need not be JSON."""
    query = json.dumps(SAVE).encode()
    return b'{"query": %b, "variables": {"input": {"id": "%b", "state": %b}}}' % (query, workflow.encode(), document)


@pytest.fixture
async def ada(server: Running) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client that is signed in, sends JSON, and has saved a good document as w1."""
    async with server.http("ada", **{"Content-Type": "application/json"}) as client:
        await client.post("/graphql", content=body(json.dumps(GOOD).encode()))
        yield client


async def stored(client: httpx.AsyncClient, workflow: str = "w1") -> dict[str, Any]:
    response = await client.post("/graphql", json={"query": READ, "variables": {"id": workflow}})
    found = response.json()["data"]["workflow"]
    assert isinstance(found, dict)
    return found


async def assert_nothing_was_lost(client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    """Check that the good document stands, and that nobody has to read a log."""
    assert await stored(client) == {"version": 1, "state": GOOD}
    assert not caplog.records


def assert_rejected(save: dict[str, Any], path: list[str] | None) -> None:
    assert save["status"] == "REJECTED"
    problem = save["problems"][0]
    assert problem["message"]
    assert problem["code"]
    assert path is None or problem["path"] == path


@pytest.mark.parametrize("name", REFUSED_DOCUMENTS)
async def test_a_document_that_cannot_be_stored_is_rejected_with_its_path(
    ada: httpx.AsyncClient, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    document, path = REFUSED_DOCUMENTS[name]
    response = await ada.post("/graphql", content=body(document.encode()))
    assert response.status_code == 200
    assert_rejected(response.json()["data"]["syncWorkflow"], path)
    await assert_nothing_was_lost(ada, caplog)


@pytest.mark.parametrize("name", REFUSED_DOCUMENTS)
async def test_it_is_rejected_over_rest_too(
    ada: httpx.AsyncClient, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    document, path = REFUSED_DOCUMENTS[name]
    response = await ada.post("/api/workflows/sync", content=f'{{"id": "w1", "state": {document}}}')
    assert_rejected(response.json(), path)
    await assert_nothing_was_lost(ada, caplog)


@pytest.mark.parametrize("name", REFUSED_DOCUMENTS)
async def test_it_is_rejected_over_a_websocket_too(
    server: Running, ada: httpx.AsyncClient, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    document, path = REFUSED_DOCUMENTS[name]
    async with server.socket("ada") as client:
        payload = body(document.encode()).decode()
        await client.connection.send(f'{{"type": "subscribe", "id": "1", "payload": {payload}}}')
        assert_rejected((await client.next("1"))["data"]["syncWorkflow"], path)
    await assert_nothing_was_lost(ada, caplog)


@pytest.mark.parametrize("name", REFUSED_BODIES)
async def test_a_body_that_is_no_json_is_refused(
    ada: httpx.AsyncClient, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    response = await ada.post("/graphql", content=body(REFUSED_BODIES[name]))
    assert response.status_code == 400
    (failure,) = response.json()["errors"]
    assert failure["extensions"]["code"] == "BAD_USER_INPUT"
    await assert_nothing_was_lost(ada, caplog)


@pytest.mark.parametrize("name", [name for name in REFUSED_BODIES if name != "invalid UTF-8"])
async def test_a_websocket_message_that_is_no_json_ends_the_socket(
    server: Running, ada: httpx.AsyncClient, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with server.socket("ada") as client:
        payload = body(REFUSED_BODIES[name]).decode()
        await client.connection.send(f'{{"type": "subscribe", "id": "1", "payload": {payload}}}')
        assert await client.closed() == 4400
    await assert_nothing_was_lost(ada, caplog)


async def test_a_document_over_the_limit_is_refused_and_nothing_is_lost(
    ada: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    document = b'{"blocks": {"a": "%b"}}' % (b"x" * 8 * 1024 * 1024)
    response = await ada.post("/graphql", content=body(document))
    assert response.status_code == 413
    assert response.json()["errors"][0]["extensions"]["code"] == "TOO_LARGE"
    await assert_nothing_was_lost(ada, caplog)


async def test_of_a_key_that_comes_twice_the_last_value_counts(ada: httpx.AsyncClient) -> None:
    await ada.post("/graphql", content=body(b'{"blocks": {"a": 1, "a": 2}, "blocks": {"b": 1, "b": 3}}', "w2"))
    assert (await stored(ada, "w2"))["state"] == {"blocks": {"b": 3}}


def thousand_blocks() -> dict[str, Any]:
    dice = random.Random(1)
    return {
        "blocks": {
            f"block-{n}": {"id": f"block-{n}", "position": {"x": dice.uniform(-1e4, 1e4), "y": n}, "name": f"Block {n}"}
            for n in range(1_000)
        },
        "edges": [{"id": f"edge-{n}", "source": f"block-{n}", "target": f"block-{n + 1}"} for n in range(999)],
    }


DOCUMENTS: dict[str, dict[str, Any]] = {
    "keys that are not ASCII": {"blocks": {"größe": 1, "名前": "値", "😀": "😀", "e\u0301": "é", "\u2028": "\u2029"}},
    "names of JavaScript's prototypes": {
        "__proto__": {"polluted": True},
        "constructor": {"prototype": 1},
        "blocks": {"a": 1},
    },
    "integers above 2^53": {"blocks": {"a": 2**53 + 1, "b": -(2**63), "c": 2**64 - 1}},
    "floats": {"blocks": {"a": 1.0, "b": 0.1, "c": 1e-300, "d": 1.7976931348623157e308, "e": -0.0, "f": 5e-324}},
    "empty keys": {"": {"": [{"": ""}]}, "blocks": {"": {}}},
    "empty values": {"blocks": {"a": {}, "b": [], "c": "", "d": None, "e": False, "f": 0}},
    "control characters": {"blocks": {"a\t\n\r": '\x01\x1f\x7f\\ " / \b\f'}},
    "names of GraphQL and SQL": {"blocks": {"__typename": "x", "$input": "'; DROP TABLE workflows; --", "%s": "{}"}},
    "200 levels": json.loads('{"blocks": ' + '{"a": ' * 198 + "{}" + "}" * 198 + "}"),
    "1,000 blocks": thousand_blocks(),
    "5 MiB": {"blocks": {f"b{n}": {"text": "ä" * 512 * 1024} for n in range(5)}},
}


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_a_document_comes_back_as_it_went_in(ada: httpx.AsyncClient, name: str) -> None:
    document = DOCUMENTS[name]
    response = await ada.post("/graphql", content=body(json.dumps(document, ensure_ascii=False).encode(), "w2"))
    assert response.json()["data"]["syncWorkflow"]["status"] == "CREATED"
    state = (await stored(ada, "w2"))["state"]
    assert state == document
    assert kinds(state) == kinds(document)


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_a_document_comes_back_over_a_websocket_as_it_went_in(server: Running, name: str) -> None:
    document = DOCUMENTS[name]
    async with server.socket("ada") as client:
        await client.subscribe("1", SAVE, input={"id": "w2", "state": document})
        await client.next("1")
        await client.completed("1")
        await client.subscribe("2", READ, id="w2")
        assert (await client.next("2"))["data"]["workflow"]["state"] == document


async def test_a_document_may_stand_in_the_query_itself(ada: httpx.AsyncClient) -> None:
    state = '{n: 9007199254740993, x: 1.0, l: [null, true, "é"]}'
    query = f'mutation {{ syncWorkflow(input: {{id: "w2", state: {state}}}) {{ status }} }}'
    await ada.post("/graphql", json={"query": query})
    assert (await stored(ada, "w2"))["state"] == {"n": 2**53 + 1, "x": 1.0, "l": [None, True, "é"]}


def kinds(value: object) -> object:
    """Tell booleans from numbers, which Python holds equal."""
    if isinstance(value, dict):
        return {key: kinds(item) for key, item in value.items()}
    if isinstance(value, list):
        return [kinds(item) for item in value]
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__
