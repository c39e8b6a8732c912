"""GraphQL over HTTP: what is asked, how, by whom, and how failures look."""

import logging
from collections.abc import AsyncIterator

import httpx
import pytest

from resolvers import workflows
from tests.server import live
from tests.server.live import Running

GRAPHQL_RESPONSE = "application/graphql-response+json"
VIEWER = "{ viewer { id } }"
SAVE = """
mutation Save($input: SyncWorkflowInput!) { syncWorkflow(input: $input) { status version } }
"""
NAMES = "{ workflows { edges { node { id } } } }"


@pytest.fixture
async def ada(server: Running) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client that is signed in."""
    async with server.http("ada") as client:
        yield client


@pytest.fixture
async def nobody(server: Running) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client that is not signed in."""
    async with server.http() as client:
        yield client


async def post(client: httpx.AsyncClient, query: str, **variables: object) -> httpx.Response:
    return await client.post("/graphql", json={"query": query, "variables": variables})


def code(response: httpx.Response) -> str:
    """Give the code of the one failure in an answer, checking its form."""
    body = response.json()
    assert set(body) <= {"data", "errors"}
    (failure,) = body["errors"]
    assert failure["message"]
    return str(failure["extensions"]["code"])


def refused(response: httpx.Response, status: int, expected: str = "BAD_USER_INPUT") -> None:
    """Check that a request was refused before anything was run."""
    assert response.status_code == status, response.text
    assert "data" not in response.json()
    assert code(response) == expected


async def test_a_query_is_answered(ada: httpx.AsyncClient) -> None:
    response = await post(ada, VIEWER)
    assert response.status_code == 200
    assert response.json() == {"data": {"viewer": {"id": "ada"}}}
    assert response.headers["content-type"] == "application/json"


async def test_the_media_type_of_graphql_is_used_where_the_client_accepts_it(ada: httpx.AsyncClient) -> None:
    ada.headers["Accept"] = f"{GRAPHQL_RESPONSE}, application/json;q=0.9"
    assert (await post(ada, VIEWER)).headers["content-type"] == GRAPHQL_RESPONSE
    assert (await post(ada, "{")).headers["content-type"] == GRAPHQL_RESPONSE


async def test_a_query_may_be_sent_by_get(ada: httpx.AsyncClient) -> None:
    query = "query Find($id: ID!) { workflow(id: $id) { id } }"
    params = {"query": query, "variables": '{"id": "missing"}', "operationName": "Find"}
    response = await ada.get("/graphql", params=params)
    assert response.json() == {"data": {"workflow": None}}


async def test_a_mutation_by_get_is_refused(ada: httpx.AsyncClient) -> None:
    response = await ada.get("/graphql", params={"query": 'mutation { deleteWorkflow(id: "x") { id } }'})
    refused(response, 405)
    assert response.headers["allow"] == "POST"


async def test_a_subscription_over_http_is_sent_to_the_websocket(ada: httpx.AsyncClient) -> None:
    response = await post(ada, "subscription { workflowsChanged { id } }")
    refused(response, 400)
    assert "WebSocket" in response.text


async def test_only_json_is_taken(ada: httpx.AsyncClient) -> None:
    body = b'{"query": "{ viewer { id } }"}'
    for kind in ("text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", ""):
        refused(await ada.post("/graphql", content=body, headers={"Content-Type": kind}), 415)


