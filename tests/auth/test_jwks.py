"""The keys of an issuer: fetched when they are needed, kept for a while, never asked for too often."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from auth.jwks import FRESH_SECONDS, PAUSE_SECONDS, RETRY_SECONDS, PublishedKeys
from resolvers.errors import UnauthenticatedError
from tests.auth import issuer
from tests.auth.clock import Clock
from tests.auth.issuer import Publication, SigningKey

FIRST = SigningKey.make("EdDSA", "first")
SECOND = SigningKey.make("EdDSA", "second")


@pytest.fixture
async def publication() -> AsyncIterator[Publication]:
    async with issuer.publishing(FIRST) as publication:
        yield publication


@pytest.fixture
def keys(publication: Publication, clock: Clock) -> PublishedKeys:
    return PublishedKeys(publication.url, clock)


async def is_known(keys: PublishedKeys, kid: str | None) -> bool:
    try:
        key = await keys.find(kid)
    except UnauthenticatedError:
        return False
    return kid in (None, key.key_id)


async def test_nothing_is_fetched_before_somebody_asks(keys: PublishedKeys, publication: Publication) -> None:
    assert publication.requests == 0
    assert await is_known(keys, "first")
    assert publication.requests == 1


async def test_keys_are_kept(keys: PublishedKeys, publication: Publication, clock: Clock) -> None:
    for _ in range(3):
        assert await is_known(keys, "first")
    clock.now += FRESH_SECONDS - 1
    assert await is_known(keys, "first")
    assert publication.requests == 1


async def test_who_asks_at_the_same_time_shares_one_fetch(keys: PublishedKeys, publication: Publication) -> None:
    assert all(await asyncio.gather(*(is_known(keys, "first") for _ in range(20))))
    assert publication.requests == 1


async def test_a_new_key_is_found(keys: PublishedKeys, publication: Publication, clock: Clock) -> None:
    assert await is_known(keys, "first")
    publication.publish(FIRST, SECOND)
    clock.now += PAUSE_SECONDS
    assert await is_known(keys, "second")
    assert await is_known(keys, "first")
    assert publication.requests == 2


async def test_a_withdrawn_key_soon_counts_no_more(keys: PublishedKeys, publication: Publication, clock: Clock) -> None:
    assert await is_known(keys, "first")
    publication.publish(SECOND)
    clock.now += FRESH_SECONDS
    assert not await is_known(keys, "first")


async def test_unknown_keys_do_not_make_the_issuer_busy(
    keys: PublishedKeys, publication: Publication, clock: Clock
) -> None:
    for number in range(50):
        assert not await is_known(keys, f"unknown {number}")
    assert publication.requests == 1
    clock.now += PAUSE_SECONDS
    for number in range(50):
        assert not await is_known(keys, f"unknown {number}")
    assert publication.requests == 2


async def test_a_token_need_not_name_the_only_key(keys: PublishedKeys) -> None:
    assert await is_known(keys, None)


async def test_a_token_must_name_one_of_several_keys(keys: PublishedKeys, publication: Publication) -> None:
    publication.publish(FIRST, SECOND)
    assert await is_known(keys, "first")
    assert not await is_known(keys, None)


async def test_keys_to_encrypt_with_check_no_signature(keys: PublishedKeys, publication: Publication) -> None:
    publication.keys = {"keys": [FIRST.published(use="enc"), SECOND.published(use="sig")]}
    assert not await is_known(keys, "first")
    assert await is_known(keys, "second")


async def test_keys_that_nobody_understands_are_left_out(keys: PublishedKeys, publication: Publication) -> None:
    publication.keys = {"keys": [{"kty": "later"}, {}, 7, FIRST.published()]}
    assert await is_known(keys, "first")


WRONG_ANSWERS: dict[str, tuple[int, object]] = {
    "an error": (503, {"keys": [FIRST.published()]}),
    "a redirect": (302, {"keys": [FIRST.published()]}),
    "no JSON": (200, b"<html>"),
    "no UTF-8": (200, b"\xff\xfe"),
    "no object": (200, [FIRST.published()]),
    "no keys": (200, {}),
    "an empty set": (200, {"keys": []}),
    "keys that are no list": (200, {"keys": {"kid": "first"}}),
    "keys that nobody understands": (200, {"keys": [{"kty": "later"}, 7]}),
}


@pytest.mark.parametrize("name", WRONG_ANSWERS)
async def test_an_answer_without_keys_is_logged_and_whoever_waits_is_told(
    keys: PublishedKeys, publication: Publication, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    publication.status, publication.keys = WRONG_ANSWERS[name]
    with pytest.raises(UnauthenticatedError, match="cannot be read at the moment"):
        await keys.find("first")
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert publication.url in record.getMessage()


async def test_a_server_that_is_down_is_asked_again_after_a_pause(
    keys: PublishedKeys, publication: Publication, clock: Clock
) -> None:
    publication.status = 503
    assert not await is_known(keys, "first")
    publication.status = 200
    assert not await is_known(keys, "first")
    assert publication.requests == 1
    clock.now += PAUSE_SECONDS
    assert await is_known(keys, "first")


async def test_a_server_that_is_not_there_is_told(clock: Clock) -> None:
    async with issuer.publishing(FIRST) as gone:
        keys = PublishedKeys(gone.url, clock)
    with pytest.raises(UnauthenticatedError, match="cannot be read at the moment"):
        await keys.find("first")


async def test_while_the_server_is_down_the_keys_from_before_serve_on(
    keys: PublishedKeys, publication: Publication, clock: Clock
) -> None:
    assert await is_known(keys, "first")
    publication.status = 503
    clock.now += FRESH_SECONDS
    for _ in range(3):
        assert await is_known(keys, "first")
    assert publication.requests == 2
    publication.status = 200
    publication.publish(SECOND)
    clock.now += RETRY_SECONDS
    assert not await is_known(keys, "first")
    assert await is_known(keys, "second")


async def test_a_server_that_does_not_answer_is_given_up(
    keys: PublishedKeys, publication: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auth.jwks.FETCH_SECONDS", 0.05)
    publication.answering.clear()
    assert not await is_known(keys, "first")
    publication.answering.set()


async def test_whoever_gives_up_waiting_takes_nothing_from_the_others(
    keys: PublishedKeys, publication: Publication
) -> None:
    publication.answering.clear()
    impatient = asyncio.create_task(keys.find("first"))
    patient = asyncio.create_task(keys.find("first"))
    async with asyncio.timeout(20):
        while publication.requests == 0:  # noqa: ASYNC110 -- the socket tells nobody
            await asyncio.sleep(0.01)
    impatient.cancel()
    publication.answering.set()
    assert (await patient).key_id == "first"
