"""The data folder, and the locks that processes hold on it.

A lock is on an open file; the kernel frees it when its process ends, however it ends.
"""

import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TextIO

from server import waiting
from server.refusal import RefusedError

OWNER = "serve.lock"  # held by the one `serve`; its pid is written there


@contextmanager
def owned(data: Path) -> Iterator[None]:
    """Own the data folder until the block ends. Raises RefusedError where another `serve` does."""
    with opened(data, OWNER) as file:
        if not lock(file, fcntl.LOCK_EX):
            raise RefusedError(
                f"Another `workflow-sync serve` (process {_read(file)}) uses the data folder {data}: "
                "stop that one first, or name another folder with --data."
            )
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def owner(data: Path) -> str | None:
    """Give the pid of the `serve` that owns the data folder, None where it is free."""
    if not (data / OWNER).exists():
        return None
    with opened(data, OWNER) as file:
        return None if lock(file, fcntl.LOCK_SH) else _read(file)


@contextmanager
def opened(data: Path, name: str) -> Iterator[TextIO]:
    """Open a lock file in the data folder, which is made where it is missing. Raises RefusedError."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        file = (data / name).open("a+")
    except OSError as error:
        raise RefusedError(
            f"The data folder {data} (DATA) cannot be used: {error.strerror}. Name another one with --data."
        ) from error
    with file:
        yield file


def lock(file: TextIO, kind: int) -> bool:
    """Try to take a lock (LOCK_SH or LOCK_EX) that ends when the file is closed."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def locked(file: TextIO, kind: int) -> None:
    """Wait for a lock that ends when the file is closed."""
    await waiting.until(lambda: lock(file, kind))


@asynccontextmanager
async def turn(data: Path, name: str) -> AsyncIterator[None]:
    """Do something that only one process may do at a time, after those that came first."""
    with opened(data, name) as file:
        await locked(file, fcntl.LOCK_EX)
        yield


def _read(file: TextIO) -> str:
    file.seek(0)
    return file.read()
