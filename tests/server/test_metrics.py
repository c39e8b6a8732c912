"""What Prometheus is told, of which workers, and who may ask."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from db import snapshots
from resolvers import workflows
from server import metrics
from server.settings import Settings
from tests.facts import until
from tests.server import live, processes
from tests.server.live import Running, Socket
from tests.server.processes import Served

SAVE = "mutation Save($input: SyncWorkflowInput!) { syncWorkflow(input: $input) { status version } }"
SAVES = "subscription Saves($id: ID!) { workflowSaved(id: $id, sinceVersion: 0) { version } }"
VIEWER = "{ viewer { id } }"
TOKEN = "a token that nobody guesses, not even Bob"


class Numbers(dict[str, float]):
    """What was told, by name and labels; what was not told is 0."""

    def __missing__(self, key: str) -> float:
        return 0


@pytest.fixture
async def ada(server: Running) -> AsyncIterator[httpx.AsyncClient]:
    async with server.http("ada") as client:
        yield client


async def told(client: httpx.AsyncClient) -> Numbers:
    """Read the metrics as Prometheus does."""
    response = await client.get("/metrics")
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/plain; version=")
    return parsed(response.text)


def parsed(text: str) -> Numbers:
    families = text_string_to_metric_families(text)
    samples = [sample for family in families for sample in family.samples]
    return Numbers({_key(sample.name, sample.labels): sample.value for sample in samples})


def _key(name: str, labels: Mapping[str, str]) -> str:
    return " ".join([name.removeprefix("workflow_sync_"), *(labels[label] for label in sorted(labels))])


async def save(client: httpx.AsyncClient, state: object, workflow_id: str = "w", **fields: object) -> str:
    """Save a document and give the status."""
    variables = {"input": {"id": workflow_id, "state": state, **fields}}
    response = await client.post("/graphql", json={"query": SAVE, "variables": variables})
    return str(response.json()["data"]["syncWorkflow"]["status"])


async def test_saves_are_counted_by_status(ada: httpx.AsyncClient) -> None:
    for state in ({"n": 1}, {"n": 2}, {"n": 3}, {"n": 3}):
        await save(ada, state)
    numbers = await told(ada)
    counted = {status: numbers[f"saves_total {status}"] for status in ("CREATED", "SAVED", "UNCHANGED", "MERGED")}
    assert counted == {"CREATED": 1, "SAVED": 2, "UNCHANGED": 1, "MERGED": 0}
    assert numbers["save_seconds_count"] == numbers["save_seconds_bucket +Inf"] == 4
    assert numbers["save_seconds_sum"] > 0


async def test_a_status_that_was_not_met_yet_is_told_too(ada: httpx.AsyncClient) -> None:
    assert "saves_total RESYNC" in await told(ada)


async def test_saves_that_share_a_statement_are_counted_together(server: Running, ada: httpx.AsyncClient) -> None:
    saver, names = server.services.saver, "abcd"
    for name in ("first", *names):
        await save(ada, {"n": 1}, name)
        await save(ada, {"n": 2}, name)  # so that the next one is decided on what is known
    before = await told(ada)
    async with server.services.database.connection() as connection:
        async with connection.transaction():
            await connection.execute("LOCK workflow_changes")  # so that the first statement takes until all are there
            saves = [asyncio.create_task(save(ada, {"n": 3}, "first"))]
            await until(lambda: saver._task is not None and not saver._waiting)
            saves += [asyncio.create_task(save(ada, {"n": 3}, name)) for name in names]
            await until(lambda: len(saver._waiting) == len(names))
        assert await asyncio.gather(*saves) == ["SAVED"] * 5
    numbers = await told(ada)
    assert numbers["batch_saves_count"] - before["batch_saves_count"] == 2
    assert numbers["batch_saves_sum"] - before["batch_saves_sum"] == 5
    assert numbers["batch_saves_bucket 4.0"] - numbers["batch_saves_bucket 2.0"] == 1


async def test_a_retry_is_a_replay_and_no_save(ada: httpx.AsyncClient) -> None:
    for _ in range(3):
        await save(ada, {"n": 1}, clientId="tab", sequence=1)
    numbers = await told(ada)
    assert (numbers["saves_total CREATED"], numbers["replays_total"]) == (1, 2)


async def test_conflicts_and_repairs_are_counted(ada: httpx.AsyncClient) -> None:
    blocks = {name: {"id": name, "x": 0} for name in "abc"}
    edge = {"id": "e", "source": "a", "target": "b"}
    await save(ada, {"blocks": blocks, "edges": []})
    await save(ada, {"blocks": blocks | {"c": {"id": "c", "x": 1}}, "edges": [edge]}, baseVersion=1, clientId="one")
    removed = {"a": blocks["a"], "c": {"id": "c", "x": 2}}
    assert await save(ada, {"blocks": removed, "edges": []}, baseVersion=1, clientId="other") == "MERGED"
    numbers = await told(ada)
    assert (numbers["conflicts_total"], numbers["repairs_total"]) == (1, 1)


async def test_subscribers_and_what_they_are_sent_are_counted(server: Running, ada: httpx.AsyncClient) -> None:
    await save(ada, {"n": 1})
    async with server.socket("ada") as socket:
        await socket.subscribe("asked", VIEWER)
        await socket.next("asked")
        await socket.completed("asked")
        await socket.subscribe("all", "subscription { workflowsChanged { id } }")
        await socket.subscribe("saves", SAVES, id="w")
        await socket.next("saves")
        await until(lambda: server.services.hub.listeners == 2)
        numbers = await told(ada)
        assert (numbers["subscribers"], numbers["deliveries_total"]) == (2, 1)
    await server.until(lambda: server.services.hub.listeners == 0)
    assert (await told(ada))["subscribers"] == 0


async def test_the_state_cache_and_its_bound_are_told(server: Running, ada: httpx.AsyncClient) -> None:
    for number in range(2):
        await save(ada, {"n": number})
    numbers = await told(ada)
    assert 0 < numbers["state_cache_bytes"] == server.services.saver.states.used
    assert numbers["state_cache_limit_bytes"] == 256 * 1024 * 1024
    assert numbers["state_cache_evictions_total"] == 0


async def test_what_makes_room_in_the_state_cache_is_counted(server: Running, ada: httpx.AsyncClient) -> None:
    states = server.services.saver.states
    for number in range(3):
        await save(ada, {"n": number}, "first")
    states.most_bytes = states.used * 3 // 2  # room for one, whatever its exact size
    for number in range(3):
        await save(ada, {"n": number}, "other")
    numbers = await told(ada)
    assert 0 < numbers["state_cache_bytes"] == states.used <= states.most_bytes
    assert numbers["state_cache_evictions_total"] == 1


async def test_folds_are_counted(server: Running, ada: httpx.AsyncClient) -> None:
    await save(ada, {"n": 1})
    await save(ada, {"n": 2})
    await server.services.saver.snapshots.fold_visible("ada")
    await server.services.saver.snapshots.fold_visible("ada")
    assert (await told(ada))["folds_total"] == 1


async def test_snapshots_that_lag_are_looked_for_now_and_then(
    server: Running, ada: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        await save(ada, {"n": number})
    numbers = await told(ada)
    assert (numbers["snapshots_lagging"], numbers["snapshots_lagging_versions"]) == (1, 2)
    assert numbers["snapshots_lagging_seconds"] > 0
    await server.services.saver.snapshots.fold_visible("ada")
    assert (await told(ada))["snapshots_lagging"] == 1
    monkeypatch.setattr(metrics, "LAG_SECONDS", 0)
    numbers = await told(ada)
    assert (numbers["snapshots_lagging"], numbers["snapshots_lagging_seconds"]) == (0, 0)


async def test_a_database_that_does_not_answer_leaves_the_rest_to_be_told(
    ada: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(_: object) -> None:
        raise ConnectionResetError

    monkeypatch.setattr(snapshots, "lag", lost)
    numbers = await told(ada)
    assert "snapshots_lagging" not in numbers
    assert "replays_total" in numbers


async def test_lent_connections_are_told(server: Running, ada: httpx.AsyncClient) -> None:
    async def are_told() -> bool:
        numbers = await told(ada)
        return (numbers["database_connections_in_use"], numbers["database_connections_limit"]) == (1, 10)

    async with server.services.database.connection():
        await until(are_told)  # besides, a server that starts looks for snapshots, and asks who is there


async def test_requests_are_counted_by_what_came_of_them(
    server: Running, ada: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    async def ask(query: str, client: httpx.AsyncClient = ada) -> None:
        await client.post("/graphql", json={"query": query})

    async with server.http(Authorization="Bearer forged") as forger:
        await ask(VIEWER, forger)
    await ask(VIEWER)
    await ask("{ nonsense }")
    await ask('mutation { deleteWorkflow(id: "nowhere") { id } }')  # which HTTP calls 200
    monkeypatch.setattr(workflows, "page", broken)
    await ask("{ workflows { edges { node { id } } } }")
    await ada.post("/api/workflows/sync", json={"id": "w", "state": {}})
    await ada.put("/api/workflows/sync")
    await ada.get("/health")
    await ada.get("/nowhere")
    numbers = await told(ada)
    assert {key: value for key, value in numbers.items() if key.startswith("requests_total")} == {
        "requests_total OK /graphql": 1,
        "requests_total UNAUTHENTICATED /graphql": 1,
        "requests_total BAD_USER_INPUT /graphql": 1,
        "requests_total NOT_FOUND /graphql": 1,
        "requests_total INTERNAL_SERVER_ERROR /graphql": 1,
        "requests_total OK /api/workflows/sync": 1,
        "requests_total BAD_USER_INPUT /api/workflows/sync": 1,
        "requests_total OK other": 1,
        "requests_total NOT_FOUND other": 1,
    }


async def test_in_development_nobody_need_sign_in_on_this_machine(server: Running) -> None:
    async with server.http() as nobody:
        await told(nobody)


@pytest.mark.parametrize("header", [{"Host": "app.example"}, {"X-Forwarded-For": "192.0.2.1"}], ids=str)
async def test_in_development_nobody_else_reads_them(server: Running, header: dict[str, str]) -> None:
    async with server.http(**header) as stranger:
        assert (await stranger.get("/metrics")).status_code == 401


async def test_without_development_they_are_off(settings: Settings) -> None:
    signed = {"jwt_secret": SecretStr("s" * 32), "jwt_issuer": "me", "jwt_audience": "you"}
    async with live.run(settings.model_copy(update=signed)) as server, server.http() as client:
        refused = await client.get("/metrics")
    assert refused.status_code == 404
    assert refused.json()["errors"][0]["message"] == "Metrics are off: set METRICS_TOKEN to read them."


async def test_with_a_token_only_who_sends_it_reads_them(settings: Settings) -> None:
    async with live.run(settings.model_copy(update={"metrics_token": SecretStr(TOKEN)})) as server:
        for wrong in ({}, {"Authorization": f"Bearer {TOKEN[1:]}"}, {"Authorization": TOKEN}):
            async with server.http(**wrong) as stranger:
                assert (await stranger.get("/metrics")).status_code == 401
        async with server.http(Authorization=f"Bearer {TOKEN}", Host="app.example") as prometheus:
            await told(prometheus)


async def test_a_worker_that_can_write_no_metrics_goes_on(
    server: Running, ada: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(metrics, "UPDATE_SECONDS", 0)
    with monkeypatch.context() as broken:
        broken.setattr(metrics.Metrics, "_update", full)
        await server.until(lambda: "no space left" in caplog.text)
    assert await save(ada, {"n": 1}) == "CREATED"
    assert (await told(ada))["saves_total CREATED"] == 1


async def test_every_worker_tells_what_all_have_counted(data: Path) -> None:
    async with processes.serving(data, "--workers=2") as server, AsyncExitStack() as opened:
        for number, (socket, *_) in enumerate(await processes.sockets_of_each_worker(server, opened)):
            await save_by(socket, f"w{number}")
        await until(lambda: _all_tell(server, {"saves_total CREATED": 2, "save_seconds_count": 2}))
        assert (await server.stop()).code == 0


async def test_what_a_killed_worker_counted_stays_and_what_it_held_open_goes(data: Path) -> None:
    async with processes.serving(data, "--workers=2") as server, AsyncExitStack() as opened:
        (socket, *_), _ = await processes.sockets_of_each_worker(server, opened)
        await save_by(socket, "w")
        await socket.subscribe("all", "subscription { workflowsChanged { id } }")
        await until(lambda: _all_tell(server, {"saves_total CREATED": 1, "subscribers": 1}))
        await processes.kill([processes.worker_of(server, socket)])
        await until(lambda: len(server.workers()) == 2)
        await until(lambda: _all_tell(server, {"saves_total CREATED": 1, "subscribers": 0}))
        assert (await server.stop()).code == 0


async def save_by(socket: Socket, workflow_id: str) -> None:
    await socket.subscribe("save", SAVE, input={"id": workflow_id, "state": {"n": 1}})
    await socket.next("save")
    await socket.completed("save")


async def _all_tell(server: Served, expected: dict[str, float]) -> bool:
    """Say whether each worker tells these numbers."""
    found = dict[int, Numbers]()
    while len(found) < len(server.workers()):
        async with server.client("ann") as client:
            response = await client.get("/metrics")
            port = response.extensions["network_stream"].get_extra_info("client_addr")[1]
            found[processes.worker_at(server, port).pid] = parsed(response.text)
    return all(numbers[name] == value for numbers in found.values() for name, value in expected.items())


def test_the_folder_of_the_workers_is_gone_in_the_end() -> None:
    with metrics.shared() as folder:
        assert list(folder.iterdir()) == []
        (folder / "counter_1.db").touch()
    assert not folder.exists()
