"""Everybody who may ask something of a workflow: its owner, its members, a stranger, nobody."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from db.database import Database
from db.hub import Hub
from db.workflows import Role
from resolvers import sync, workflows
from resolvers.answers import Answer
from resolvers.context import Context, Limits, UserId, Viewer
from resolvers.saver import Saver
from resolvers.saves import Save
from resolvers.submissions import Submission
from tests.resolvers import stores

CACHE_BYTES = 32 * 1024 * 1024


@pytest.fixture
async def hub(database: Database) -> AsyncIterator[Hub]:
    """The announcements of this process."""
    async with Hub.open(database) as hub:
        yield hub


@pytest.fixture
def snapshot_every() -> int:
    """Which saves bring the snapshot up themselves: none. With 1 all do, and after the test it is looked whether so."""
    return 0


in_both_modes = pytest.mark.parametrize("snapshot_every", [0, 1], ids=["lazy", "eager"])


@pytest.fixture
async def saver(database: Database, snapshot_every: int) -> AsyncIterator[Saver]:
    """What saves, as in a process of its own."""
    async with Saver.open(database, cache_bytes=CACHE_BYTES, snapshot_every=snapshot_every) as saver:
        yield saver
        assert snapshot_every != 1 or await stores.lagging(database) == []


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every save written alone, as if it could not be together with others."""

    async def refused(saver: Saver, submission: Submission) -> Answer | None:
        del saver, submission
        return None

    monkeypatch.setattr(Saver, "save", refused)


@pytest.fixture
def nobody(database: Database, hub: Hub, saver: Saver) -> Context:
    """Somebody who is not signed in."""
    return Context(database, hub, saver, Limits())


def signed_in(nobody: Context, name: str) -> Context:
    return Context(nobody.database, nobody.hub, nobody.saver, nobody.limits, Viewer(UserId(name), name.title()))


@pytest.fixture
def owner(nobody: Context) -> Context:
    """Who owns `workflow`."""
    return signed_in(nobody, "owner")


@pytest.fixture
def editor(nobody: Context) -> Context:
    """Who may save `workflow`."""
    return signed_in(nobody, "editor")


@pytest.fixture
def viewer(nobody: Context) -> Context:
    """Who may see `workflow`."""
    return signed_in(nobody, "viewer")


@pytest.fixture
def stranger(nobody: Context) -> Context:
    """Somebody who is signed in and has nothing to do with `workflow`."""
    return signed_in(nobody, "stranger")


@pytest.fixture
async def elsewhere(owner: Context, snapshot_every: int) -> AsyncIterator[Context]:
    """The owner, in another process."""
    async with (
        Database.open(owner.database.url, pool_size=10) as database,
        Hub.open(database) as hub,
        Saver.open(database, cache_bytes=CACHE_BYTES, snapshot_every=snapshot_every) as saver,
    ):
        yield replace(owner, database=database, hub=hub, saver=saver)


@pytest.fixture
async def workflow(owner: Context) -> str:
    """The id of a workflow at version 1, shared with `editor` and `viewer`."""
    document = {"blocks": {"a": {"x": 1}}, "edges": []}
    await sync.sync(owner, Save("w", document, name="Plan"))
    await workflows.share(owner, "w", "editor", Role.EDITOR)
    await workflows.share(owner, "w", "viewer", Role.VIEWER)
    return "w"
