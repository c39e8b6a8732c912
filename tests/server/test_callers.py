"""Development tokens count on this machine alone: not through a proxy, not under another name, not for other pages."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import httpx
import jwt
import pytest
from pydantic import SecretStr
from websockets.exceptions import InvalidStatus

from server.settings import Settings
from tests.server import live
from tests.server.live import Running

VIEWER = {"query": "{ viewer { id } }"}

ELSEWHERE: dict[str, dict[str, str]] = {
    "another name": {"Host": "evil.example"},
    "another name and this port": {"Host": "evil.example:8000"},
    "a name that begins alike": {"Host": "localhost.evil.example"},
    "a name that begins like an address": {"Host": "127.0.0.1.evil.example"},
    "another address": {"Host": "192.0.2.1"},
    "another address of IPv6": {"Host": "[2001:db8::1]:8000"},
    "every address": {"Host": "0.0.0.0"},
    "no name": {"Host": ""},
    "a user in the name": {"Host": "127.0.0.1@evil.example"},
    "Forwarded": {"Forwarded": "for=203.0.113.7"},
    "X-Forwarded-For": {"X-Forwarded-For": "127.0.0.1"},
    "X-Forwarded-Host": {"X-Forwarded-Host": "127.0.0.1"},
    "X-Forwarded-Proto": {"X-Forwarded-Proto": "http"},
    "X-Forwarded-Anything": {"x-forwarded-anything": ""},
    "X-Real-IP": {"X-Real-IP": "127.0.0.1"},
    "Via": {"Via": "1.1 proxy"},
}
HERE = ["localhost", "LOCALHOST:1234", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:8000"]


def is_refused(response: httpx.Response) -> bool:
    (failure,) = response.json()["errors"]
    return response.status_code == 401 and failure["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("name", ELSEWHERE)
async def test_a_token_from_elsewhere_is_refused(server: Running, name: str) -> None:
    async with server.http("ada", **ELSEWHERE[name]) as client:
        assert is_refused(await client.post("/graphql", json=VIEWER))
        assert is_refused(await client.post("/api/workflows/sync", json={"id": "w1", "state": {}}))


@pytest.mark.parametrize("name", ELSEWHERE)
async def test_nobody_from_elsewhere_sees_the_schema_or_gets_a_token(server: Running, name: str) -> None:
    async with server.http(**ELSEWHERE[name]) as client:
        assert is_refused(await client.post("/graphql", json={"query": "{ __schema { queryType { name } } }"}))
        assert is_refused(await client.post("/development/token"))


@pytest.mark.parametrize("name", ELSEWHERE)
async def test_a_socket_from_elsewhere_is_refused_at_the_handshake(server: Running, name: str) -> None:
    head = {"Host": "127.0.0.1", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    head |= {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol": "graphql-transport-ws"}
    async with server.http() as client:
        assert (await client.get("/graphql", headers=head)).status_code == 101
        assert (await client.get("/graphql", headers=head | ELSEWHERE[name])).status_code == 403


@pytest.mark.parametrize("host", HERE)
async def test_every_name_of_this_machine_serves(server: Running, host: str) -> None:
    async with server.http("ada", Host=host) as client:
        assert (await client.post("/graphql", json=VIEWER)).json() == {"data": {"viewer": {"id": "ada"}}}


async def test_two_names_are_none(server: Running) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    body = json.dumps(VIEWER)
    head = f"POST /graphql HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nAuthorization: {server.bearer('ada')}\r\n"
    writer.write(f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
    async with asyncio.timeout(20):
        status = await reader.readline()
    writer.close()
    assert status.split()[1] in (b"400", b"401")


@pytest.mark.parametrize(
    "authorization", ["Bearer", "Bearer forged", "Basic YWRhOmFkYQ==", "forged", "", "é", "Bearer a b"]
)
async def test_what_is_no_bearer_token_is_refused(server: Running, authorization: str) -> None:
    async with server.http() as client:
        headers = {b"Authorization": authorization.encode("latin-1")}
        assert is_refused(await client.post("/graphql", json={"query": "{ __typename }"}, headers=headers))


async def test_the_scheme_may_be_written_anyhow(server: Running) -> None:
    token = server.bearer("ada").removeprefix("Bearer ")
    async with server.http(Authorization=f"bEARER   {token}") as client:
        assert (await client.post("/graphql", json=VIEWER)).status_code == 200


@pytest.mark.parametrize("name", ["Authorization", "authorization"])
async def test_a_socket_takes_the_token_by_either_spelling(server: Running, name: str) -> None:
    async with server.raw_socket() as client:
        await client.init(**{name: server.bearer("ada")})


async def test_on_a_server_for_others_development_tokens_are_worth_nothing(settings: Settings) -> None:
    async with live.run(settings.model_copy(update={"host": "0.0.0.0"})) as server:
        async with server.http("ada") as client:
            assert is_refused(await client.post("/graphql", json=VIEWER))
            assert (await client.post("/development/token")).status_code == 404
        async with server.http() as client:
            assert is_refused(await client.post("/graphql", json={"query": "{ __typename }"}))
        async with server.raw_socket() as socket:
            await socket.send({"type": "connection_init", "payload": {"Authorization": server.bearer("ada")}})
            assert await socket.closed() == 4403


async def test_a_json_web_token_by_a_shared_secret_signs_in_instead_of_development_tokens(settings: Settings) -> None:
    secret = "0123456789abcdef0123456789abcdef"
    shared = {"jwt_secret": SecretStr(secret), "jwt_issuer": "issuer", "jwt_audience": "sync"}
    said = {"sub": "ada", "iss": "issuer", "aud": "sync", "exp": datetime.now(UTC) + timedelta(minutes=1)}
    async with live.run(settings.model_copy(update=shared)) as server:
        async with server.http(Authorization=f"Bearer {jwt.encode(said, secret)}") as client:
            assert (await client.post("/graphql", json=VIEWER)).json() == {"data": {"viewer": {"id": "ada"}}}
        async with server.http("ada") as client:
            assert is_refused(await client.post("/graphql", json=VIEWER))
            assert (await client.post("/development/token")).status_code == 404


async def test_where_better_auth_is_not_configured_its_cookies_are_none(server: Running) -> None:
    async with server.http(Cookie="better-auth.session_token=forged") as client:
        assert (await client.post("/graphql", json={"query": "{ __typename }"})).json() == {
            "data": {"__typename": "Query"}
        }


async def test_a_page_gets_a_token_with_which_it_signs_in(server: Running) -> None:
    async with server.http(Origin=server.url, **{"Sec-Fetch-Site": "same-origin"}) as page:
        response = await page.post("/development/token")
        assert response.status_code == 200
        assert response.headers["cache-control"] == "no-store"
        page.headers["Authorization"] = f"Bearer {response.json()['token']}"
        assert (await page.post("/graphql", json=VIEWER)).json() == {"data": {"viewer": {"id": "developer"}}}


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "developer"),
        (b"{}", "developer"),
        (b'{"name": "guest-7f3a"}', "guest-7f3a"),
        (b'{"name": " Zo\xc3\xab \xf0\x9f\x98\x80 "}', "Zo\xeb \U0001f600"),
    ],
)
async def test_a_page_says_who_it_wants_to_be(server: Running, content: bytes, name: str) -> None:
    async with server.http() as page:
        given = (await page.post("/development/token", content=content)).json()
        assert (given["id"], given["name"]) == (name, name)
        page.headers["Authorization"] = f"Bearer {given['token']}"
        viewer = (await page.post("/graphql", json={"query": "{ viewer { id name } }"})).json()["data"]["viewer"]
    assert viewer == {"id": name, "name": name}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b'{"name": ""}', "`name` must have 1 to 200 characters."),
        (b'{"name": "   "}', "`name` must have 1 to 200 characters."),
        (b'{"name": "' + b"x" * 201 + b'"}', "`name` must have 1 to 200 characters."),
        (b'{"name": "a\\u0000"}', "`name` holds a NUL character or half of a surrogate pair."),
        (b'{"name": "\\ud800"}', "`name` holds a NUL character or half of a surrogate pair."),
        (b'{"name": 7}', 'Send {"name": "..."} with a text, or no body at all.'),
        (b'{"name": null}', 'Send {"name": "..."} with a text, or no body at all.'),
        (b'["ada"]', 'Send {"name": "..."} with a text, or no body at all.'),
        (b"ada", "This is not JSON that can be read: Malformed JSON: Expecting value: line 1 column 1."),
    ],
)
async def test_nobody_can_want_to_be_called_so(server: Running, content: bytes, sentence: str) -> None:
    async with server.http() as page:
        response = await page.post("/development/token", content=content)
    assert response.status_code == 400
    assert response.json() == {"errors": [{"message": sentence, "extensions": {"code": "BAD_USER_INPUT"}}]}


async def test_who_wants_to_be_somebody_does_not_send_much(server: Running) -> None:
    async with server.http() as page:
        assert (await page.post("/development/token", content=b" " * 5000)).status_code == 413


@pytest.mark.parametrize("headers", [{}, {"Origin": live.ALLOWED_ORIGIN, "Sec-Fetch-Site": "cross-site"}])
async def test_a_program_and_an_allowed_page_get_a_token(server: Running, headers: dict[str, str]) -> None:
    async with server.http(**headers) as client:
        assert (await client.post("/development/token")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
async def test_a_foreign_page_gets_no_token_and_no_socket(server: Running, headers: dict[str, str]) -> None:
    async with server.http(**headers) as page:
        response = await page.post("/development/token")
        assert response.status_code == 403
        assert response.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    if "Origin" in headers:
        with pytest.raises(InvalidStatus):
            async with server.raw_socket(origin=headers["Origin"] or "https://evil.example"):
                pytest.fail("the socket was opened")


async def test_a_token_is_not_to_be_had_by_a_link(server: Running) -> None:
    async with server.http() as client:
        assert (await client.get("/development/token")).status_code == 405
