"""What becomes of figures."""

from bench import figures, report
from bench.figures import Column
from bench.measure import Cost, Sample

RATE = Column("rate", "saves/s", more_is_better=True)
COST = Column("cpu_us", "CPU", more_is_better=False)


def sample(system: str, rate: float, *, workload: str = "read") -> Sample:
    return Sample(system, workload, "34", {"rate": rate, "p50_ms": 1.0, "p99_ms": 2.0, "cpu_us": 1e6 / rate})


def test_a_figure_is_the_median_of_its_runs() -> None:
    results = figures.medians([sample("ours", 100), sample("ours", 7), sample("ours", 300)])

    assert results["read", "34"]["ours"]["rate"] == 100


def test_systems_and_workloads_are_told_apart() -> None:
    results = figures.medians([sample("ours", 100), sample("seed", 7), sample("ours", 5, workload="list")])

    assert results["read", "34"]["ours"]["rate"] == 100
    assert results["read", "34"]["seed"]["rate"] == 7
    assert results["list", "34"]["ours"]["rate"] == 5


def test_an_advantage_is_above_one_where_ours_is_better() -> None:
    assert figures.advantage(RATE, ours=300, theirs=100) == 3
    assert figures.advantage(COST, ours=100, theirs=250) == 2.5
    assert figures.advantage(RATE, ours=50, theirs=100) == 0.5


def test_an_advantage_over_nothing_means_nothing() -> None:
    assert figures.advantage(RATE, ours=300, theirs=0) is None
    assert figures.advantage(COST, ours=0, theirs=100) is None
    assert figures.advantage(Column("p50_ms", "p50"), ours=1, theirs=2) is None


def test_a_cost_is_shared_out_among_what_was_done() -> None:
    assert Cost(cpu_seconds=2, wal_bytes=6_000, wal_bytes_without_pages=1_000).each(4) == {
        "cpu_us": 500_000,
        "wal_bytes": 1_500,
        "wal_bytes_without_pages": 250,
    }


def test_the_table_compares_each_system_with_ours() -> None:
    table = report.markdown(figures.medians([sample("ours", 300), sample("seed", 100)]))

    assert "| 34 | Workflow Sync | 300 | 1.00 | 2.00 | 3,333 |" in table
    assert "| 34 | Node http + zod + Drizzle | 100 (3.00 x) | 1.00 | 2.00 | 10,000 (3.00 x) |" in table


def test_a_table_without_ours_compares_nothing() -> None:
    assert " x)" not in report.markdown(figures.medians([sample("seed", 100), sample("yoga", 50)]))
