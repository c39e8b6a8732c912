"""The floor: whole documents upserted by asyncpg as fast as Postgres takes them, with no server in front.

Started like a server: it says when it is ready. Each line on stdin, a size and a number of seconds, is a run; its
figures come back as a line of JSON.
"""

import asyncio
import json
import multiprocessing
import os
import signal
import sys
import time
from dataclasses import dataclass
from itertools import count, cycle
from multiprocessing.connection import Connection

import asyncpg

from bench.documents import subject
from bench.load import NUMBERS, workflow_ids
from bench.requests import filled

CONNECTIONS = 8  # of each process; more are no faster

UPSERT = """
    INSERT INTO workflow (id, user_id, state) VALUES ($1, 'ada', $2)
    ON CONFLICT (id) DO UPDATE SET state = excluded.state, version = workflow.version + 1, updated_at = now()
    WHERE workflow.user_id = excluded.user_id
    RETURNING version, updated_at
"""


@dataclass(frozen=True, slots=True)
class Order:
    """A run of one process: which workflows, for how long, from which number on."""

    size: str
    seconds: float
    number: int
    workflows: list[str]


def main() -> None:
    """Run what stdin orders, in as many processes as WORKERS says."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # which ends the other processes too
    pipes = []
    for _ in range(int(os.environ["WORKERS"])):
        mine, theirs = multiprocessing.Pipe()
        multiprocessing.Process(target=_work, args=(theirs,), daemon=True).start()
        pipes.append(mine)
    print("ready", flush=True)
    for line in sys.stdin:
        size, seconds = line.split()
        number = next(NUMBERS)
        for place, pipe in enumerate(pipes):
            pipe.send(Order(size, float(seconds), number, workflow_ids(size)[place :: len(pipes)]))
        latencies = sorted(latency for pipe in pipes for latency in pipe.recv())
        print(json.dumps(latencies), flush=True)


def _work(pipe: "Connection[list[float], Order]") -> None:
    while True:
        pipe.send(asyncio.run(_run(pipe.recv())))


async def _run(order: Order) -> list[float]:
    """Save until the time is up, and tell how many seconds each save took."""
    async with asyncpg.create_pool(
        os.environ["DATABASE_URL"], min_size=CONNECTIONS, max_size=CONNECTIONS, init=_pass_through
    ) as pool:
        end = time.perf_counter() + order.seconds
        shares = (order.workflows[place::CONNECTIONS] for place in range(CONNECTIONS))
        taken = await asyncio.gather(*(_save(pool, order, share, end) for share in shares))
    return [latency for latencies in taken for latency in latencies]


async def _save(pool: "asyncpg.Pool[asyncpg.Record]", order: Order, share: list[str], end: float) -> list[float]:
    text = subject(order.size).text
    taken = []
    async with pool.acquire() as connection:
        upsert = await connection.prepare(UPSERT)
        for name, number in zip(cycle(share), count(order.number), strict=False):
            start = time.perf_counter()
            if start > end:
                break
            await upsert.fetchrow(name, filled(text, dict.fromkeys(("x0", "x1", "x2", "x3"), str(number))))
            taken.append(time.perf_counter() - start)
    return taken


async def _pass_through(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Send documents as they are: their text after the number of JSONB's format."""
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=b"\x01".__add__, decoder=lambda data: data[1:], format="binary"
    )


if __name__ == "__main__":
    main()
