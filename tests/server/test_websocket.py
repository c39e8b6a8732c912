"""The graphql-transport-ws protocol: what each message does, and how a socket ends."""

import json
from datetime import timedelta

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from db.hub import Hub
from server import websocket
from server.settings import Settings
from tests.server import live
from tests.server.live import Running, Socket

VIEWER = "{ viewer { id } }"
SAVES = "subscription Saves($id: ID!, $since: Int) { workflowSaved(id: $id, sinceVersion: $since) { version } }"
STATES = "subscription States($id: ID!) { workflowSaved(id: $id, sinceVersion: 0) { version state } }"
SAVE = "mutation Save($input: SyncWorkflowInput!) { syncWorkflow(input: $input) { status version } }"


async def save(server: Running, user: str, **fields: object) -> int:
    """Save a document over HTTP and give its version."""
    async with server.http(user) as client:
        response = await client.post("/graphql", json={"query": SAVE, "variables": {"input": fields}})
    version = response.json()["data"]["syncWorkflow"]["version"]
    assert isinstance(version, int)
    return version


async def test_a_query_gives_one_answer_and_ends(server: Running) -> None:
    async with server.socket("ada") as ada:
        await ada.subscribe("1", VIEWER)
        assert await ada.next("1") == {"data": {"viewer": {"id": "ada"}}}
        await ada.completed("1")


async def test_a_mutation_gives_one_answer_and_ends(server: Running) -> None:
    async with server.socket("ada") as ada:
        await ada.subscribe("1", SAVE, input={"id": "w1", "state": {"blocks": {}}})
        assert await ada.next("1") == {"data": {"syncWorkflow": {"status": "CREATED", "version": 1}}}
        await ada.completed("1")


async def test_a_save_is_heard(server: Running) -> None:
    await save(server, "ada", id="w1", state={"n": 1})
    async with server.socket("ada") as ada:
        await ada.subscribe("saves", SAVES, id="w1", since=0)
        assert await ada.next("saves") == {"data": {"workflowSaved": {"version": 1}}}
        await save(server, "ada", id="w1", state={"n": 2})
        assert await ada.next("saves") == {"data": {"workflowSaved": {"version": 2}}}


async def test_operations_run_side_by_side(server: Running) -> None:
    await save(server, "ada", id="w1", state={"n": 1})
    async with server.socket("ada") as ada:
        await ada.subscribe("saves", SAVES, id="w1", since=1)
        await ada.subscribe("viewer", VIEWER)
        await ada.next("viewer")
        await ada.completed("viewer")
        await save(server, "ada", id="w1", state={"n": 2})
        assert await ada.next("saves") == {"data": {"workflowSaved": {"version": 2}}}


async def test_a_completed_subscription_is_silent_and_its_id_is_free(server: Running) -> None:
    await save(server, "ada", id="w1", state={"n": 1})
    async with server.socket("ada") as ada:
        await ada.subscribe("1", SAVES, id="w1", since=0)
        await ada.next("1")
        await ada.complete("1")
        await ada.subscribe("1", VIEWER)
        await save(server, "ada", id="w1", state={"n": 2})
        assert await ada.next("1") == {"data": {"viewer": {"id": "ada"}}}
        await ada.completed("1")


async def test_completing_what_has_ended_changes_nothing(server: Running) -> None:
    async with server.socket("ada") as ada:
        await ada.complete("never")
        await ada.subscribe("1", VIEWER)
        await ada.next("1")


async def test_a_subscription_leaves_nothing_behind(server: Running) -> None:
    await save(server, "ada", id="w1", state={"n": 1})
    async with server.socket("ada") as ada:
        await ada.subscribe("1", SAVES, id="w1", since=0)
        await ada.next("1")
        assert set(server.services.hub.topics) == {"w1"}
    await server.idle()
    assert not server.services.hub.topics


async def test_a_ping_is_answered_also_before_the_client_said_who_it_is(server: Running) -> None:
    async with server.raw_socket() as client:
        await client.send({"type": "ping"})
        assert await client.receive() == {"type": "pong"}
        await client.send({"type": "pong"})
        await client.init(Authorization=server.bearer("ada"))


async def test_errors_of_an_operation_come_with_their_data(server: Running) -> None:
    async with server.socket("ada") as ada:
        await ada.subscribe("1", 'mutation { deleteWorkflow(id: "missing") { id } }')
        answer = await ada.next("1")
        assert answer["data"] is None
        assert answer["errors"][0]["extensions"]["code"] == "NOT_FOUND"
        await ada.completed("1")


