"""What happens is shown and encoded once for all who asked alike, and costs those who do not read nothing."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager

import pytest
from strawberry.types import ExecutionResult

from db import topics
from db.database import Database
from schema.listening import Lens
from server import streams
from server.streams import Group
from tests.server.live import Frame, Running, Socket

SAVES = """
subscription ($id: ID!, $since: Int, $except: ID) {
  workflowSaved(id: $id, sinceVersion: $since, exceptClient: $except) { version }
}
"""
SAVE = "mutation ($input: SyncWorkflowInput!) { syncWorkflow(input: $input) { version } }"
SHARE = 'mutation ($user: ID!) { shareWorkflow(id: "w", userId: $user, role: VIEWER) { id } }'
UNSHARE = 'mutation { unshareWorkflow(id: "w", userId: "bob") { id } }'


@pytest.fixture(autouse=True)
async def workflow(server: Running) -> None:
    """A workflow of Ada's at version 1 that Bob may see."""
    await save(server, 1)
    await run(server, SHARE, user="bob")


async def run(server: Running, query: str, **variables: object) -> Frame:
    """Run an operation of Ada's over HTTP."""
    async with server.http("ada") as client:
        answer = (await client.post("/graphql", json={"query": query, "variables": variables})).json()
    assert "errors" not in answer, answer
    assert isinstance(answer, dict)
    return answer


async def save(server: Running, n: int, **fields: object) -> None:
    await run(server, SAVE, input={"id": "w", "state": {"n": n}} | fields)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often which text was run on an event."""
    show = Lens.show
    counts: Counter[str] = Counter()

    async def count(lens: Lens, item: object) -> ExecutionResult:
        counts[lens.selection.text] += 1
        return await show(lens, item)

    monkeypatch.setattr(Lens, "show", count)
    return counts


@pytest.fixture
async def sockets(server: Running) -> AsyncIterator[list[Socket]]:
    """Three sockets: two of Ada's and one of Bob's."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(server.socket(user)) for user in ("ada", "ada", "bob")]


def groups(server: Running) -> list[Group]:
    topic = server.services.hub.topics.get("w")
    return [group for group in topic.followers.values() if isinstance(group, Group)] if topic else []


async def live(server: Running, count: int) -> None:
    """Wait until so many streams have caught up."""
    await server.until(lambda: sum(len(group.live) for group in groups(server)) == count)


def versions(frames: list[Frame]) -> list[int]:
    return [frame["data"]["workflowSaved"]["version"] for frame in frames]


async def test_who_asks_alike_is_shown_the_same_once(
    server: Running, sockets: list[Socket], shown: Counter[str]
) -> None:
    for place, socket in enumerate(sockets):
        await socket.subscribe(f"id{place}", SAVES, **{"id": "w", "since": 1, "except": f"tab{place}"})
    await live(server, 3)
    for n in (2, 3):
        await save(server, n)
        for place, socket in enumerate(sockets):
            assert versions([await socket.next(f"id{place}")]) == [n]
    assert shown == {SAVES: 2}
    assert len(groups(server)) == 1


