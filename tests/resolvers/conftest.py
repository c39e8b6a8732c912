"""Everybody who may ask something of a workflow: its owner, its members, a stranger, nobody."""

from collections.abc import AsyncIterator

import pytest

from db.database import Database
from db.hub import Hub
from db.workflows import Role
from resolvers import sync, workflows
from resolvers.context import Context, Limits, UserId, Viewer
from resolvers.saver import Saver
from resolvers.saves import Save

CACHE_BYTES = 32 * 1024 * 1024


@pytest.fixture
async def hub(database: Database) -> AsyncIterator[Hub]:
    """The announcements of this process."""
    async with Hub.open(database) as hub:
        yield hub


@pytest.fixture
async def saver(database: Database) -> AsyncIterator[Saver]:
    """What saves, as in a process of its own."""
    async with Saver.open(database, cache_bytes=CACHE_BYTES, snapshot_every=0) as saver:
        yield saver


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
async def workflow(owner: Context) -> str:
    """The id of a workflow at version 1, shared with `editor` and `viewer`."""
    document = {"blocks": {"a": {"x": 1}}, "edges": []}
    await sync.sync(owner, Save("w", document, name="Plan"))
    await workflows.share(owner, "w", "editor", Role.EDITOR)
    await workflows.share(owner, "w", "viewer", Role.VIEWER)
    return "w"
