"""What processes cost: the processor time and the memory of each with all that came from it."""

from contextlib import suppress
from pathlib import Path

import psutil


def seconds(*roots: psutil.Process) -> float:
    """Add up the processor time of some processes and their descendants; what has ended counts with its parent."""
    return sum(_seconds(process) for process in _trees(roots))


def _seconds(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        return float(sum(process.cpu_times()[:4]))  # user and system, its own and that of children it has buried
    return 0.0


def bytes_held(*roots: psutil.Process) -> int:
    """Add up the memory of some processes and their descendants; what several share counts once (PSS)."""
    return sum(process.memory_full_info().pss for process in _trees(roots))


def _trees(roots: tuple[psutil.Process, ...]) -> list[psutil.Process]:
    return [process for root in roots for process in (root, *root.children(recursive=True))]


def model() -> str:
    """Name the processor."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
