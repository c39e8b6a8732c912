"""What every test may ask for: a real Postgres, migrated as in production, and empty."""

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from db import migrate
from db.database import Database
from server import postgres

TABLES = ("workflow_changes", "workflow_checkpoints", "workflow_clients", "workflow_conflicts", "workflow_members")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A Postgres server for this session: the one that DATABASE_URL names, or an embedded one."""
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="workflow-sync-") as folder, postgres.embedded(Path(folder)) as url:
        yield url
