"""Everyone who should hear of a save hears of it: in order, without gaps or doubles, whatever breaks in between."""

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

import pytest

from db import hub as hubs
from db import topics
from db.database import Database
from db.feeds import Event
from db.hub import Hub
from db.journal import Entry
from db.notifier import Notifier
from db.topics import Listener
from db.workflows import Role
from resolvers import errors, states, subscriptions, sync, workflows
from resolvers.context import Context, Limits
from resolvers.saver import Saver
from resolvers.saves import Save
from resolvers.submissions import Ground
from resolvers.subscriptions import Source
from tests.facts import until

NEVER = 3_600.0

Item = TypeVar("Item")


@dataclass(slots=True)
class Stream(Generic[Item]):
    """A stream that somebody reads as fast as they can; `end` is the error that it ended with."""

    items: list[Item] = field(default_factory=list)
    end: Exception | None = None

    async def read(self, source: Source[Item]) -> None:
        async with aclosing(source):
            try:
                async for item in source:
                    self.items.append(item)
            except errors.OperationError as error:
                self.end = error

    async def has(self, count: int) -> list[Item]:
        """Wait for so many items in all."""
        await until(lambda: len(self.items) >= count)
        return self.items

    async def ends_with(self, error: type[Exception]) -> None:
        await until(lambda: self.end is not None)
        assert isinstance(self.end, error)


@asynccontextmanager
async def reading(source: Source[Item]) -> AsyncIterator[Stream[Item]]:
    stream: Stream[Item] = Stream()
    reader = asyncio.create_task(stream.read(source))
    try:
        yield stream
    finally:
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
    if not reader.cancelled():
        await reader


@asynccontextmanager
async def saves(
    context: Context, workflow_id: str = "w", *, since: int | None = None, except_client: str | None = None
) -> AsyncIterator[Stream[Entry]]:
    """Listen to a workflow; the stream has begun."""
    source = subscriptions.saves(context, workflow_id, since=since, except_client=except_client)
    before = listeners(context, workflow_id)
    async with reading(source) as stream:
        await until(lambda: stream.end is not None or not listeners(context, workflow_id) <= before)
        yield stream


def listeners(context: Context, workflow_id: str) -> set[Listener]:
    """Give the streams of a workflow that have begun."""
    topic = context.hub.topics.get(workflow_id)
    return {listener for listener in topic.listeners if listener.checked.is_set()} if topic else set()


@asynccontextmanager
async def changes(context: Context) -> AsyncIterator[Stream[Event]]:
    """Listen to everything that somebody may see; the stream has begun."""
    viewer = context.known_viewer()
    async with reading(subscriptions.changes(context)) as stream:
        await until(lambda: viewer.id in context.hub.feeds and context.hub.feeds[viewer.id].filled.is_set())
        yield stream


async def save(context: Context, n: int, workflow_id: str = "w", client_id: str | None = None) -> int:
    """Save a document with `n` in it on top of whatever stands, and give the version."""
    document = {"blocks": {"a": {"x": n}}, "edges": []}
    answer = await sync.sync(context, Save(workflow_id, document, client_id=client_id), ground=Ground.HEAD)
    return answer.version


def versions(entries: list[Entry]) -> list[int]:
    return [entry.version for entry in entries]


