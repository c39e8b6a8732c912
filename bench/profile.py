"""Where a save spends its time: `python -m bench.profile` writes a flame graph of a worker under load.

A sampling profiler looks at the worker from outside, so that it runs as fast as ever. The wider a function, the longer
the worker was in it; what Postgres does is not in it.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

import click
import psutil

from bench import databases, documents
from bench.documents import SIZES
from bench.suite import DATA, LOG, Suite
from bench.systems import OURS
from server.postgres import Postgres

SAMPLES_A_SECOND = 500
CONNECTIONS = 40


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--workload", type=click.Choice([name for name in OURS.asks if name != "fanout"]), default="whole")
@click.option("--size", type=click.Choice(SIZES), default="34", show_default=True, help="Of the documents, in kB.")
@click.option("--seconds", type=click.IntRange(1), default=10, show_default=True)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=DATA / "profile.svg",
    show_default=True,
    help="SVG.",
)
def main(workload: str, size: str, seconds: int, out: Path) -> None:
    """Write a flame graph of one of this project's workers while it saves or reads."""
    DATA.mkdir(exist_ok=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="bench-", dir=DATA) as folder,
        databases.started(Path(folder, "data")) as server,
    ):
        asyncio.run(_profile(server, workload, size, seconds, out))
    click.echo(f"Open {out} in a browser.")


async def _profile(server: Postgres, workload: str, size: str, seconds: int, out: Path) -> None:
    subject = documents.subject(size)
    async with Suite.opened(server, LOG, CONNECTIONS) as suite, suite.running(OURS) as bench:
        await bench.seed(subject)
        await bench.warm_up(workload, subject)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(bench.run(workload, subject, seconds))
            tasks.create_task(_record(_worker(bench.server.root), seconds, out))


def _worker(root: psutil.Process) -> int:
    """Find the worker that has worked most."""
    return int(max(root.children(recursive=True), key=lambda process: process.cpu_times().user).pid)


async def _record(pid: int, seconds: int, out: Path) -> None:
    profiler = await asyncio.create_subprocess_exec(
        Path(sys.executable).parent / "py-spy",
        "record",
        f"--pid={pid}",
        f"--duration={seconds}",
        f"--rate={SAMPLES_A_SECOND}",
        f"--output={out}",
    )
    if await profiler.wait():
        raise click.ClickException("py-spy cannot look into the worker: elsewhere than as root, systems may forbid it.")


if __name__ == "__main__":
    main()
