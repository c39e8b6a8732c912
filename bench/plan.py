"""Which runs there are, and in which order: systems take turns, so that a noisy minute hits them all alike."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.systems import SYSTEMS, System

WORKLOADS = ("whole", "delta", "read", "list", "fanout")
USUAL_SIZES = {"read": ("9", "174"), "list": ("9",), "fanout": ("9",)}  # the others: all of them


@dataclass(frozen=True, slots=True)
class Session:
    """Something to measure with a system that is started for it."""

    system: System
    size: str
    workloads: tuple[str, ...]


def sessions(systems: Sequence[str], workloads: Sequence[str], sizes: Sequence[str], runs: int) -> Iterator[Session]:
    """List every session of every run."""
    for _ in range(runs):
        for size in sizes:
            for name in systems:
                asked = tuple(w for w in workloads if w in SYSTEMS[name].asks and size in usual(w, sizes))
                if asked:
                    yield Session(SYSTEMS[name], size, asked)


def usual(workload: str, sizes: Sequence[str]) -> Sequence[str]:
    """Say at which of some sizes a workload is measured: at its usual ones, where any of them was asked for."""
    return [size for size in USUAL_SIZES.get(workload, sizes) if size in sizes] or sizes[:1]
