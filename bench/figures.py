"""What a figure is called, how it is written, and which way is better."""

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from bench.measure import Sample

OURS = "ours"

Row: TypeAlias = Mapping[str, float]  # figures by name
Results: TypeAlias = dict[tuple[str, str], dict[str, Row]]  # by workload and size, then by system


@dataclass(frozen=True, slots=True)
class Column:
    """One figure of a table."""

    figure: str
    heading: str
    scale: float = 1.0  # from the unit that was measured to the one that is shown
    more_is_better: bool | None = None  # None: not compared


@dataclass(frozen=True, slots=True)
class Table:
    """What is shown of a workload."""

    workload: str
    title: str
    columns: tuple[Column, ...]


LATENCIES = (Column("p50_ms", "p50 ms"), Column("p99_ms", "p99 ms"))
WAL = (
    Column("wal_bytes", "WAL kB", 1e-3),
    Column("wal_bytes_without_pages", "without full pages", 1e-3, more_is_better=False),
)


def _cpu(of: str) -> Column:
    return Column("cpu_us", f"CPU µs/{of}", more_is_better=False)


def _rate(of: str, figure: str = "rate") -> Column:
    return Column(figure, f"{of}/s", more_is_better=True)


SAVES = (_rate("saves"), *LATENCIES, _cpu("save"), *WAL)

TABLES = (
    Table("whole", "Saves of whole documents, one property changed", (_rate("saves"), *LATENCIES, _cpu("save"), *WAL)),
    Table("delta", "Saves of the change alone", (_rate("saves"), *LATENCIES, _cpu("save"), *WAL)),
    Table("read", "Reads of the whole document", (_rate("reads"), *LATENCIES, _cpu("read"))),
    Table("list", "Lists of 20 workflows, without documents", (_rate("lists"), *LATENCIES, _cpu("list"))),
    Table(
        "paced",
        "1,000 subscribers of one workflow, 10 saves/s: until the last has heard of a save",
        (
            Column("last_p50_ms", "p50 ms", more_is_better=False),
            Column("last_p99_ms", "p99 ms", more_is_better=False),
            _cpu("delivery"),
        ),
    ),
    Table(
        "flood",
        "1,000 subscribers of one workflow, saved as fast as all hear of it",
        (_rate("deliveries", "deliveries"), _rate("saves"), _cpu("delivery")),
    ),
    Table(
        "spread",
        "500 subscribers of 100 workflows, saved as fast as all hear of it",
        (_rate("deliveries", "deliveries"), _rate("saves"), _cpu("delivery")),
    ),
    Table(
        "storm",
        "1,000 sockets come back at once: until the last is up to date",
        (Column("storm_ms", "ms", more_is_better=False), _cpu("socket")),
    ),
    Table("idle", "Memory of a subscriber", (Column("bytes_held", "kB", 1e-3, more_is_better=False),)),
)


def medians(samples: Iterable[Sample]) -> Results:
    """Give the median of each figure over all runs."""
    gathered: dict[tuple[str, str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for sample in samples:
        for name, figure in sample.figures.items():
            gathered[sample.workload, sample.size, sample.system][name].append(figure)
    results: Results = defaultdict(dict)
    for (workload, size, system), figures in gathered.items():
        results[workload, size][system] = {name: statistics.median(all_) for name, all_ in figures.items()}
    return results


def advantage(column: Column, ours: float, theirs: float) -> float | None:
    """Say how many times better ours is; None where that means nothing."""
    if column.more_is_better is None or ours <= 0 or theirs <= 0:
        return None
    return ours / theirs if column.more_is_better else theirs / ours


def written(number: float) -> str:
    """Write a number with as many digits as it is worth."""
    if number >= 100:
        return f"{number:,.0f}"
    return f"{number:.1f}" if number >= 10 else f"{number:.2f}"