async def test_who_comes_back_at_once_is_shown_the_same_once(
    server: Running, sockets: list[Socket], shown: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(2, 6):
        await save(server, n)
    begin = asyncio.Barrier(len(sockets))
    catch_up = streams.Stream._catch_up

    async def together(stream: streams.Stream) -> None:
        await begin.wait()
        await catch_up(stream)

    monkeypatch.setattr(streams.Stream, "_catch_up", together)
    for socket, since in zip(sockets, (1, 2, 3), strict=True):
        await socket.subscribe("1", SAVES, id="w", since=since)
    for socket, since in zip(sockets, (1, 2, 3), strict=True):
        assert versions([await socket.next("1") for _ in range(since + 1, 6)]) == list(range(since + 1, 6))
    assert shown == {SAVES: 4}


async def test_ones_own_saves_are_left_out_for_oneself_alone(server: Running, sockets: list[Socket]) -> None:
    for socket, left_out in zip(sockets, ("tab", "other", "tab"), strict=True):
        await socket.subscribe("1", SAVES, **{"id": "w", "except": left_out})
    await live(server, 3)
    await save(server, 2, clientId="tab")
    await save(server, 3)
    heard = [versions([await socket.next("1")]) for socket in sockets]
    assert heard == [[3], [2], [2]]


async def test_what_depends_on_who_asks_is_not_shared(
    server: Running, sockets: list[Socket], shown: Counter[str]
) -> None:
    text = (
        'subscription { workflowSaved(id: "w") { ...Mine } } fragment Mine on WorkflowSaved { its: workflow { role } }'
    )
    for socket in sockets:
        await socket.subscribe("1", text)
    await live(server, 3)
    await save(server, 2)
    roles = [(await socket.next("1"))["data"]["workflowSaved"]["its"]["role"] for socket in sockets]
    assert roles == ["OWNER", "OWNER", "VIEWER"]
    assert shown == {text: 2}


async def test_the_document_is_read_once_for_everybody(
    server: Running, sockets: list[Socket], shown: Counter[str]
) -> None:
    text = 'subscription { workflowSaved(id: "w") { state } }'
    for socket in sockets:
        await socket.subscribe("1", text)
    await live(server, 3)
    await save(server, 2)
    for socket in sockets:
        assert (await socket.next("1"))["data"]["workflowSaved"]["state"] == {"n": 2}
    assert shown == {text: 1}


async def test_who_asks_for_something_else_is_shown_that(server: Running, sockets: list[Socket]) -> None:
    text = 'subscription ($more: Boolean!) { workflowSaved(id: "w") { version savedBy @include(if: $more) } }'
    for socket, more in zip(sockets, (True, False, True), strict=True):
        await socket.subscribe("1", text, more=more)
    await live(server, 3)
    await save(server, 2)
    shown = [(await socket.next("1"))["data"]["workflowSaved"] for socket in sockets]
    assert shown == [{"version": 2, "savedBy": "ada"}, {"version": 2}, {"version": 2, "savedBy": "ada"}]


async def test_a_share_that_ends_ends_one_of_those_who_ask_alike(server: Running, sockets: list[Socket]) -> None:
    for socket in sockets:
        await socket.subscribe("1", SAVES, id="w")
    await live(server, 3)
    await run(server, UNSHARE)
    (failure,) = await sockets[2].error("1")
    assert failure["extensions"]["code"] == "ACCESS_REVOKED"
    await save(server, 2)
    assert [versions([await socket.next("1")]) for socket in sockets[:2]] == [[2], [2]]


async def test_what_cannot_be_shown_is_logged_once_and_told_to_everybody(
    server: Running, sockets: list[Socket], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("the password is hunter2")

    text = 'subscription { workflowSaved(id: "w") { state } }'
    for socket in sockets:
        await socket.subscribe("1", text)
    await live(server, 3)
    with monkeypatch.context() as broken:
        broken.setattr("resolvers.history.state", fail)
        await save(server, 2)
        for socket in sockets:
            answer = await socket.next("1")
            assert [failure["extensions"]["code"] for failure in answer["errors"]] == ["INTERNAL_SERVER_ERROR"]
            assert "hunter2" not in json.dumps(answer)
    assert [record.name for record in caplog.records if record.levelname == "ERROR"] == ["schema.build"]
    await save(server, 3)
    for socket in sockets:
        assert (await socket.next("1"))["data"]["workflowSaved"]["state"] == {"n": 3}


async def test_live_streams_cost_no_task(server: Running) -> None:
    async with server.socket("ada") as ada:
        before = len(asyncio.all_tasks())
        for key in range(50):
            await ada.subscribe(str(key), SAVES, id="w")
        await live(server, 50)
        assert len(asyncio.all_tasks()) == before
        assert len(groups(server)) == 1
        for key in range(50):
            await ada.complete(str(key))
        await server.until(lambda: not groups(server))


@contextmanager
def deaf(socket: Socket) -> Iterator[None]:
    """Have a client read nothing."""
    socket.connection.transport.pause_reading()
    yield
    socket.connection.transport.resume_reading()


async def test_who_does_not_read_is_brought_forward_when_they_do(server: Running, sockets: list[Socket]) -> None:
    slow, quick, _ = sockets
    text = 'subscription { workflowSaved(id: "w") { version changes { value } } }'
    for socket in (slow, quick):
        await socket.subscribe("1", text)
    await live(server, 2)
    with deaf(slow):
        for n in range(2, 42):
            await save(server, n, state={"n": n, "text": str(n) * 100_000})
            assert versions([await quick.next("1")]) == [n]
        (group,) = groups(server)
        assert (len(group.streams), len(group.live)) == (2, 1)
        assert group._kept_bytes <= streams.KEPT_BYTES
        assert sum(server.unsent_bytes()) < 1_000_000  # of 8 MB
    assert versions([await slow.next("1") for _ in range(2, 42)]) == list(range(2, 42))
    await live(server, 2)
    assert group._kept_bytes == 0
    await save(server, 42)
    assert versions([await slow.next("1"), await quick.next("1")]) == [42, 42]


async def test_who_missed_more_than_memory_holds_reads_the_journal(
    server: Running, sockets: list[Socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topics, "TAIL_SAVES", 0)
    for socket in sockets:
        await socket.subscribe("1", SAVES, id="w", since=0)
        assert versions([await socket.next("1")]) == [1]
    await live(server, 3)
    for n in range(2, 5):
        await save(server, n)
    for socket in sockets:
        assert versions([await socket.next("1") for _ in range(2, 5)]) == [2, 3, 4]


async def test_saves_that_come_together_are_heard_in_order_and_only_so_many_at_once(
    server: Running, sockets: list[Socket], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "BATCH_BYTES", 200)
    hear = streams.Stream.hear
    batches: set[int] = set()

    def note(stream: streams.Stream, news: list[streams.News]) -> None:
        batches.add(len(news))
        hear(stream, news)

    monkeypatch.setattr(streams.Stream, "hear", note)
    for socket, since in zip(sockets, (None, 1, 0), strict=True):
        await socket.subscribe("1", SAVES, id="w", since=since)
    await live(server, 3)
    async with database.transaction() as connection:
        await connection.execute(
            """
            INSERT INTO workflow_changes (workflow_id, version, save_id, changes, saved_by, reason, status)
            SELECT 'w', n, gen_random_uuid(), '[]', 'ada', 'MANUAL', 'SAVED' FROM generate_series(2, 31) AS n
            """
        )
        await connection.execute("UPDATE workflows SET version = 31")
    server.services.hub.hint(["w"])
    for socket, first in zip(sockets, (2, 2, 1), strict=True):
        assert versions([await socket.next("1") for _ in range(first, 32)]) == list(range(first, 32))
    assert 1 < max(batches) < 10


async def test_who_joins_while_others_are_being_told_hears_nothing_twice(
    server: Running, sockets: list[Socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    show, go_on = Lens.show, asyncio.Event()

    async def show_late(lens: Lens, item: object) -> ExecutionResult:
        await go_on.wait()
        return await show(lens, item)

    monkeypatch.setattr(Lens, "show", show_late)
    first, second, third = sockets
    await first.subscribe("1", SAVES, id="w")
    await live(server, 1)
    topic = server.services.hub.topics["w"]
    for n, joining in ((2, None), (3, second), (4, third), (5, None)):
        await save(server, n)
        await server.until(lambda: topic.version == n)  # noqa: B023 -- it is called before the next turn
        if joining:
            await joining.subscribe("1", SAVES, id="w")
            await live(server, n - 1)
    go_on.set()
    for socket, missed in ((first, 2), (second, 4), (third, 5)):
        assert versions([await socket.next("1") for _ in range(missed, 6)]) == list(range(missed, 6))
    await save(server, 6)
    assert [versions([await socket.next("1")]) for socket in sockets] == [[6], [6], [6]]


async def test_a_list_that_is_listened_to_twice_is_shown_once(
    server: Running, sockets: list[Socket], shown: Counter[str]
) -> None:
    text = "subscription { workflowsChanged { kind workflow { role } } }"
    for socket in sockets:
        await socket.subscribe("1", text)
    feeds = server.services.hub.feeds
    await server.until(lambda: [feed.listeners for feed in feeds.values()] == [2, 1])
    await server.until(lambda: all(feed.filled.is_set() for feed in feeds.values()))
    await save(server, 2)
    roles = [(await socket.next("1"))["data"]["workflowsChanged"]["workflow"]["role"] for socket in sockets]
    assert roles == ["OWNER", "OWNER", "VIEWER"]
    assert shown == {text: 2}
