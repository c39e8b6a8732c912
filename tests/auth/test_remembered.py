"""Tokens are checked once in a while, and never believed when they have ended."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from auth import remembered
from auth.remembered import SECONDS, Remembered
from resolvers.context import UserId, Viewer
from resolvers.errors import UnauthenticatedError
from tests.auth.clock import Clock


@dataclass(slots=True)
class Bearers:
    """Tokens that are the ids of their users, until they are withdrawn, and what was asked."""

    expires_at: datetime | None = None
    withdrawn: bool = False
    asked: list[str] = field(default_factory=list)

    async def viewer(self, token: str) -> Viewer:
        self.asked.append(token)
        if self.withdrawn:
            raise UnauthenticatedError
        return Viewer(UserId(token), None, self.expires_at)


@pytest.fixture
def bearers() -> Bearers:
    return Bearers()


@pytest.fixture
def tokens(bearers: Bearers, clock: Clock) -> Remembered:
    return Remembered(bearers, clock)


async def test_a_token_is_checked_once_in_a_while(tokens: Remembered, bearers: Bearers, clock: Clock) -> None:
    for token in ("ada", "bob", "ada", "bob"):
        assert (await tokens.viewer(token)).id == token
    clock.now += SECONDS - 1
    await tokens.viewer("ada")
    assert bearers.asked == ["ada", "bob"]
    clock.now += 1
    await tokens.viewer("ada")
    await tokens.viewer("ada")
    assert bearers.asked == ["ada", "bob", "ada"]


async def test_a_token_that_is_withdrawn_counts_for_nothing_soon(
    tokens: Remembered, bearers: Bearers, clock: Clock
) -> None:
    await tokens.viewer("ada")
    bearers.withdrawn = True
    clock.now += SECONDS
    for _ in range(2):
        with pytest.raises(UnauthenticatedError):
            await tokens.viewer("ada")


async def test_a_token_that_has_ended_is_checked_again(tokens: Remembered, bearers: Bearers) -> None:
    bearers.expires_at = datetime.now(UTC) - timedelta(microseconds=1)
    await tokens.viewer("ada")
    bearers.withdrawn = True
    with pytest.raises(UnauthenticatedError):
        await tokens.viewer("ada")


async def test_a_token_that_is_refused_is_not_remembered(tokens: Remembered, bearers: Bearers) -> None:
    bearers.withdrawn = True
    with pytest.raises(UnauthenticatedError):
        await tokens.viewer("ada")
    bearers.withdrawn = False
    assert (await tokens.viewer("ada")).id == "ada"


async def test_only_so_many_tokens_are_remembered(
    tokens: Remembered, bearers: Bearers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "MOST", 3)
    for token in ("a", "b", "c", "d", "d", "c", "b"):
        await tokens.viewer(token)
    assert bearers.asked == ["a", "b", "c", "d"]
    await tokens.viewer("a")
    assert bearers.asked == ["a", "b", "c", "d", "a"]
