"""A server for the editor, alive or mortal, and somebody who visits it with a browser."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.browser.visits import Visits
from tests.editor.mortal import Mortal
from tests.server.conftest import data, empty, migrated_data, server, settings

__all__ = ["data", "empty", "migrated_data", "server", "settings"]


@pytest.fixture
def visits(chromium: str) -> Visits:
    """Runs scenarios of this folder in a browser."""
    return Visits(chromium, Path(__file__).parent)


@pytest.fixture
async def mortal(data: Path) -> AsyncIterator[Mortal]:
    """A server that may be killed."""
    async with Mortal(data) as mortal:
        yield mortal
