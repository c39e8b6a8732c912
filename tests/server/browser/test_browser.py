"""The pages in a real browser: what people do there, for whom it is done, and on what server."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.browser.visits import Visits
from tests.server.live import Running

Visit = Callable[[str], Awaitable[None]]


@pytest.fixture
def visit(server: Running, chromium: str) -> Visit:
    """Run a scenario of scenarios.mjs, by name. It fails where the browser complains, too."""

    async def run(scenario: str) -> None:
        await Visits(chromium, Path(__file__).parent).visit(f"scenarios.{scenario}", server.url)

    return run


async def test_the_page_for_developers_says_who_one_is_and_leads_to_graphiql(visit: Visit) -> None:
    await visit("openThePageForDevelopers")


async def test_the_page_for_developers_fits_on_a_phone(visit: Visit) -> None:
    await visit("openThePageForDevelopersOnAPhone")


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