@pytest.fixture
def no_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only notifications wake a hub."""
    monkeypatch.setattr(hubs, "POLL_SECONDS", NEVER)
    monkeypatch.setattr(hubs, "AUDIT_SECONDS", NEVER)


@pytest.fixture
async def elsewhere(database: Database, saver: Saver) -> AsyncIterator[Context]:
    """Another process, in which nobody is signed in."""
    async with Database.open(database.url, pool_size=5) as far, Hub.open(far) as hub:
        yield Context(far, hub, saver, Limits())


def moved(caller: Context, process: Context) -> Context:
    """Let somebody call in another process."""
    return replace(process, viewer=caller.viewer)


async def test_nobody_hears_anything(nobody: Context, workflow: str) -> None:
    with pytest.raises(errors.UnauthenticatedError):
        await anext(subscriptions.saves(nobody, workflow, since=None, except_client=None))
    with pytest.raises(errors.UnauthenticatedError):
        await anext(subscriptions.changes(nobody))


@pytest.mark.parametrize("workflow_id", ["w", "missing", "", "\0", "\ud800", "x" * 10_000])
@pytest.mark.usefixtures("workflow")
async def test_a_strangers_workflow_and_a_missing_one_are_the_same(stranger: Context, workflow_id: str) -> None:
    with pytest.raises(errors.NotFoundError) as refusal:
        await anext(subscriptions.saves(stranger, workflow_id, since=None, except_client=None))
    assert str(refusal.value) == str(errors.NotFoundError())
    assert not stranger.hub.topics


@pytest.mark.usefixtures("workflow")
async def test_a_save_by_another_tab_is_announced(owner: Context, editor: Context, viewer: Context) -> None:
    async with saves(owner) as to_owner, saves(editor) as to_editor, saves(viewer) as to_viewer:
        assert await save(editor, 2, client_id="tab") == 2
        for stream in (to_owner, to_editor, to_viewer):
            (entry,) = await stream.has(1)
            assert (entry.workflow_id, entry.version, entry.saved_by, entry.client_id) == ("w", 2, "editor", "tab")
            assert entry.changes == [{"path": ["blocks", "a", "x"], "value": 2, "before": 1}]


@pytest.mark.usefixtures("workflow")
async def test_a_save_that_changes_nothing_is_not_announced(owner: Context) -> None:
    async with saves(owner) as stream:
        assert await save(owner, 1) == 1
        assert await save(owner, 2) == 2
        assert versions(await stream.has(1)) == [2]


@pytest.mark.usefixtures("workflow")
async def test_a_tab_need_not_hear_of_its_own_saves(owner: Context, editor: Context) -> None:
    async with saves(owner, except_client="tab") as stream:
        await save(owner, 2, client_id="tab")
        await save(owner, 3, client_id="other tab")
        await save(editor, 4, client_id="tab")
        await save(owner, 5, client_id="tab")
        await save(owner, 6)
        assert versions(await stream.has(3)) == [3, 4, 6]


@pytest.mark.usefixtures("workflow")
async def test_first_comes_what_was_missed_then_what_happens(owner: Context) -> None:
    for n in range(2, 6):
        await save(owner, n)
    async with saves(owner, since=0) as everything, saves(owner, since=3) as rest, saves(owner) as live:
        await save(owner, 6)
        assert versions(await everything.has(6)) == [1, 2, 3, 4, 5, 6]
        assert versions(await rest.has(3)) == [4, 5, 6]
        assert versions(await live.has(1)) == [6]


@pytest.mark.usefixtures("workflow")
async def test_what_is_saved_while_somebody_catches_up_comes_once(owner: Context, elsewhere: Context) -> None:
    far = moved(owner, elsewhere)
    for n in range(2, 151):
        await save(owner, n)
    async with asyncio.TaskGroup() as tasks, AsyncExitStack() as stack:

        async def save_on() -> None:
            for n in range(151, 301):
                await save(owner, n)

        saving = tasks.create_task(save_on())
        streams = [
            await stack.enter_async_context(saves(context, since=since))
            for since in (0, 1, 100, 150)
            for context in (owner, far)
        ]
        await saving
        for since, stream in zip((0, 0, 1, 1, 100, 100, 150, 150), streams, strict=True):
            assert versions(await stream.has(300 - since)) == list(range(since + 1, 301))


@pytest.mark.usefixtures("workflow")
async def test_who_drops_resumes_where_they_were(owner: Context, elsewhere: Context) -> None:
    seen = [1]
    for n in range(2, 22, 2):
        async with saves(moved(owner, elsewhere), since=seen[-1]) as stream:
            await save(owner, n)
            seen += versions(await stream.has(n - seen[-1]))
        await save(owner, n + 1)
    assert seen == list(range(1, 21))


@pytest.mark.parametrize(("since", "error"), [(-1, errors.BadUserInputError), (2, errors.ResyncRequiredError)])
@pytest.mark.usefixtures("workflow")
async def test_a_version_that_never_was_is_refused(owner: Context, since: int, error: type[Exception]) -> None:
    async with saves(owner, since=since) as stream:
        await stream.ends_with(error)


@pytest.mark.usefixtures("workflow")
async def test_who_is_behind_the_journal_must_read_the_workflow_again(owner: Context) -> None:
    for n in range(2, 6):
        await save(owner, n)
    async with owner.database.connection() as connection:
        await connection.execute("DELETE FROM workflow_changes WHERE version <= 3")
    async with saves(owner, since=2) as behind, saves(owner, since=3) as just:
        await behind.ends_with(errors.ResyncRequiredError)
        assert versions(await just.has(2)) == [4, 5]
    async with saves(owner, since=1) as behind:
        await behind.ends_with(errors.ResyncRequiredError)


@pytest.mark.usefixtures("workflow", "no_polls")
async def test_saves_are_heard_in_every_process(owner: Context, viewer: Context, elsewhere: Context) -> None:
    far = moved(viewer, elsewhere)
    async with saves(far) as there, saves(owner) as here:
        for n in range(2, 22):
            await save(owner if n % 2 else moved(owner, elsewhere), n)
        assert versions(await there.has(20)) == list(range(2, 22))
        assert versions(await here.has(20)) == list(range(2, 22))


@pytest.mark.usefixtures("workflow")
async def test_what_was_never_notified_is_heard(
    owner: Context, elsewhere: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lose(_: Notifier, __: str) -> None:
        return None

    monkeypatch.setattr(Notifier, "announce", lose)
    monkeypatch.setattr(hubs, "POLL_SECONDS", 0.05)
    async with saves(moved(owner, elsewhere)) as stream:
        await save(owner, 2)
        await save(owner, 3)
        assert versions(await stream.has(2)) == [2, 3]


@pytest.mark.usefixtures("workflow", "no_polls")
async def test_nothing_is_missed_when_listening_connections_are_killed(owner: Context, elsewhere: Context) -> None:
    async def kill() -> None:
        async with owner.database.connection() as connection:
            listening = "datname = current_database() AND application_name = $1"
            kill = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {listening}"
            await connection.execute(kill, hubs.APPLICATION)

    async with saves(owner) as here, saves(moved(owner, elsewhere)) as there:
        for n in range(2, 62):
            if n % 20 == 0:
                await kill()
            await save(owner, n)
        assert versions(await here.has(60)) == list(range(2, 62))
        assert versions(await there.has(60)) == list(range(2, 62))


@pytest.mark.usefixtures("workflow", "no_polls")
async def test_a_member_whose_share_ends_sees_nothing_that_is_saved_afterwards(
    owner: Context, viewer: Context, elsewhere: Context
) -> None:
    for n in range(2, 32):
        await workflows.share(owner, "w", "viewer", Role.VIEWER)
        async with saves(viewer) as here, saves(moved(viewer, elsewhere)) as there:
            await workflows.unshare(owner, "w", "viewer")
            await save(owner, n)
            await here.ends_with(errors.AccessRevokedError)
            await there.ends_with(errors.AccessRevokedError)
            assert (here.items, there.items) == ([], [])


@pytest.mark.usefixtures("workflow")
async def test_a_share_that_ends_cuts_off_even_what_waits_to_be_read(owner: Context, viewer: Context) -> None:
    for n in range(2, 5):
        await save(owner, n)
    slow = subscriptions.saves(viewer, "w", since=0, except_client=None)
    async with aclosing(slow):
        assert (await anext(slow)).version == 1
        (listener,) = viewer.hub.topics["w"].listeners
        await workflows.unshare(owner, "w", "viewer")
        await until(lambda: listener.revoked)
        with pytest.raises(errors.AccessRevokedError):
            await anext(slow)


@pytest.mark.usefixtures("workflow")
async def test_who_is_let_in_again_may_listen_again(owner: Context, viewer: Context) -> None:
    async with saves(owner), saves(viewer) as first:
        await workflows.unshare(owner, "w", "viewer")
        await first.ends_with(errors.AccessRevokedError)
        with pytest.raises(errors.NotFoundError):
            await anext(subscriptions.saves(viewer, "w", since=None, except_client=None))
        await workflows.share(owner, "w", "viewer", Role.VIEWER)
        async with saves(viewer) as second:
            await save(owner, 2)
            assert versions(await second.has(1)) == [2]


@pytest.mark.usefixtures("workflow")
async def test_access_that_ends_behind_our_back_ends_the_stream(
    owner: Context, viewer: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(hubs, "AUDIT_SECONDS", 0.1)
    async with saves(viewer) as stream:
        async with owner.database.connection() as connection:
            await connection.execute("DELETE FROM workflow_members")
        await stream.ends_with(errors.AccessRevokedError)


@pytest.mark.usefixtures("workflow", "no_polls")
async def test_a_role_or_a_name_that_changes_ends_no_stream(owner: Context, viewer: Context) -> None:
    async with saves(viewer) as stream:
        await workflows.share(owner, "w", "viewer", Role.EDITOR)
        await workflows.rename(owner, "w", "Other")
        await workflows.delete(owner, "w")
        await workflows.undelete(owner, "w")
        await save(viewer, 2)
        assert versions(await stream.has(1)) == [2]


@pytest.mark.usefixtures("workflow", "no_polls")
async def test_a_purge_ends_every_stream(owner: Context, viewer: Context, elsewhere: Context) -> None:
    async with saves(owner) as here, saves(moved(viewer, elsewhere)) as there:
        await workflows.purge(owner, "w")
        await here.ends_with(errors.AccessRevokedError)
        await there.ends_with(errors.AccessRevokedError)


@pytest.mark.usefixtures("workflow", "no_polls")
async def test_a_purge_is_told_from_a_pruned_journal(
    owner: Context, elsewhere: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that is far behind may meet the emptied journal before its hub has heard of the purge."""

    async def lose(_: Notifier, __: str) -> None:
        return None

    for n in range(2, 4):
        await save(owner, n)
    source = subscriptions.saves(moved(owner, elsewhere), "w", since=0, except_client=None)
    async with aclosing(source):
        monkeypatch.setattr("db.journal.PAGE_BYTES", 0)
        monkeypatch.setattr(topics, "TAIL_SAVES", 0)
        assert (await anext(source)).version == 1
        monkeypatch.setattr(Notifier, "announce", lose)
        await workflows.purge(owner, "w")
        with pytest.raises(errors.AccessRevokedError):
            await anext(source)


