"""The pages in a real browser: what visit.mjs does there, for whom it is done, and on what server."""

import asyncio
import os
import shutil
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.server.live import Running

HERE = Path(__file__).parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

Visit = Callable[[str], Awaitable[None]]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser that CHROMIUM names, or the one that is installed."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("There is no Chromium here: install one, or name it in CHROMIUM.")
    return found


@pytest.fixture
def visit(server: Running, chromium: str) -> Visit:
    """Run a scenario of scenarios.mjs, by name. It fails where the browser complains, too."""

    async def run(scenario: str) -> None:
        command = ["node", str(HERE / "visit.mjs"), scenario, server.url]
        process = await asyncio.create_subprocess_exec(
            *command, stdout=PIPE, stderr=STDOUT, env=os.environ | {"CHROMIUM": chromium}
        )
        output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()

    return run


async def test_the_start_page_says_who_one_is_and_leads_to_graphiql(visit: Visit) -> None:
    await visit("openTheStartPage")


async def test_the_start_page_fits_on_a_phone(visit: Visit) -> None:
    await visit("openTheStartPageOnAPhone")


async def test_graphiql_opens_signed_in_with_an_example_in_each_tab(visit: Visit) -> None:
    await visit("openGraphiQL")


async def test_graphiql_says_when_one_is_not_signed_in(visit: Visit) -> None:
    await visit("openGraphiQLAsNobody")


async def test_the_documentation_shows_the_schema(visit: Visit) -> None:
    await visit("readTheDocumentation")


async def test_the_examples_save_a_workflow_read_it_back_and_list_it(visit: Visit) -> None:
    await visit("saveAndReadBack")


async def test_a_save_in_one_window_is_heard_in_another(visit: Visit) -> None:
    await visit("hearOfASave")


async def test_the_tabs_are_there_again_at_the_next_visit_and_no_others(visit: Visit) -> None:
    await visit("comeBack")


async def test_a_mistake_is_explained_by_the_server(visit: Visit) -> None:
    await visit("makeAMistake")
