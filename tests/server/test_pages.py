"""The pages over HTTP: how they are kept, what they may load, and what stands in the examples on them."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from graphql import GraphQLSchema, OperationDefinitionNode, build_schema, get_variable_values, parse, validate
from starlette.applications import Starlette
from starlette.routing import Route

from server.pages import Pages
from tests.server import live

ROOT = Path(__file__).parents[2]
OPERATIONS = sorted((ROOT / "web/src/operations").glob("*.graphql"))


@asynccontextmanager
async def serving(pages: Pages) -> AsyncIterator[httpx.AsyncClient]:
    """Serve pages on a real socket, to a client of their own."""
    app = Starlette(routes=[Route("/graphql", pages.graphiql), *pages.routes()])
    config = uvicorn.Config(app, log_config=None, lifespan="off")
    async with live.serving(config) as (_, port), live.http(f"http://127.0.0.1:{port}") as client:
        yield client


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of pages that were built."""
    (tmp_path / "index.html").write_text("<h1>Editor</h1>")
    (tmp_path / "developers.html").write_text("<h1>Developers</h1>")
    (tmp_path / "graphql.html").write_text("<h1>GraphiQL</h1>")
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets/app-1a2b3c.js").write_text("export {}")
    async with serving(Pages(tmp_path)) as client:
        yield client


@pytest.fixture(scope="module")
def contract() -> GraphQLSchema:
    """The schema as it was last printed."""
    return build_schema((ROOT / "schema/schema.graphql").read_text())


def policy(response: httpx.Response) -> dict[str, str]:
    """Read a Content-Security-Policy."""
    directives = response.headers["content-security-policy"].split("; ")
    return dict(directive.split(" ", 1) for directive in directives)


async def test_the_editor_the_one_for_developers_and_graphiql_are_pages(client: httpx.AsyncClient) -> None:
    pages = [await client.get(path) for path in ("/", "/developers", "/graphql")]

    assert [page.text for page in pages] == ["<h1>Editor</h1>", "<h1>Developers</h1>", "<h1>GraphiQL</h1>"]
    assert {page.headers["content-type"] for page in pages} == {"text/html; charset=utf-8"}


@pytest.mark.parametrize("path", ["/", "/developers", "/graphql", "/assets/app-1a2b3c.js"])
async def test_nothing_loads_from_elsewhere_and_nobody_else_embeds_it(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)

    assert policy(response)["default-src"] == "'none'"
    assert policy(response)["frame-ancestors"] == "'none'"
    assert {source for sources in policy(response).values() for source in sources.split()} <= {
        "'none'", "'self'", "'unsafe-inline'", "'script'", "data:",
    }  # fmt: skip
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cross-origin-resource-policy"] == "same-origin"


async def test_only_styles_may_be_written_into_a_page_and_only_into_graphiql(client: httpx.AsyncClient) -> None:
    editor, developers, graphiql = [policy(await client.get(path)) for path in ("/", "/developers", "/graphql")]

    assert [name for name, sources in graphiql.items() if "unsafe" in sources] == ["style-src"]
    assert not [name for page in (editor, developers) for name, sources in page.items() if "unsafe" in sources]


@pytest.mark.parametrize("path", ["/", "/developers"])
async def test_scripts_cannot_make_markup_or_code_of_text(client: httpx.AsyncClient, path: str) -> None:
    page = policy(await client.get(path))

    assert page["script-src"] == page["connect-src"] == "'self'"
    assert (page["require-trusted-types-for"], page["trusted-types"]) == ("'script'", "'none'")


async def test_a_page_is_asked_for_again_and_an_asset_never(client: httpx.AsyncClient) -> None:
    page, asset = await client.get("/"), await client.get("/assets/app-1a2b3c.js")

    assert page.headers["cache-control"] == "no-cache"
    assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("path", ["/", "/developers", "/graphql", "/assets/app-1a2b3c.js"])
async def test_what_has_not_changed_is_not_sent_again(client: httpx.AsyncClient, path: str) -> None:
    first = await client.get(path)

    again = await client.get(path, headers={"If-None-Match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert policy(again) == policy(first)


async def test_graphiql_is_kept_apart_from_answers_at_the_same_address(client: httpx.AsyncClient) -> None:
    assert (await client.get("/graphql")).headers["vary"] == "Accept"


@pytest.mark.parametrize("path", ["/", "/developers", "/graphql", "/assets/app-1a2b3c.js"])
async def test_head_answers_what_get_would_without_the_content(client: httpx.AsyncClient, path: str) -> None:
    head, get = await client.head(path), await client.get(path)

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == get.headers["etag"]
    assert head.headers["content-length"] == get.headers["content-length"]


@pytest.mark.parametrize("path", ["/assets/app-0.js", "/assets/", "/assets/../index.html", "/assets/..%2findex.html"])
async def test_there_is_nothing_else_under_assets(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(httpx.URL(str(client.base_url), raw_path=path.encode()))

    assert response.status_code == 404
    assert "cache-control" not in response.headers


@pytest.mark.parametrize("path", ["/", "/developers", "/graphql"])
async def test_pages_that_were_not_built_say_how_to_build_them(tmp_path: Path, path: str) -> None:
    async with serving(Pages(tmp_path / "none")) as client:
        response = await client.get(path)

    assert response.status_code == 503
    assert "make setup" in response.text
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("file", OPERATIONS, ids=lambda file: file.stem)
def test_each_example_is_valid_and_named_like_its_tab(contract: GraphQLSchema, file: Path) -> None:
    document = parse(file.read_text())
    variables = json.loads(file.with_suffix(".json").read_text())

    assert validate(contract, document) == []
    (operation,) = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    assert operation.name is not None
    assert operation.name.value == file.stem
    given = get_variable_values(contract, operation.variable_definitions or (), variables)
    assert not isinstance(given, list), given


def test_the_query_on_the_page_for_developers_is_valid(contract: GraphQLSchema) -> None:
    (query,) = re.findall(r"'(\{\"query\": .*\})'", (ROOT / "web/developers.html").read_text())

    assert validate(contract, parse(json.loads(query)["query"])) == []