@pytest.mark.usefixtures("workflow")
async def test_one_that_never_reads_holds_up_nobody_and_costs_nothing(owner: Context, viewer: Context) -> None:
    async def listen() -> None:
        async with aclosing(subscriptions.saves(owner, "w", since=1, except_client=None)) as source:
            async for entry in source:
                heard[entry.version] += 1

    heard: Counter[int] = Counter()
    deaf = subscriptions.saves(viewer, "w", since=0, except_client=None)
    assert (await anext(deaf)).version == 1
    async with aclosing(deaf):
        readers = [asyncio.create_task(listen()) for _ in range(199)]
        for n in range(2, 202):
            await save(owner, n)
        await until(lambda: heard.total() == 199 * 200)
        assert heard == dict.fromkeys(range(2, 202), 199)
        gc.collect()
        in_memory = sum(isinstance(thing, Entry) for thing in gc.get_objects())
        assert topics.TAIL_SAVES <= in_memory <= topics.TAIL_SAVES + states.KEPT_SAVES + 3
        for version in range(2, 202):
            assert (await anext(deaf)).version == version
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
    assert not owner.hub.topics


@pytest.mark.usefixtures("workflow", "no_polls")
async def test_a_burst_of_saves_is_heard_as_it_was_saved(owner: Context, elsewhere: Context) -> None:
    async def burst(workflow_id: str) -> None:
        for n in range(2, 102):
            await save(owner, n, workflow_id)

    ids = ["w", "a", "b", "c", "d"]
    for workflow_id in ids[1:]:
        await save(owner, 1, workflow_id)
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(saves(moved(owner, elsewhere), key)) for key in ids]
        await asyncio.gather(*map(burst, ids))
        for stream in streams:
            assert versions(await stream.has(100)) == list(range(2, 102))


