"""Bodies of requests: how large they may be, plain and inflated."""

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.server.live import Running

QUERY = json.dumps({"query": "{ viewer { id } }"}).encode()
MEBIBYTE = b" " * 1024 * 1024
LIMIT = 8 * len(MEBIBYTE)  # the default of MAX_BODY_BYTES


@pytest.fixture
async def ada(server: Running) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client that is signed in and sends JSON."""
    async with server.http("ada", **{"Content-Type": "application/json"}) as client:
        yield client


def refused(response: httpx.Response, status: int, code: str) -> None:
    assert response.status_code == status, response.text
    (failure,) = response.json()["errors"]
    assert failure["extensions"]["code"] == code


async def chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 65_536):
        yield body[start : start + 65_536]


async def test_a_body_of_just_the_limit_is_taken(ada: httpx.AsyncClient) -> None:
    assert (await ada.post("/graphql", content=QUERY.ljust(LIMIT))).status_code == 200


async def test_a_longer_body_is_too_large(ada: httpx.AsyncClient) -> None:
    refused(await ada.post("/graphql", content=QUERY.ljust(LIMIT + 1)), 413, "TOO_LARGE")


async def test_a_longer_body_in_chunks_is_too_large(ada: httpx.AsyncClient) -> None:
    refused(await ada.post("/graphql", content=chunks(QUERY.ljust(LIMIT + 1))), 413, "TOO_LARGE")


async def test_the_connection_is_good_for_another_request_after_one_that_was_too_large(ada: httpx.AsyncClient) -> None:
    await ada.post("/graphql", content=QUERY.ljust(LIMIT + 1))
    assert (await ada.post("/graphql", content=QUERY)).status_code == 200


async def upload(server: Running, framing: str, parts: list[bytes]) -> tuple[bytes, int]:
    """Send a request by hand; give the head of the answer and how many of its parts were sent when it came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = f"POST /graphql HTTP/1.1\r\nHost: localhost\r\nAuthorization: {server.bearer('ada')}\r\n"
    writer.write(f"{head}Content-Type: application/json\r\n{framing}\r\n\r\n".encode())
    sent = 0
    answer = asyncio.create_task(reader.readuntil(b"\r\n\r\n"))
    for part in parts:
        if answer.done():
            break
        writer.write(part)
        await writer.drain()
        sent += 1
    async with asyncio.timeout(20):
        head_of_answer = await answer
    writer.close()
    return head_of_answer, sent


async def test_a_length_over_the_limit_is_refused_before_any_of_it_is_sent(server: Running) -> None:
    head, _ = await upload(server, f"Content-Length: {100 * len(MEBIBYTE)}", [])
    assert head.startswith(b"HTTP/1.1 413 ")


async def test_a_long_upload_in_chunks_is_refused_while_it_is_being_sent(server: Running) -> None:
    chunk = b"%x\r\n%b\r\n" % (len(MEBIBYTE), MEBIBYTE)
    head, sent = await upload(server, "Transfer-Encoding: chunked", [chunk] * 100)
    assert head.startswith(b"HTTP/1.1 413 ")
    assert sent < 50


async def test_a_client_that_sends_all_before_it_reads_gets_the_answer(server: Running) -> None:
    body = b" " * (100 * len(MEBIBYTE))
    async with server.http("ada", **{"Content-Type": "application/json"}) as client:
        refused(await client.post("/graphql", content=chunks(body)), 413, "TOO_LARGE")


async def test_a_client_that_goes_away_in_the_middle_of_its_body_leaves_no_traceback(
    server: Running, caplog: pytest.LogCaptureFixture
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = f"POST /graphql HTTP/1.1\r\nHost: localhost\r\nAuthorization: {server.bearer('ada')}\r\n"
    writer.write(f"{head}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{".encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    await server.idle()
    assert not caplog.records


async def test_a_gzipped_body_is_inflated(ada: httpx.AsyncClient) -> None:
    response = await ada.post("/graphql", content=gzip.compress(QUERY), headers={"Content-Encoding": "gzip"})
    assert response.json() == {"data": {"viewer": {"id": "ada"}}}


async def test_a_gzipped_body_may_come_in_many_pieces(ada: httpx.AsyncClient) -> None:
    async def bytewise() -> AsyncIterator[bytes]:
        for byte in gzip.compress(QUERY):
            yield bytes([byte])

    response = await ada.post("/graphql", content=bytewise(), headers={"Content-Encoding": "gzip"})
    assert response.status_code == 200


async def test_the_limit_holds_for_the_inflated_size(ada: httpx.AsyncClient) -> None:
    headers = {"Content-Encoding": "gzip"}
    exact = gzip.compress(QUERY.ljust(LIMIT))
    assert (await ada.post("/graphql", content=exact, headers=headers)).status_code == 200
    bomb = gzip.compress(b" " * (LIMIT + 1))
    assert len(bomb) < 20_000
    refused(await ada.post("/graphql", content=bomb, headers=headers), 413, "TOO_LARGE")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        QUERY,
        zlib.compress(QUERY),
        gzip.compress(QUERY)[:-1],
        gzip.compress(QUERY) + b"more",
        gzip.compress(QUERY)[:-8] + bytes(8),
    ],
    ids=["empty", "plain", "zlib", "cut off", "followed", "wrong checksum"],
)
async def test_a_body_that_is_no_gzip_is_refused(ada: httpx.AsyncClient, body: bytes) -> None:
    refused(await ada.post("/graphql", content=body, headers={"Content-Encoding": "gzip"}), 400, "BAD_USER_INPUT")


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "nonsense"])
async def test_other_encodings_are_refused(ada: httpx.AsyncClient, encoding: str) -> None:
    refused(await ada.post("/graphql", content=QUERY, headers={"Content-Encoding": encoding}), 415, "BAD_USER_INPUT")
