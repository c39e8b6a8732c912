"""Workflow Sync beside an application with a real Better Auth server: its users are known here, and no others."""

import base64
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import httpx
import jwt
import pytest
from pydantic import SecretStr
from websockets.exceptions import InvalidStatus

from auth import better_auth
from db.database import UnavailableError
from server import websocket
from server.settings import Settings
from tests.auth.application import COOKIE, Application, User
from tests.server import live
from tests.server.live import Running

VIEWER = {"query": "{ viewer { id name } }"}
SAVE = {"query": 'mutation { syncWorkflow(input: {id: "w1", state: {n: 1}}) { status } }'}


@pytest.fixture
async def ada(app: Application) -> AsyncIterator[User]:
    """Somebody who signed up at the application."""
    async with app.user("Ada") as ada:
        yield ada


async def ask(server: Running, body: object = VIEWER, **headers: str) -> httpx.Response:
    async with server.http(**headers) as client:
        return await client.post("/graphql", json=body)


def is_known(response: httpx.Response, user: User) -> bool:
    """Say whether an answer is for this user."""
    viewer: object = response.json()["data"]["viewer"]
    return viewer == {"id": user.id, "name": user.name}


def is_refused(response: httpx.Response) -> bool:
    """Say whether somebody was sent to sign in, with nothing in the answer besides."""
    (failure,) = response.json()["errors"]
    return response.status_code == 401 and failure["extensions"]["code"] == "UNAUTHENTICATED"


async def test_the_cookie_of_a_session_signs_in(server: Running, ada: User) -> None:
    assert is_known(await ask(server, Cookie=ada.cookie), ada)


async def test_a_json_web_token_signs_in(server: Running, ada: User) -> None:
    assert is_known(await ask(server, Authorization=await ada.bearer()), ada)


async def test_two_users_are_told_apart(server: Running, app: Application, ada: User) -> None:
    async with app.user("Bob") as bob:
        assert is_known(await ask(server, Cookie=bob.cookie), bob)
        assert is_known(await ask(server, Cookie=ada.cookie), ada)


async def test_the_secure_cookie_of_a_site_with_https_signs_in(server: Running, ada: User) -> None:
    assert is_known(await ask(server, Cookie=f"theme=dark; __Secure-{ada.cookie}"), ada)


async def test_a_token_goes_before_a_cookie(server: Running, app: Application, ada: User) -> None:
    async with app.user("Bob") as bob:
        assert is_known(await ask(server, Cookie=bob.cookie, Authorization=await ada.bearer()), ada)
    assert is_refused(await ask(server, Cookie=ada.cookie, Authorization="Bearer forged"))


async def test_both_sign_in_on_a_socket(server: Running, ada: User) -> None:
    async with server.raw_socket(origin=server.url, cookie=ada.cookie) as by_cookie, server.raw_socket() as by_token:
        await by_cookie.init()
        await by_token.init(Authorization=await ada.bearer())
        for client in (by_cookie, by_token):
            await client.subscribe("1", "{ viewer { id } }")
            assert await client.next("1") == {"data": {"viewer": {"id": ada.id}}}


async def test_nobody_is_refused_even_the_schema(server: Running) -> None:
    assert is_refused(await ask(server))
    assert is_refused(await ask(server, {"query": "{ __schema { queryType { name } } }"}))
    assert is_refused(await ask(server, {"query": "{ __typename }"}))


async def test_no_development_token_is_given_or_taken(server: Running, settings: Settings) -> None:
    async with server.http() as client:
        assert (await client.post("/development/token")).status_code == 404
    assert is_refused(await ask(server, Authorization=server.bearer("ada")))
    assert not settings.development


@pytest.mark.parametrize("stolen", [False, True], ids=["before", "after"])
async def test_signing_out_ends_the_session(server: Running, ada: User, stolen: bool) -> None:
    if stolen:
        assert is_known(await ask(server, Cookie=ada.cookie), ada)
    await ada.sign_out()
    assert is_refused(await ask(server, Cookie=ada.cookie))


async def test_signing_out_ends_the_socket(server: Running, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "RECHECK_SECONDS", 0.05)
    async with server.raw_socket(origin=server.url, cookie=ada.cookie) as client:
        await client.init()
        await ada.sign_out()
        assert await client.closed() == 4403


async def test_the_socket_ends_with_the_session(server: Running, app: Application, ada: User) -> None:
    async with server.raw_socket(origin=server.url, cookie=ada.cookie) as client:
        soon = datetime.now(UTC) + timedelta(seconds=2)
        await app.execute('UPDATE "session" SET "expiresAt" = $1 WHERE "userId" = $2', soon, ada.id)
        await client.init()
        assert await client.closed() == 4403
    assert is_refused(await ask(server, Cookie=ada.cookie))


