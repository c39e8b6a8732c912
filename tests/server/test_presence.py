"""Who is there, over sockets and HTTP, in one process and in two."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from db.rooms import Gathering
from schema.listening import Lens
from server.streams import Group
from tests.facts import until
from tests.server import processes
from tests.server.live import Frame, Running, Socket
from tests.server.processes import Served

THERE = "subscription ($id: ID!, $tab: ID) { presence(id: $id, clientId: $tab) { clientId userId name state at } }"
SAY = "mutation ($id: ID!, $tab: ID!, $state: JSON) { setPresence(id: $id, clientId: $tab, state: $state) }"
SAVE = "mutation ($input: SyncWorkflowInput!) { syncWorkflow(input: $input) { status } }"
SHARE = 'mutation ($user: ID!) { shareWorkflow(id: "w", userId: $user, role: VIEWER) { id } }'
UNSHARE = 'mutation { unshareWorkflow(id: "w", userId: "bob") { id } }'

Seen = dict[str, object]


async def run(client: httpx.AsyncClient, query: str, **variables: object) -> Frame:
    """Run an operation over HTTP."""
    answer = (await client.post("/graphql", json={"query": query, "variables": variables})).json()
    assert "errors" not in answer, answer
    assert isinstance(answer["data"], dict)
    return answer["data"]


async def say(client: httpx.AsyncClient, tab: str, state: object) -> bool:
    return bool((await run(client, SAY, id="w", tab=tab, state=state))["setPresence"])


async def prepare(client: httpx.AsyncClient) -> None:
    """Make a workflow that Bob may see."""
    await run(client, SAVE, input={"id": "w", "state": {"n": 1}})
    await run(client, SHARE, user="bob")


async def come(socket: Socket, tab: str | None) -> Seen:
    """Be there in a tab, and see who else is."""
    await socket.subscribe("here", THERE, id="w", tab=tab)
    return seen(await socket.next("here"))


def seen(frame: Frame) -> Seen:
    """Say what each tab shows."""
    return {f"{tab['userId']}/{tab['clientId']}": tab["state"] for tab in frame["data"]["presence"]}


async def sees(socket: Socket, expected: Seen) -> None:
    """Read until somebody is told just that."""
    while seen(await socket.next("here")) != expected:
        pass


@pytest.fixture
async def ada(server: Running) -> AsyncIterator[httpx.AsyncClient]:
    """Ada, who owns the workflow, over HTTP."""
    async with server.http("ada") as client:
        await prepare(client)
        yield client


@pytest.fixture
async def sockets(server: Running) -> AsyncIterator[list[Socket]]:
    """Three sockets: two of Ada's and one of Bob's."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(server.socket(user)) for user in ("ada", "ada", "bob")]


def group(server: Running) -> Group:
    (found,) = server.services.hub.presence.rooms["w"].followers.values()
    assert isinstance(found, Group)
    return found


async def test_people_come_say_something_and_go(server: Running, ada: httpx.AsyncClient, sockets: list[Socket]) -> None:
    first, second, third = sockets
    assert await come(first, "a") == {"ada/a": None}
    assert await come(second, "b") == {"ada/a": None, "ada/b": None}
    assert await come(third, "a") == {"ada/a": None, "ada/b": None, "bob/a": None}
    async with server.http("bob") as bob:
        assert await say(bob, "a", {"x": 1})
        assert not await say(bob, "b", {"x": 1})
    assert await say(ada, "a", [2])
    for socket in sockets:
        await sees(socket, {"ada/a": [2], "ada/b": None, "bob/a": {"x": 1}})
    await third.complete("here")
    for socket in sockets[:2]:
        await sees(socket, {"ada/a": [2], "ada/b": None})
    await second.connection.close()
    await sees(first, {"ada/a": [2]})


@pytest.mark.usefixtures("ada")
async def test_a_tab_may_say_something_on_its_socket(sockets: list[Socket]) -> None:
    socket = sockets[2]
    await come(socket, "t")
    await socket.subscribe("say", SAY, id="w", tab="t", state=True)
    frames = [await socket.receive() for _ in range(3)]
    assert {"id": "say", "type": "next", "payload": {"data": {"setPresence": True}}} in frames
    assert [seen(frame["payload"]) for frame in frames if frame["id"] == "here"] == [{"bob/t": True}]


async def test_over_http_nobody_can_be_there(ada: httpx.AsyncClient) -> None:
    answer = await ada.post("/graphql", json={"query": THERE, "variables": {"id": "w", "tab": "a"}})
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.usefixtures("ada")
async def test_somebody_else_and_nobody_are_refused(server: Running) -> None:
    async with server.socket("eve") as eve, server.http("eve") as client, server.http() as nobody:
        await eve.subscribe("here", THERE, id="w", tab="t")
        (failure,) = await eve.error("here")
        assert failure["extensions"]["code"] == "NOT_FOUND"
        variables = {"id": "w", "tab": "t", "state": 1}
        for caller, code in ((client, "NOT_FOUND"), (nobody, "UNAUTHENTICATED")):
            answer = (await caller.post("/graphql", json={"query": SAY, "variables": variables})).json()
            assert [failure["extensions"]["code"] for failure in answer["errors"]] == [code]


