"""Whoever may see a workflow may see who has it open, and be there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from db.database import Database
from db.hub import Hub
from db.rooms import Gathering
from db.workflows import Role
from resolvers import errors, presence, workflows
from resolvers.context import Context
from resolvers.presence import STATE_BYTES, STATE_DEPTH
from tests.facts import until
from tests.resolvers.conftest import signed_in

Seen = dict[tuple[str, str], bytes]


@dataclass(slots=True)
class Watch:
    """What somebody was told of who is there; `end` is the error with which that ended."""

    told: list[Seen] = field(default_factory=list)
    end: errors.OperationError | None = None

    async def read(self, context: Context, workflow_id: str, client_id: str | None) -> None:
        async with aclosing(presence.gatherings(context, workflow_id, client_id)) as source:
            try:
                async for gathering in source:
                    self.told.append(seen(gathering))
            except errors.OperationError as error:
                self.end = error

    async def sees(self, *people: tuple[str, str]) -> None:
        """Wait to be told that just these tabs are there."""
        await until(lambda: bool(self.told) and self.told[-1].keys() == set(people))

    async def shows(self, user: str, client: str, state: bytes) -> None:
        """Wait to be told what a tab shows."""
        await until(lambda: bool(self.told) and self.told[-1].get((user, client)) == state)


def seen(gathering: Gathering) -> Seen:
    return {(user, client): bytes(look.state) for (_, user, client), look in gathering.tabs}


@asynccontextmanager
async def there(context: Context, client_id: str | None = None, workflow_id: str = "w") -> AsyncIterator[Watch]:
    """Be there, in a tab of that name or only to watch; the first list was told, or an error."""
    watch = Watch()
    reading = asyncio.create_task(watch.read(context, workflow_id, client_id))
    try:
        await until(lambda: bool(watch.told) or watch.end is not None)
        yield watch
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    if not reading.cancelled():
        await reading


@pytest.fixture
async def elsewhere(database: Database) -> AsyncIterator[Hub]:
    """Another process."""
    async with Hub.open(database) as hub:
        yield hub


@pytest.mark.usefixtures("workflow")
async def test_owner_editor_and_viewer_are_there_and_see_each_other(
    owner: Context, editor: Context, viewer: Context
) -> None:
    async with there(owner, "a") as first, there(editor, "b") as second, there(viewer, "c") as third:
        everybody = [("owner", "a"), ("editor", "b"), ("viewer", "c")]
        for watch in (first, second, third):
            await watch.sees(*everybody)
        assert first.told[0].keys() == {("owner", "a")}
        for context, client in ((owner, "a"), (editor, "b"), (viewer, "c")):
            assert await presence.say(context, "w", client, {"by": client})
        for watch in (first, second, third):
            await watch.shows("viewer", "c", b'{"by":"c"}')
            await watch.shows("owner", "a", b'{"by":"a"}')


async def test_a_stranger_and_nobody_see_nothing_and_cannot_say_anything(
    owner: Context, stranger: Context, nobody: Context, workflow: str
) -> None:
    async with there(owner, "a") as watch:
        for context, error in ((stranger, errors.NotFoundError), (nobody, errors.UnauthenticatedError)):
            async with there(context, "b", workflow) as refused:
                assert (refused.told, type(refused.end)) == ([], error)
            with pytest.raises(error):
                await presence.say(context, workflow, "a", 1)
        assert watch.told == [{("owner", "a"): b"null"}]


@pytest.mark.parametrize("workflow_id", ["missing", "", "a\0b", "\ud800"])
async def test_where_there_is_no_workflow_nobody_is_there(owner: Context, workflow_id: str) -> None:
    async with there(owner, "a", workflow_id) as refused:
        assert isinstance(refused.end, errors.NotFoundError)
    with pytest.raises(errors.NotFoundError):
        await presence.say(owner, workflow_id, "a", 1)
    assert owner.hub.presence.rooms == {}


@pytest.mark.usefixtures("workflow")
@pytest.mark.parametrize("client_id", ["", "x" * 129, "a\0b", "\ud800"])
async def test_a_tab_has_an_id_that_can_be_written(owner: Context, client_id: str) -> None:
    async with there(owner, client_id) as refused:
        assert isinstance(refused.end, errors.BadUserInputError)
    with pytest.raises(errors.BadUserInputError, match="clientId"):
        await presence.say(owner, "w", client_id, 1)


@pytest.mark.usefixtures("workflow")
async def test_who_watches_without_a_tab_is_not_there(owner: Context, viewer: Context) -> None:
    async with there(owner, "a"), there(viewer) as watch:
        await watch.sees(("owner", "a"))
        assert not await presence.say(viewer, "w", "c", 1)


@pytest.mark.usefixtures("workflow")
async def test_who_leaves_is_gone_at_once(owner: Context, editor: Context) -> None:
    async with there(owner, "a") as watch:
        async with there(editor, "b"):
            await watch.sees(("owner", "a"), ("editor", "b"))
        await watch.sees(("owner", "a"))
        assert not await presence.say(editor, "w", "b", 1)
    assert (owner.hub.presence.rooms, owner.hub.presence.own, owner.hub.topics) == ({}, {}, {})


@pytest.mark.usefixtures("workflow")
async def test_two_tabs_of_one_user_are_two_and_one_id_of_two_users_is_no_clash(
    owner: Context, editor: Context
) -> None:
    async with there(owner, "a") as watch, there(owner, "b"), there(editor, "a"):
        await watch.sees(("owner", "a"), ("owner", "b"), ("editor", "a"))
        assert await presence.say(editor, "w", "a", "mine")
        await watch.shows("editor", "a", b'"mine"')
        assert watch.told[-1]["owner", "a"] == b"null"


@pytest.mark.usefixtures("workflow")
async def test_who_may_no_longer_see_the_workflow_leaves_it(owner: Context, editor: Context, viewer: Context) -> None:
    async with there(owner, "a") as watch, there(viewer, "c") as revoked, there(editor, "b"):
        await watch.sees(("owner", "a"), ("viewer", "c"), ("editor", "b"))
        await workflows.unshare(owner, "w", "viewer")
        await until(lambda: isinstance(revoked.end, errors.AccessRevokedError))
        await watch.sees(("owner", "a"), ("editor", "b"))
        with pytest.raises(errors.NotFoundError):
            await presence.say(viewer, "w", "c", 1)
        await workflows.share(owner, "w", "editor", Role.VIEWER)
        assert await presence.say(editor, "w", "b", 1)
        await watch.shows("editor", "b", b"1")


@pytest.mark.usefixtures("workflow")
async def test_a_workflow_that_is_purged_has_nobody(owner: Context, viewer: Context) -> None:
    async with there(owner, "a") as one, there(viewer, "c") as other:
        await workflows.purge(owner, "w")
        await until(lambda: all(isinstance(watch.end, errors.AccessRevokedError) for watch in (one, other)))
    assert owner.hub.presence.rooms == {}


def nested(levels: int) -> object:
    value: object = []
    for _ in range(levels - 1):
        value = [value]
    return value


@pytest.mark.usefixtures("workflow")
@pytest.mark.parametrize(
    "state",
    [None, True, 0, -1.5, "", "é😀\n", [], {}, {"selected": ["b1"], "cursor": {"x": 1, "y": 2}}, nested(STATE_DEPTH),
     "x" * (STATE_BYTES - 2)],
    ids=lambda state: str(state)[:20],
)  # fmt: skip
async def test_a_state_is_any_small_json_value(owner: Context, state: object) -> None:
    async with there(owner, "a") as watch:
        assert await presence.say(owner, "w", "a", state)
        await until(lambda: len(watch.told) > 1)


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("x" * (STATE_BYTES - 1), "one another\\.$"),
        ([0] * STATE_BYTES, "one another\\.$"),
        (nested(STATE_DEPTH + 1), "nested too deep"),
        (nested(900), "nested too deep"),
        ("a\0b", "NUL"),
        ({"\ud800": 1}, "surrogate"),
        (10**30, "64 bits"),
        (float("inf"), "64 bits"),
    ],
    ids=lambda value: str(value)[:20],
)
async def test_a_state_that_is_too_much_is_refused_in_words(owner: Context, state: object, sentence: str) -> None:
    with pytest.raises(errors.BadUserInputError, match=f"^`state` must have at most 4,096 bytes .*{sentence}"):
        await presence.say(owner, "w", "a", state)


@pytest.mark.usefixtures("workflow")
async def test_people_in_another_process_are_seen_and_may_say_something_in_this_one(
    owner: Context, viewer: Context, elsewhere: Hub
) -> None:
    async with there(owner, "a") as watch, there(replace(viewer, hub=elsewhere), "c") as far:
        await watch.sees(("owner", "a"), ("viewer", "c"))
        await far.sees(("owner", "a"), ("viewer", "c"))
        assert await presence.say(viewer, "w", "c", 1)
        await far.shows("viewer", "c", b"1")
    await until(lambda: elsewhere.presence.rooms == {})


@pytest.mark.usefixtures("workflow")
async def test_who_has_just_come_in_another_process_may_say_something_before_that_is_known(
    owner: Context, elsewhere: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "ARRIVAL_SECONDS", 20)
    saying = asyncio.create_task(presence.say(owner, "w", "a", 1))
    await until(lambda: "w" in owner.hub.presence.rooms)
    async with there(replace(owner, hub=elsewhere), "a") as watch:
        assert await saying
        await watch.shows("owner", "a", b"1")


@pytest.mark.usefixtures("workflow")
async def test_who_comes_late_is_told_of_everybody_at_once(owner: Context, viewer: Context) -> None:
    async with there(owner, "a"):
        assert await presence.say(owner, "w", "a", 1)
        await until(lambda: not owner.hub.presence.rooms["w"].is_restless)
        async with there(viewer) as only_watching, there(viewer, "c") as late:
            assert only_watching.told[0] == {("owner", "a"): b"1"}
            assert late.told[0] == {("owner", "a"): b"1", ("viewer", "c"): b"null"}


@pytest.mark.usefixtures("workflow")
async def test_a_flood_costs_the_others_few_deliveries_and_ends_with_the_latest(
    owner: Context, viewer: Context
) -> None:
    async with there(owner, "a") as watch, there(viewer, "c"):
        for number in range(3_000):
            await presence.say(viewer, "w", "c", number)
            await asyncio.sleep(0)
        await watch.shows("viewer", "c", b"2999")
        assert len(watch.told) < 300


@pytest.mark.usefixtures("workflow")
async def test_who_gives_up_while_they_are_let_in_leaves_nothing_behind(
    owner: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.topics.Listener.begin", lambda _: None)
    joining = asyncio.create_task(presence.gatherings(owner, "w", "a").open())
    await until(lambda: "w" in owner.hub.topics)
    joining.cancel()
    await asyncio.gather(joining, return_exceptions=True)
    assert (owner.hub.topics, owner.hub.presence.rooms, owner.hub.presence.own) == ({}, {}, {})


@pytest.mark.usefixtures("workflow")
async def test_a_name_is_shown(nobody: Context) -> None:
    source = presence.gatherings(signed_in(nobody, "owner"), "w", "a")
    async with aclosing(source):
        gathering = await anext(source)
    assert [look.name for _, look in gathering.tabs] == ["Owner"]