async def test_a_banned_user_is_refused_by_cookie_and_by_token(server: Running, app: Application, ada: User) -> None:
    cookie, bearer = ada.cookie, await ada.bearer()
    await app.ban(ada)
    assert is_refused(await ask(server, Cookie=cookie))
    assert is_refused(await ask(server, Authorization=bearer))


async def test_a_ban_counts_also_where_the_session_was_left(server: Running, app: Application, ada: User) -> None:
    await app.execute('UPDATE "user" SET banned = true WHERE id = $1', ada.id)
    assert is_refused(await ask(server, Cookie=ada.cookie))


async def test_a_ban_ends_the_sockets(
    server: Running, app: Application, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "RECHECK_SECONDS", 0.05)
    monkeypatch.setattr(better_auth, "BAN_SECONDS", 0.05)
    async with server.raw_socket(origin=server.url, cookie=ada.cookie) as by_cookie, server.raw_socket() as by_token:
        await by_cookie.init()
        await by_token.init(Authorization=await ada.bearer())
        await app.ban(ada)
        assert await by_cookie.closed() == 4403
        assert await by_token.closed() == 4403


@pytest.mark.parametrize("loss", [UnavailableError, ConnectionResetError])
async def test_a_socket_is_sent_away_for_a_while_when_nobody_can_say_whether_the_session_stands(
    server: Running, ada: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, loss: type[Exception]
) -> None:
    async def session(*_: object) -> None:
        raise loss

    monkeypatch.setattr(websocket, "RECHECK_SECONDS", 0.05)
    async with server.raw_socket(origin=server.url, cookie=ada.cookie) as client:
        await client.init()
        monkeypatch.setattr("db.better_auth.session", session)
        assert await client.closed() == 1013
    await server.idle()
    assert not [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")]


async def test_a_ban_that_is_over_is_none(server: Running, app: Application, ada: User) -> None:
    past = datetime.now(UTC) - timedelta(minutes=1)
    await app.execute('UPDATE "user" SET banned = true, "banExpires" = $1 WHERE id = $2', past, ada.id)
    assert is_known(await ask(server, Cookie=ada.cookie), ada)
    assert is_known(await ask(server, Authorization=await ada.bearer()), ada)


FORGERIES: dict[str, Callable[[str, str], str]] = {
    "another token": lambda token, signature: f"x{token}.{signature}",
    "another signature": lambda token, signature: f"{token}.{signature.swapcase()}",
    "a shorter signature": lambda token, signature: f"{token}.{signature[:-4]}",
    "no signature": lambda token, _: token,
    "an empty signature": lambda token, _: f"{token}.",
    "an empty token": lambda _, signature: f".{signature}",
    "a wrong escape": lambda token, signature: f"{token}.%zz{signature}",
    "no UTF-8": lambda token, _: f"{token}.%ff%fe",
    "a NUL character": lambda token, signature: f"{token}%00.{signature}",
    "only dots": lambda _, __: "...",
    "something long": lambda _, __: "x" * 8_000,
}


@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forged_cookie_is_refused(
    server: Running, ada: User, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    token, _, signature = ada.client.cookies[COOKIE].rpartition(".")
    forged = FORGERIES[name](token, signature)
    assert is_refused(await ask(server, Cookie=f"{COOKIE}={forged}"))
    async with server.raw_socket(origin=server.url, cookie=f"{COOKIE}={forged}") as client:
        await client.send({"type": "connection_init"})
        assert await client.closed() == 4403
    assert not [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")]


async def test_the_cookie_of_another_better_auth_is_refused(settings: Settings, ada: User) -> None:
    other = settings.model_copy(update={"better_auth_secret": SecretStr("x" * 32)})
    async with live.run(other) as server:
        assert is_refused(await ask(server, Cookie=ada.cookie))


async def test_an_empty_cookie_is_none(server: Running) -> None:
    response = await ask(server, Cookie=f"{COOKIE}=")
    assert is_refused(response)
    assert "Sign in first" in response.text


def reassemble(bearer: str, header: dict[str, object], claims: dict[str, object], key: bytes | None = None) -> str:
    """Change a token, and sign it again by HS256 where a key is given, else not."""
    parts = [json.loads(base64.urlsafe_b64decode(part + "==")) for part in bearer.split()[1].split(".")[:2]]
    head, said = parts[0] | header, parts[1] | claims
    if key is not None:
        return f"Bearer {jwt.api_jws.PyJWS().encode(json.dumps(said).encode(), key, 'HS256', head)}"
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (head, said)]
    return f"Bearer {'.'.join(encoded)}.{bearer.rpartition('.')[2]}"


async def test_a_changed_token_is_refused(server: Running, app: Application, ada: User) -> None:
    bearer = await ada.bearer()
    async with app.user("Bob") as bob:
        assert is_refused(await ask(server, Authorization=reassemble(bearer, {}, {"sub": bob.id})))
    assert is_refused(await ask(server, Authorization=reassemble(bearer, {}, {"exp": 4_000_000_000})))
    assert is_refused(await ask(server, Authorization=reassemble(bearer, {"alg": "none"}, {})))
    assert is_refused(await ask(server, Authorization=bearer[:-4]))


async def test_the_public_key_is_no_secret_to_sign_with(server: Running, ada: User) -> None:
    keys = (await ada.get("/jwks"))["keys"]
    public = base64.urlsafe_b64decode(keys[0]["x"] + "=")
    assert is_refused(await ask(server, Authorization=reassemble(await ada.bearer(), {"alg": "HS256"}, {}, public)))


@pytest.mark.parametrize(("setting", "claim"), [("jwt_issuer", "issuer"), ("jwt_audience", "Audience")])
async def test_a_token_for_somebody_else_is_refused(settings: Settings, ada: User, setting: str, claim: str) -> None:
    async with live.run(settings.model_copy(update={setting: "https://other.example"})) as server:
        response = await ask(server, Authorization=await ada.bearer())
    assert is_refused(response)
    assert claim in response.text


async def test_a_page_of_the_application_or_of_the_server_may_save_by_cookie(
    server: Running, app: Application, ada: User
) -> None:
    for origin in (app.url, server.url, server.url.replace("http:", "https:")):
        response = await ask(server, SAVE, Cookie=ada.cookie, Origin=origin)
        assert response.json()["data"]["syncWorkflow"]["status"] in ("CREATED", "UNCHANGED")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1", "", None])
async def test_a_foreign_page_may_not_save_by_cookie(server: Running, ada: User, origin: str | None) -> None:
    headers = {"Cookie": ada.cookie} | ({"Origin": origin} if origin is not None else {})
    async with server.http(**headers) as client:
        graphql = await client.post("/graphql", json=SAVE)
        rest = await client.post("/api/workflows/sync", json={"id": "w1", "state": {"n": 1}})
        beacon = await client.post(
            "/api/workflows/sync", content=b'{"id": "w1", "state": {}}', headers={"Content-Type": "text/plain"}
        )
    for response in (graphql, rest, beacon):
        assert response.status_code == 403
        assert response.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    read = await ask(server, {"query": '{ workflow(id: "w1") { id } }'}, Cookie=ada.cookie)
    assert read.json() == {"data": {"workflow": None}}


async def test_a_token_saves_from_anywhere(server: Running, ada: User) -> None:
    response = await ask(server, SAVE, Authorization=await ada.bearer(), Origin="https://evil.example")
    assert response.json()["data"]["syncWorkflow"]["status"] == "CREATED"


async def test_a_cookie_on_a_socket_needs_an_allowed_origin(server: Running, app: Application, ada: User) -> None:
    async with server.raw_socket(origin=app.url, cookie=ada.cookie) as client:
        await client.init()
    async with server.raw_socket(cookie=ada.cookie) as client:
        await client.send({"type": "connection_init"})
        assert await client.closed() == 4403
    with pytest.raises(InvalidStatus):
        async with server.raw_socket(origin="https://evil.example", cookie=ada.cookie):
            pytest.fail("the socket was opened")


async def test_a_server_with_another_name_and_a_proxy_in_front_serves(server: Running, ada: User) -> None:
    headers = {"Host": "sync.example", "X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
    assert is_known(await ask(server, Cookie=ada.cookie, **headers), ada)
    response = await ask(server, SAVE, Cookie=ada.cookie, Origin="https://sync.example", **headers)
    assert response.status_code == 200


async def test_where_better_auth_has_no_tables_the_log_says_so(
    migrated_url: str, settings: Settings, ada: User, caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere = settings.model_copy(update={"database_url": SecretStr(migrated_url)})
    async with live.run(elsewhere) as server:
        response = await ask(server, Cookie=ada.cookie)
    assert response.status_code == 500
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.exc_info
    assert "BETTER_AUTH_SECRET" in str(record.exc_info[1])
