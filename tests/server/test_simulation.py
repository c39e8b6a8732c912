"""Five people edit one workflow on a bad network; in the end all hold what the server holds, and nothing is lost."""

import asyncio
import os
from random import Random
from typing import Any

import pytest

from db.workflows import Role
from merge.changes import Change
from resolvers import history, sync, workflows
from resolvers.context import Context, UserId, Viewer
from resolvers.saves import Save
from tests import documents
from tests.facts import until
from tests.server.live import Running
from tests.server.replica import Replica

CLIENTS = 5
SAVES = 400 if "CI" in os.environ else 60  # of each client


def edit(random: Random, shown: Any, name: str) -> Change:  # noqa: ANN401 -- a document
    """Think of something to do: mostly small edits, now and then a block or an edge that comes or goes."""
    blocks, edges = [*shown["blocks"], "gone"], [edge["id"] for edge in shown["edges"]]
    block, edge, loop = (random.choice(ids) for ids in (blocks, [*edges, "gone"], [*shown["loops"]]))
    key, at = f"{name}-{random.getrandbits(16)}", random.randint(-99, 99)
    ways = [
        (9, Change(("blocks", block, "position", random.choice("xy")), value=at)),
        (4, Change(("blocks", block, "name"), value=f"{name} {at}")),
        (2, Change(("blocks", key), value={"id": key, "name": key, "position": {"x": at, "y": 0}})),
        (1, Change(("blocks", block), removal=True)),
        (2, Change(("edges", key), value={"id": key, "source": block, "target": random.choice(blocks)})),
        (1, Change(("edges", edge), removal=True)),
        (1, Change(("edges",), order=tuple(random.sample(edges, len(edges))))),
        (1, Change(("loops", loop, "nodes"), value=random.sample(blocks, min(3, len(blocks))))),
    ]
    (chosen,) = random.choices([change for _, change in ways], [weight for weight, _ in ways])
    return chosen


async def work(replica: Replica) -> None:
    """Edit and save, as often as this is to go on."""
    for _ in range(SAVES):
        for _ in range(replica.random.randint(1, 3)):
            replica.edit(edit(replica.random, replica.shown, replica.client))
        await replica.save()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [1])
async def test_all_clients_end_equal_to_the_server_and_every_save_is_in_the_journal_once(
    server: Running, seed: int
) -> None:
    random = Random(seed)
    services = server.services
    owner = Context(services.database, services.hub, services.saver, services.settings.limits, Viewer(UserId("ann")))
    start = documents.sim(12, seed=seed)
    await sync.sync(owner, Save("w", start))
    for user in ("bob", "eve"):
        await workflows.share(owner, "w", user, Role.EDITOR)
    users = ["ann", "ann", "bob", "bob", "eve"][:CLIENTS]  # some have two tabs
    replicas = [
        Replica(server, user, "w", f"tab-{place}", Random(random.random()), version=1, confirmed=start)
        for place, user in enumerate(users)
    ]

    async with asyncio.TaskGroup() as tasks:
        listeners = [tasks.create_task(replica.listen()) for replica in replicas]
        await asyncio.gather(*map(work, replicas))
        head = await workflows.visible(owner, "w")
        await until(lambda: all(replica.version == head.version for replica in replicas))
        for listener in listeners:
            listener.cancel()

    state = await history.state(owner, "w", head.version)
    for replica in replicas:
        assert replica.shown == replica.confirmed == state
    await check_journal(owner, replicas, head.version)


async def check_journal(owner: Context, replicas: list[Replica], version: int) -> None:
    """Check that the journal has each acknowledged save once, without gaps, and nothing else."""
    async with owner.database.connection() as connection:
        rows = await connection.fetch("SELECT version, client_id FROM workflow_changes ORDER BY version")
    assert [row["version"] for row in rows] == list(range(1, version + 1))
    for replica in replicas:
        written = [row["version"] for row in rows if row["client_id"] == replica.client]
        assert written == [made for made in replica.acknowledged.values() if made is not None]
        assert len(replica.acknowledged) == SAVES
