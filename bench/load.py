"""How a system is driven: by wrk, which costs a fraction of what it drives; each connection owns some workflows."""

import asyncio
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from uuid import NAMESPACE_URL, uuid5

from bench.requests import Request, message

WORKFLOWS = 200
SCRIPT = Path(__file__).with_suffix(".lua")
NUMBERS = iter(
    range(100_000_000, 1_000_000_000, 10_000)
)  # where each run begins to count, so that no save writes what is there


class LoadError(Exception):
    """Something was not as it should be, so that the figures mean nothing."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a run did."""

    requests: int
    seconds: float
    bytes: int
    p50_ms: float
    p99_ms: float

    @classmethod
    def of(cls, latencies: Sequence[float], seconds: float) -> Self:
        """Sum up requests that took so many seconds each, in ascending order."""
        p50, p99 = (latencies[len(latencies) * percent // 100] * 1000 for percent in (50, 99))
        return cls(len(latencies), seconds, 0, p50, p99)

    @property
    def rate(self) -> float:
        """Requests answered in a second."""
        return self.requests / self.seconds


def workflow_ids(size: str) -> list[str]:
    """Name the workflows whose documents are of a size."""
    return [str(uuid5(NAMESPACE_URL, f"workflow-sync/bench/{size}/{place}")) for place in range(WORKFLOWS)]


def check_installed() -> None:
    """Refuse to begin without wrk."""
    if shutil.which("wrk") is None:
        raise LoadError("wrk is needed to drive the servers: apt-get install wrk, or brew install wrk.")


async def drive(
    host: str, token: str, requests: Sequence[Request], versions: Mapping[str, int], *, seconds: float, connections: int
) -> Load:
    """Send requests for some workflows, whose versions are given, as fast as they are answered.

    Raises LoadError where an answer was not the expected one.
    """
    number = next(NUMBERS)
    with tempfile.TemporaryDirectory(prefix="workflow-sync-load-") as folder:
        _write(Path(folder), [message(request, host, token) for request in requests], versions)
        arguments = (folder, str(connections), str(number), requests[0].expected)
        process = await asyncio.create_subprocess_exec(
            "wrk",
            f"--threads={connections}",
            f"--connections={connections}",
            f"--duration={seconds:.0f}s",
            "--timeout=60s",
            f"--script={SCRIPT}",
            f"http://{host}",
            "--",
            *arguments,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, told = await process.communicate()
    return _load(told.decode(errors="replace"), checked=bool(requests[0].expected))


def _write(folder: Path, messages: Sequence[bytes], versions: Mapping[str, int]) -> None:
    names = [f"{place}.http" for place in range(len(messages))]
    for name, text in zip(names, messages, strict=True):
        (folder / name).write_bytes(text)
    (folder / "requests").write_text("\n".join(names))
    (folder / "workflows").write_text("\n".join(f"{name} {version}" for name, version in versions.items()))


def _load(told: str, *, checked: bool) -> Load:
    figures, _, complaint = told.partition("\n")
    try:
        requests, micros, size, p50, p99, granted, refused, broken = map(int, figures.split())
    except ValueError:
        raise LoadError(f"wrk says: {told}") from None
    if refused or broken or not requests or (checked and granted != requests):
        raise LoadError(f"{refused} refused and {broken} failed of {requests}: {complaint}")
    return Load(requests, micros / 1e6, size, p50 / 1000, p99 / 1000)
