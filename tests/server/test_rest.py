"""The REST route: the same pipeline as `syncWorkflow`, for beacons and plain HTTP clients."""

import gzip
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.server.live import Running

PATH = "/api/workflows/sync"
READ = "query Read($id: ID!) { workflow(id: $id) { version state } }"


@pytest.fixture
async def ada(server: Running) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client that is signed in."""
    async with server.http("ada") as client:
        yield client


def refused(response: httpx.Response, status: int, code: str = "BAD_USER_INPUT") -> None:
    assert response.status_code == status, response.text
    (failure,) = response.json()["errors"]
    assert set(failure) == {"message", "extensions"}
    assert failure["extensions"] == {"code": code}


async def stored(client: httpx.AsyncClient, workflow: str) -> object:
    response = await client.post("/graphql", json={"query": READ, "variables": {"id": workflow}})
    return response.json()["data"]["workflow"]


async def test_a_document_is_saved(ada: httpx.AsyncClient) -> None:
    response = await ada.post(PATH, json={"id": "w1", "state": {"blocks": {"a": {}}}})
    assert response.status_code == 200
    answer = response.json()
    assert (answer["status"], answer["id"], answer["version"], answer["replayed"]) == ("CREATED", "w1", 1, False)
    assert answer["changes"] == answer["conflicts"] == answer["repairs"] == answer["problems"] == []
    assert "workflow" not in answer
    assert await stored(ada, "w1") == {"version": 1, "state": {"blocks": {"a": {}}}}


async def test_the_workflow_is_included_where_it_is_asked_for(ada: httpx.AsyncClient) -> None:
    response = await ada.post(PATH, params={"include": "workflow"}, json={"id": "w1", "state": {"n": 1}})
    assert response.json()["workflow"]["state"] == {"n": 1}
    refused(await ada.post(PATH, params={"include": "all"}, json={"id": "w1", "state": {"n": 1}}), 400)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"state": {"n": 1}}, "UNCHANGED"),
        ({"state": {"n": 2}}, "SAVED"),
        ({"state": {}}, "REJECTED"),
        ({"state": 7}, "REJECTED"),
        ({"state": {"n": 2}, "baseVersion": 0, "mode": "STRICT"}, "CONFLICT"),
        ({"state": {"n": 2}, "baseVersion": 7}, "RESYNC"),
        ({"state": {"n": 2}, "clientId": "tab", "sequence": 5}, "OUT_OF_ORDER"),
    ],
)
async def test_every_decided_save_is_an_answer(ada: httpx.AsyncClient, fields: dict[str, object], status: str) -> None:
    await ada.post(PATH, json={"id": "w1", "state": {"n": 1}})
    response = await ada.post(PATH, json={"id": "w1"} | fields)
    assert response.status_code == 200
    assert response.json()["status"] == status


async def test_a_gzipped_document_is_saved(ada: httpx.AsyncClient) -> None:
    body = gzip.compress(json.dumps({"id": "w1", "state": {"n": 1}}).encode())
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    response = await ada.post(PATH, content=body, headers=headers)
    assert response.json()["status"] == "CREATED"


async def test_a_beacon_is_plain_text_of_at_most_64_kib(ada: httpx.AsyncClient) -> None:
    body = json.dumps({"id": "w1", "state": {"n": 1}}).encode()
    headers = {"Content-Type": "text/plain;charset=UTF-8"}
    assert (await ada.post(PATH, content=body.ljust(65_536), headers=headers)).json()["status"] == "CREATED"
    refused(await ada.post(PATH, content=body.ljust(65_537), headers=headers), 413, "TOO_LARGE")


async def test_other_media_types_are_refused(ada: httpx.AsyncClient) -> None:
    refused(await ada.post(PATH, content=b"id=w1", headers={"Content-Type": "application/x-www-form-urlencoded"}), 415)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"null", b'"x"', b"\xff", b"[" * 10_000 + b"]" * 10_000])
async def test_a_body_that_is_no_object_is_refused(
    ada: httpx.AsyncClient, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    refused(await ada.post(PATH, content=body, headers={"Content-Type": "application/json"}), 400)
    assert not caplog.records


@pytest.mark.parametrize(
    "save",
    [
        {"state": {"n": 1}},
        {"id": "w1"},
        {"id": None, "state": {"n": 1}},
        {"id": ["w1"], "state": {"n": 1}},
        {"id": "", "state": {"n": 1}},
        {"id": "w1", "state": {"n": 1}, "workflowId": "w1"},
        {"id": "w1", "state": {"n": 1}, "baseVersion": "1"},
        {"id": "w1", "state": {"n": 1}, "baseVersion": 2**31},
        {"id": "w1", "state": {"n": 1}, "reason": "BOREDOM"},
        {"id": "w1", "state": {"n": 1}, "dryRun": "yes"},
        {"id": "w1", "state": {"n": 1}, "sequence": 1},
    ],
    ids=json.dumps,
)
async def test_fields_are_checked_as_in_graphql(
    ada: httpx.AsyncClient, save: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    refused(await ada.post(PATH, json=save), 400)
    assert await stored(ada, "w1") is None
    assert not caplog.records


async def test_a_user_id_in_the_body_is_refused_in_words(ada: httpx.AsyncClient) -> None:
    response = await ada.post(PATH, json={"id": "w1", "state": {"n": 1}, "userId": "eve"})
    refused(response, 400)
    assert "userId" in response.json()["errors"][0]["message"]
    assert await stored(ada, "w1") is None


async def test_nobody_may_save(server: Running) -> None:
    async with server.http() as nobody:
        refused(await nobody.post(PATH, json={"id": "w1", "state": {"n": 1}}), 401, "UNAUTHENTICATED")
    async with server.http(Authorization="Bearer forged") as forger:
        refused(await forger.post(PATH, json={"id": "w1", "state": {"n": 1}}), 401, "UNAUTHENTICATED")


async def test_somebody_else_may_not_save(server: Running, ada: httpx.AsyncClient) -> None:
    await ada.post(PATH, json={"id": "w1", "state": {"n": 1}})
    async with server.http("eve") as eve:
        refused(await eve.post(PATH, json={"id": "w1", "state": {"n": 2}}), 403, "FORBIDDEN")
    assert await stored(ada, "w1") == {"version": 1, "state": {"n": 1}}


async def test_a_base_on_a_missing_workflow_is_not_found(ada: httpx.AsyncClient) -> None:
    refused(await ada.post(PATH, json={"id": "w1", "state": {"n": 1}, "baseVersion": 3}), 404, "NOT_FOUND")