@pytest.mark.parametrize(
    "payload",
    [
        {"query": "{ viewer {"},
        {"query": "{ nowhere }"},
        {"query": "query A { viewer { id } }", "operationName": "B"},
        {"query": "query A { viewer { id } } query B { viewer { id } }"},
        {"query": "query ($id: ID!) { workflow(id: $id) { id } }", "variables": {"id": {}}},
        {"query": SAVES, "variables": {}},
        {"query": VIEWER, "variables": []},
        {"query": VIEWER, "operationName": 7},
        {"query": None},
        {},
    ],
)
async def test_an_operation_that_cannot_be_run_is_answered_by_an_error(
    server: Running, payload: object, caplog: pytest.LogCaptureFixture
) -> None:
    async with server.socket("ada") as ada:
        for _ in range(2):
            await ada.send({"type": "subscribe", "id": "1", "payload": payload})
            failures = await ada.error("1")
            assert [failure["extensions"]["code"] for failure in failures] == ["BAD_USER_INPUT"]
        await ada.subscribe("1", VIEWER)
        await ada.next("1")
    assert not caplog.records


async def test_a_subscription_to_a_missing_workflow_is_answered_by_an_error(server: Running) -> None:
    await save(server, "ada", id="w1", state={"n": 1})
    async with server.socket("eve") as eve:
        for workflow in ("missing", "w1"):
            await eve.subscribe("1", SAVES, id=workflow)
            (failure,) = await eve.error("1")
            assert failure["extensions"]["code"] == "NOT_FOUND"


async def test_a_subscription_that_fails_later_ends_with_an_error(server: Running) -> None:
    await save(server, "ada", id="w1", state={"n": 1})
    async with server.http("ada") as ada, server.socket("bob") as bob:
        share = 'mutation { shareWorkflow(id: "w1", userId: "bob", role: VIEWER) { id } }'
        await ada.post("/graphql", json={"query": share})
        await bob.subscribe("1", SAVES, id="w1", since=0)
        await bob.next("1")
        await ada.post("/graphql", json={"query": 'mutation { unshareWorkflow(id: "w1", userId: "bob") { id } }'})
        (failure,) = await bob.error("1")
        assert failure["extensions"]["code"] == "ACCESS_REVOKED"