async def test_a_content_type_may_name_its_charset(ada: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert (await ada.post("/graphql", content=b'{"query": "{viewer{id}}"}', headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"query": "{ viewer { id } }"} {}',
        b"[" * 10_000 + b"]" * 10_000,
        b"null",
        b"7",
        b'"{ viewer { id } }"',
        b"[]",
        b'[{"query": "{ viewer { id } }"}]',
        b"{}",
        b'{"query": null}',
        b'{"query": 7}',
        b'{"query": {}}',
        b'{"query": ""}',
        b'{"query": "{ viewer { id } }", "variables": []}',
        b'{"query": "{ viewer { id } }", "variables": "x"}',
        b'{"query": "{ viewer { id } }", "operationName": 7}',
        b'{"query": "{ viewer { id } }", "extensions": []}',
        b'{"query": "{ viewer { id } }", "operationName": "Other"}',
        b'{"query": "query A { viewer { id } } query B { viewer { id } }"}',
        b'{"query": "fragment F on Viewer { id }"}',
        b'{"query": "{ viewer { id "}',
        b'{"query": "{ viewer { \\ud800 } }"}',
    ],
)
async def test_a_body_that_is_no_operation_is_refused(
    ada: httpx.AsyncClient, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    response = await ada.post("/graphql", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 400
    assert {failure["extensions"]["code"] for failure in response.json()["errors"]} == {"BAD_USER_INPUT"}
    assert "data" not in response.json()
    assert not caplog.records


async def test_variables_in_an_address_must_be_json(ada: httpx.AsyncClient) -> None:
    refused(await ada.get("/graphql", params={"query": VIEWER, "variables": "{"}), 400)


async def test_a_get_without_a_query_is_refused(ada: httpx.AsyncClient) -> None:
    refused(await ada.get("/graphql"), 400)


async def test_a_syntax_error_says_where(ada: httpx.AsyncClient) -> None:
    response = await post(ada, "{ viewer { id }")
    refused(response, 400)
    assert response.json()["errors"][0]["locations"] == [{"line": 1, "column": 16}]


async def test_every_error_of_validation_is_told(ada: httpx.AsyncClient) -> None:
    response = await post(ada, "{ viewer { colour } nothing }")
    assert response.status_code == 400
    messages = [failure["message"] for failure in response.json()["errors"]]
    assert len(messages) == 2
    assert "colour" in messages[0]


async def test_the_same_wrong_query_is_refused_again(ada: httpx.AsyncClient) -> None:
    for _ in range(3):
        refused(await post(ada, "{ nowhere }"), 400)


async def test_a_variable_of_the_wrong_type_is_refused(
    ada: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    refused(
        await post(ada, "query ($first: Int) { workflows(first: $first) { edges { node { id } } } }", first="x"), 400
    )
    refused(await post(ada, "query ($id: ID!) { workflow(id: $id) { id } }"), 400)
    assert not caplog.records


async def test_an_unknown_field_of_an_input_is_refused_and_nothing_is_stored(ada: httpx.AsyncClient) -> None:
    refused(await post(ada, SAVE, input={"id": "w1", "state": {"blocks": {}}, "userId": "eve"}), 400)
    assert (await post(ada, NAMES)).json()["data"]["workflows"]["edges"] == []


@pytest.mark.parametrize(
    "query",
    [
        "{" * 1_000,
        "{ viewer {" + " ".join(f"a{i}: id" for i in range(51)) + "} }",
        "{ viewer {" + " id" * 2_000 + "} }",
        "{ viewer { id } } #" + "x" * 100_000,
        "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }",
    ],
)
async def test_a_query_that_would_cost_too_much_is_refused(
    ada: httpx.AsyncClient, query: str, caplog: pytest.LogCaptureFixture
) -> None:
    refused(await post(ada, query), 400)
    assert not caplog.records


async def test_an_error_of_an_operation_keeps_its_code_and_message(ada: httpx.AsyncClient) -> None:
    response = await post(ada, 'mutation { deleteWorkflow(id: "missing") { id } }')
    assert response.status_code == 200
    assert response.json()["data"] is None
    assert code(response) == "NOT_FOUND"
    assert response.json()["errors"][0]["path"] == ["deleteWorkflow"]


async def test_an_unforeseen_error_is_masked_and_logged_once(
    ada: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def find(*_: object) -> None:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr(workflows, "find", find)
    response = await post(ada, '{ workflow(id: "w1") { id } }')
    assert code(response) == "INTERNAL_SERVER_ERROR"
    assert "hunter2" not in response.text
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_text is None or "hunter2" in record.exc_text
    assert record.exc_info


async def test_hostile_text_in_an_error_does_not_break_the_answer(ada: httpx.AsyncClient) -> None:
    query = b"query ($first: Int) { workflows(first: $first) { edges { cursor } } }"
    body = b'{"query": "%b", "variables": {"first": "\\ud800"}}' % query
    refused(await ada.post("/graphql", content=body, headers={"Content-Type": "application/json"}), 400)


async def test_nobody_is_told_to_sign_in(nobody: httpx.AsyncClient) -> None:
    response = await post(nobody, VIEWER)
    assert response.status_code == 401
    assert code(response) == "UNAUTHENTICATED"
    assert response.headers["www-authenticate"] == "Bearer"


async def test_a_forged_token_is_refused_at_once(server: Running) -> None:
    async with server.http(Authorization="Bearer forged") as client:
        refused(await post(client, "{ __typename }"), 401, "UNAUTHENTICATED")


async def test_in_development_the_schema_is_open(nobody: httpx.AsyncClient) -> None:
    response = await post(nobody, "{ __schema { queryType { name } } }")
    assert response.json() == {"data": {"__schema": {"queryType": {"name": "Query"}}}}


@pytest.mark.parametrize(
    ("method", "path", "status", "expected"),
    [
        ("GET", "/nowhere", 404, "NOT_FOUND"),
        ("DELETE", "/graphql", 405, "BAD_USER_INPUT"),
        ("GET", "/api/workflows/sync", 405, "BAD_USER_INPUT"),
    ],
)
async def test_what_no_route_takes_is_refused_in_json(
    nobody: httpx.AsyncClient, method: str, path: str, status: int, expected: str
) -> None:
    refused(await nobody.request(method, path), status, expected)


async def test_an_error_outside_of_graphql_is_masked_and_logged_once(
    ada: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def read(*_: object) -> None:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr("server.operations.Operation.read", read)
    response = await post(ada, VIEWER)
    refused(response, 500, "INTERNAL_SERVER_ERROR")
    assert "hunter2" not in response.text
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


async def preflight(client: httpx.AsyncClient, origin: str) -> httpx.Response:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-encoding, content-type",
    }
    return await client.options("/graphql", headers=headers)


async def test_pages_of_allowed_origins_may_ask_and_need_to_ask_once_a_day(nobody: httpx.AsyncClient) -> None:
    response = await preflight(nobody, live.ALLOWED_ORIGIN)
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == live.ALLOWED_ORIGIN
    assert response.headers["access-control-allow-credentials"] == "true"
    assert response.headers["access-control-max-age"] == "86400"


async def test_pages_of_other_origins_may_not_ask(nobody: httpx.AsyncClient) -> None:
    response = await preflight(nobody, "https://evil.example")
    assert response.status_code == 400
    assert "access-control-allow-origin" not in response.headers


async def test_a_refusal_can_be_read_by_pages_of_allowed_origins(nobody: httpx.AsyncClient) -> None:
    response = await nobody.post("/graphql", content=b"", headers={"Origin": live.ALLOWED_ORIGIN})
    assert response.status_code == 415
    assert response.headers["access-control-allow-origin"] == live.ALLOWED_ORIGIN


async def test_health_is_told(nobody: httpx.AsyncClient) -> None:
    response = await nobody.get("/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