async def test_owner_and_member_hear_of_everything_in_every_process(
    owner: Context, viewer: Context, stranger: Context, elsewhere: Context
) -> None:
    async with (
        changes(owner) as to_owner,
        changes(moved(viewer, elsewhere)) as to_viewer,
        changes(moved(stranger, elsewhere)) as to_stranger,
    ):
        happenings: list[Callable[[], Awaitable[object]]] = [
            lambda: save(owner, 1),
            lambda: workflows.share(owner, "w", "viewer", Role.VIEWER),
            lambda: save(owner, 2),
            lambda: workflows.rename(owner, "w", "Other"),
            lambda: workflows.share(owner, "w", "viewer", Role.EDITOR),
            lambda: save(viewer, 3),
            lambda: workflows.delete(owner, "w"),
            lambda: workflows.undelete(owner, "w"),
            lambda: workflows.unshare(owner, "w", "viewer"),
            lambda: workflows.share(owner, "w", "viewer", Role.VIEWER),
            lambda: workflows.purge(owner, "w"),
        ]
        for count, happen in enumerate(happenings):
            await happen()
            await to_owner.has(count + 1)
            await to_viewer.has(count)
        told = [(event.kind, event.version, event.by) for event in to_owner.items]
        told_viewer = [(event.kind, event.version, event.by) for event in to_viewer.items]
    assert told == [
        ("CREATED", 1, "owner"),
        ("SHARED", 1, "owner"),
        ("SAVED", 2, "owner"),
        ("RENAMED", 2, "owner"),
        ("SHARED", 2, "owner"),
        ("SAVED", 3, "viewer"),
        ("DELETED", 3, "owner"),
        ("UNDELETED", 3, "owner"),
        ("UNSHARED", 3, "owner"),
        ("SHARED", 3, "owner"),
        ("PURGED", None, "owner"),
    ]
    assert told_viewer == [*told[1:8], ("UNSHARED", None, "owner"), *told[9:]]
    assert to_stranger.items == []


@pytest.mark.usefixtures("workflow")
async def test_what_happens_before_is_not_told(owner: Context) -> None:
    async with changes(owner), changes(owner) as stream:
        await save(owner, 2)
        assert [(event.kind, event.version) for event in await stream.has(1)] == [("SAVED", 2)]


@pytest.mark.usefixtures("workflow")
async def test_who_is_too_far_behind_must_read_the_list_again(owner: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("db.feeds.KEPT_EVENTS", 3)
    slow = subscriptions.changes(owner)
    beginning = asyncio.create_task(anext(slow))
    async with aclosing(slow), changes(owner) as fast:
        await save(owner, 2)
        assert (await beginning).version == 2
        for n in range(3, 7):
            await save(owner, n)
            await fast.has(n - 1)
        with pytest.raises(errors.ResyncRequiredError):
            await anext(slow)