@pytest.mark.parametrize(
    "message",
    [
        "",
        "{",
        "[]",
        "[{}]",
        "7",
        "null",
        '"ping"',
        "{}",
        '{"type": 7}',
        '{"type": null}',
        '{"type": "unknown"}',
        '{"type": "connection_init", "payload": []}',
        '{"type": "connection_init", "payload": "x"}',
        '{"type": "ping", "payload": 7}',
        '{"type": "subscribe"}',
        '{"type": "subscribe", "id": "1"}',
        '{"type": "subscribe", "id": "1", "payload": null}',
        '{"type": "subscribe", "id": "1", "payload": "{ viewer { id } }"}',
        '{"type": "subscribe", "id": 1, "payload": {"query": "{ viewer { id } }"}}',
        '{"type": "complete"}',
        '{"type": "complete", "id": []}',
        '{"type": "connection_ack"}',
        "[" * 10_000 + "]" * 10_000,
        b"{}",
        b'{"type": "ping"}',
    ],
    ids=lambda message: str(message)[:60],
)
@pytest.mark.parametrize("signed_in", [False, True], ids=["before init", "after init"])
async def test_a_message_that_is_none_closes_the_socket(
    server: Running, message: str | bytes, signed_in: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with server.raw_socket() as client:
        if signed_in:
            await client.init(Authorization=server.bearer("ada"))
        await client.connection.send(message)
        assert await client.closed() == 4400
    await server.idle()
    assert not caplog.records


async def test_text_that_is_no_utf8_closes_the_socket(server: Running, caplog: pytest.LogCaptureFixture) -> None:
    async with server.raw_socket() as client:
        await client.connection.send(b"\xff", text=True)
        assert await client.closed() == 1007
    await server.idle()
    assert not caplog.records


async def test_a_message_over_the_limit_closes_the_socket(server: Running, caplog: pytest.LogCaptureFixture) -> None:
    async with server.raw_socket() as client:
        await client.connection.send(" " * (server.uvicorn.config.ws_max_size + 1))
        assert await client.closed() == 1009
    await server.idle()
    assert not caplog.records


async def test_subscribing_before_saying_who_one_is_closes_the_socket(server: Running) -> None:
    async with server.raw_socket() as client:
        await client.subscribe("1", VIEWER)
        assert await client.closed() == 4401


async def test_saying_twice_who_one_is_closes_the_socket(server: Running) -> None:
    async with server.socket("ada") as ada:
        await ada.send({"type": "connection_init"})
        assert await ada.closed() == 4429


async def test_using_an_id_twice_at_a_time_closes_the_socket(server: Running) -> None:
    async with server.socket("ada") as ada:
        await ada.subscribe("1", "subscription { workflowsChanged { id } }")
        await ada.subscribe("1", VIEWER)
        assert await ada.closed() == 4409


async def test_another_protocol_closes_the_socket(server: Running) -> None:
    async with server.raw_socket(protocol="graphql-ws") as client:
        assert await client.closed() == 4406


async def test_a_client_that_says_nothing_is_sent_away(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "INIT_SECONDS", 0.05)
    async with server.raw_socket() as client:
        assert await client.closed() == 4408


async def test_a_client_that_only_pings_is_sent_away(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "INIT_SECONDS", 0.2)

    async def ping(client: Socket) -> None:
        while True:
            await client.send({"type": "ping"})
            await client.receive()

    async with server.raw_socket() as client:
        with pytest.raises(ConnectionClosed):
            await ping(client)
        assert await client.closed() == 4408


@pytest.mark.parametrize("payload", [None, {}, {"token": "x"}])
async def test_nobody_is_sent_away_for_good(server: Running, payload: object) -> None:
    async with server.raw_socket() as client:
        await client.send({"type": "connection_init", "payload": payload})
        assert await client.closed() == 4401


@pytest.mark.parametrize("authorization", ["Bearer forged", "Basic YWRhOmFkYQ==", "", 7, ["Bearer x"]])
async def test_a_bad_token_is_sent_away_to_come_back_with_a_fresh_one(server: Running, authorization: object) -> None:
    async with server.raw_socket() as client:
        await client.send({"type": "connection_init", "payload": {"Authorization": authorization}})
        assert await client.closed() in (4400, 4403)


async def test_a_page_of_a_foreign_origin_is_refused_at_the_handshake(server: Running) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        async with server.raw_socket(origin="https://evil.example"):
            pytest.fail("the socket was opened")
    assert refusal.value.response.status_code == 403


@pytest.mark.parametrize("own", [True, False], ids=["the server's own", "an allowed one"])
async def test_a_page_of_a_known_origin_is_taken(server: Running, own: bool) -> None:
    async with server.raw_socket(origin=server.url if own else live.ALLOWED_ORIGIN) as client:
        await client.init(Authorization=server.bearer("ada"))


async def test_the_socket_ends_with_the_token(server: Running) -> None:
    async with server.raw_socket() as client:
        await client.init(Authorization=server.bearer("ada", lifetime=timedelta(seconds=3)))
        await client.subscribe("1", "subscription { workflowsChanged { id } }")
        assert await client.closed() == 4403
    await server.idle()
    assert not server.services.hub.feeds


async def test_the_operations_of_one_socket_are_limited(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "MAX_OPERATIONS", 2)
    async with server.socket("ada") as ada:
        for key in ("1", "2", "3"):
            await ada.subscribe(key, "subscription { workflowsChanged { id } }")
        (failure,) = await ada.error("3")
        assert failure["extensions"]["code"] == "RATE_LIMITED"
        await ada.complete("1")
        await ada.subscribe("3", VIEWER)
        await ada.next("3")


async def test_an_unforeseen_error_is_masked_and_logged_once(
    server: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def start(*_: object) -> None:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr(Hub, "listen", start)
    async with server.socket("ada") as ada:
        await ada.subscribe("1", SAVES, id="w1")
        (failure,) = await ada.error("1")
    assert failure["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert "hunter2" not in json.dumps(failure)
    assert len(caplog.records) == 1


async def test_a_client_that_never_reads_holds_up_nobody_and_is_cut_off(settings: Settings) -> None:
    document = {"text": "x" * 1_000_000}
    async with live.run(settings, ping_seconds=2.0) as server:
        await save(server, "ada", id="w1", state=document | {"n": 0})
        async with server.socket("ada") as reader, server.socket("ada") as deaf:
            await deaf.subscribe("1", STATES, id="w1")
            deaf.connection.transport.pause_reading()
            await reader.subscribe("1", STATES, id="w1")
            for version in range(1, 21):
                assert (await reader.next("1"))["data"]["workflowSaved"]["version"] == version
                assert max(server.unsent_bytes()) < 2_200_000  # a message under way and one that waits
                await save(server, "ada", id="w1", state=document | {"n": version})
            await server.until(lambda: len(server.unsent_bytes()) == 1)
            await server.until(lambda: len(server.services.hub.topics["w1"].listeners) == 1)
