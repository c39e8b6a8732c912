"""The command line of the benchmarks: `python -m bench`."""

import resource
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import uvloop

from bench import databases, figures, load, plan, report
from bench.documents import SIZES
from bench.load import LoadError
from bench.measure import Sample
from bench.servers import StartError
from bench.suite import DATA, LOG, Suite
from bench.systems import NODE, SYSTEMS
from server.postgres import Postgres


def _words(known: Sequence[str]) -> Callable[[click.Context, click.Parameter, str], tuple[str, ...]]:
    def split(context: click.Context, parameter: click.Parameter, value: str) -> tuple[str, ...]:
        words = tuple(word.strip() for word in value.split(",")) if value else tuple(known)
        for word in words:
            if word not in known:
                raise click.BadParameter(f"{word!r} is none of {', '.join(known)}.", context, parameter)
        return words

    return split


def _choice(name: str, known: Sequence[str], what: str) -> Callable[[click.decorators.FC], click.decorators.FC]:
    return click.option(
        f"--{name}",
        default="",
        metavar="LIST",
        callback=_words(known),
        help=f"{what}, separated by commas. [default: all of {', '.join(known)}]",
    )


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@_choice("systems", list(SYSTEMS), "What is measured")
@_choice("workloads", plan.WORKLOADS, "What it is asked to do")
@_choice("sizes", SIZES, "Sizes of the documents in kB")
@click.option("--runs", type=click.IntRange(1), default=1, show_default=True, help="How often; medians are shown.")
@click.option("--seconds", type=click.IntRange(1), default=5, show_default=True, help="How long each run takes.")
@click.option(
    "--connections",
    type=click.IntRange(1, 200),
    default=40,
    show_default=True,
    help="Clients at once.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder for results.json, results.md and chart.svg.",
)
def main(
    systems: tuple[str, ...],
    workloads: tuple[str, ...],
    sizes: tuple[str, ...],
    runs: int,
    seconds: int,
    connections: int,
    out: Path | None,
) -> None:
    """Measure what saving, reading and listening cost, beside others, on one Postgres on this machine.

    Each system runs with two processes and is driven by wrk. WORKFLOW_DOCUMENTS names a folder with real documents;
    without it look-alikes are saved. To measure another checkout of this project, let PYTHONPATH name it.
    """
    sessions = list(plan.sessions(systems, workloads, sizes, runs))
    _check_installed(systems)
    _raise_file_limit()
    samples, failures = _measure(sessions, seconds, connections)
    click.echo(report.markdown(figures.medians(samples)))
    if out:
        report.write(out, samples, {"runs": runs, "seconds": seconds, "connections": connections})
    if failures:
        raise click.ClickException("\n".join([*failures, f"{LOG} may say more."]))


def _measure(sessions: list[plan.Session], seconds: int, connections: int) -> tuple[list[Sample], list[str]]:
    DATA.mkdir(exist_ok=True)
    LOG.unlink(missing_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="bench-", dir=DATA) as folder,
        databases.started(Path(folder, "data")) as server,
    ):
        return uvloop.run(_run(server, sessions, seconds, connections))


async def _run(
    server: Postgres, sessions: list[plan.Session], seconds: int, connections: int
) -> tuple[list[Sample], list[str]]:
    """Measure everything, and tell what could not be measured."""
    samples: list[Sample] = []
    failures: list[str] = []
    async with Suite.opened(server, LOG, connections) as suite:
        with click.progressbar(sessions, label="Measuring", item_show_func=_told, file=sys.stderr) as bar:
            for session in bar:
                try:
                    async for sample in suite.measure(session, seconds):
                        samples.append(sample)  # noqa: PERF401 -- what was measured before a failure stays
                except* (LoadError, StartError) as errors:
                    failures += [f"{_told(session)}: {error}" for error in errors.exceptions]
    return samples, failures


def _told(session: plan.Session | None) -> str | None:
    if session is None:
        return None
    return f"{session.system.title}, {session.size} kB, {' and '.join(session.workloads)}"


def _check_installed(systems: Sequence[str]) -> None:
    try:
        load.check_installed()
    except LoadError as error:
        raise click.ClickException(str(error)) from error
    if any(SYSTEMS[name].command[0] == str(NODE) for name in systems) and not NODE.exists():
        raise click.ClickException("The peers are not installed: npm --prefix bench/peers ci")


def _raise_file_limit() -> None:
    """Let this process and its children have as many sockets as the system allows."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    main()