async def test_who_may_no_longer_see_the_workflow_is_told_and_gone(
    ada: httpx.AsyncClient, sockets: list[Socket]
) -> None:
    first, _, third = sockets
    await come(first, "a")
    await come(third, "t")
    await sees(first, {"ada/a": None, "bob/t": None})
    await run(ada, UNSHARE)
    (failure,) = await third.error("here")
    assert failure["extensions"]["code"] == "ACCESS_REVOKED"
    await sees(first, {"ada/a": None})


async def test_who_asks_alike_is_shown_the_same_once(
    server: Running, ada: httpx.AsyncClient, sockets: list[Socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    for tab, socket in zip("abc", sockets, strict=True):
        await come(socket, tab)
    for socket in sockets[:2]:
        await sees(socket, {"ada/a": None, "ada/b": None, "bob/c": None})
    await server.until(lambda: len(group(server).live) == 3)
    show, shown = Lens.show, []

    async def note(lens: Lens, item: object) -> object:
        assert isinstance(item, Gathering)
        shown.append(item.position)
        return await show(lens, item)

    monkeypatch.setattr(Lens, "show", note)
    assert await say(ada, "a", 1)
    for socket in sockets:
        await sees(socket, {"ada/a": 1, "ada/b": None, "bob/c": None})
    assert len(shown) == 1


@pytest.mark.usefixtures("ada")
async def test_live_streams_cost_no_task(server: Running) -> None:
    async with server.socket("ada") as socket:
        before = len(asyncio.all_tasks())
        for key in range(50):
            await socket.subscribe(str(key), THERE, id="w")
        assert [seen((await socket.receive())["payload"]) for _ in range(50)] == [{}] * 50
        await server.until(lambda: len(group(server).live) == 50)
        assert len(asyncio.all_tasks()) == before
        assert server.services.hub.listeners == 50
    await server.until(lambda: not server.services.hub.presence.rooms)


async def test_who_does_not_read_is_told_only_how_it_is_at_last(
    server: Running, ada: httpx.AsyncClient, sockets: list[Socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.presence.CROWD_SECONDS", 0)
    quick, slow, _ = sockets
    here = server.services.hub.presence
    await come(quick, "a")
    await come(slow, "b")
    for tab in range(100):
        here.join(("w", "cy", str(tab)), None)
        here.say(("w", "cy", str(tab)), b'"' + b"x" * 4_000 + b'"')
    slow.connection.transport.pause_reading()
    rounds = 0
    while rounds < 10 or group(server).live.keys() == group(server).streams:
        rounds += 1
        assert await say(ada, "a", rounds)
        while seen(await quick.next("here"))["ada/a"] != rounds:
            pass
    slow.connection.transport.resume_reading()
    told = 0
    while seen(await slow.next("here"))["ada/a"] != rounds:
        told += 1
    assert told < rounds
    await server.until(lambda: group(server).live.keys() == group(server).streams)
    assert await say(ada, "a", "live again")
    for socket in (quick, slow):
        assert seen(await socket.next("here"))["ada/a"] == "live again"


async def two_workers(server: Served, opened: AsyncExitStack) -> tuple[Socket, Socket]:
    """Give a socket of each of two processes."""
    (one, *_), (other, *_) = await processes.sockets_of_each_worker(server, opened)
    return one, other


async def both_there(server: Served, opened: AsyncExitStack) -> tuple[Socket, Socket]:
    """Give a socket of each of two processes, after a tab of each has come to one workflow."""
    one, other = await two_workers(server, opened)
    client = await opened.enter_async_context(server.client("ann"))
    await run(client, SAVE, input={"id": "w", "state": {"n": 1}})
    await come(one, "a")
    await come(other, "b")
    await sees(one, {"ann/a": None, "ann/b": None})
    return one, other


async def test_people_in_two_processes_see_each_other(data: Path) -> None:
    async with processes.serving(data, "--workers=2") as server, AsyncExitStack() as opened:
        one, other = await both_there(server, opened)
        for number in range(10):  # whichever process takes the request
            async with server.client("ann") as anywhere:
                assert await say(anywhere, "ab"[number % 2], number)
        for socket in (one, other):
            await sees(socket, {"ann/a": 8, "ann/b": 9})
        await other.complete("here")
        await sees(one, {"ann/a": 8})
        assert (await server.stop()).code == 0


async def test_people_in_a_process_that_was_killed_are_gone_and_come_back(data: Path) -> None:
    async with processes.serving(data, "--workers=2") as server, AsyncExitStack() as opened:
        one, other = await both_there(server, opened)
        await processes.kill([processes.worker_of(server, other)])
        await sees(one, {"ann/a": None})
        await until(lambda: len(server.workers()) == 2)
        third, fourth = await two_workers(server, opened)
        for tab, socket in (("c", third), ("d", fourth)):
            await come(socket, tab)
        await sees(one, {"ann/a": None, "ann/c": None, "ann/d": None})
        assert (await server.stop(signal.SIGTERM)).code == 0
