"""The pages that people see in a browser, as the web room built them: the editor, the one for developers, GraphiQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

BUILT = Path(__file__).with_name("pages")
REVALIDATE = "no-cache"  # a browser may keep a page, but asks each time whether it still holds
FOREVER = "public, max-age=31536000, immutable"  # the name of an asset changes with its content

SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
NOTHING = {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'", "frame-ancestors": "'none'"}
PAGE = NOTHING | {
    "script-src": "'self'",
    "connect-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "'none'",
}
GRAPHIQL = NOTHING | {
    "script-src": "'self'",
    "worker-src": "'self'",
    "connect-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",  # its editor places each line of text by a style of its own
    "font-src": "'self' data:",
    "img-src": "'self' data:",
}

NOT_BUILT = """<!doctype html>
<html lang="en">
<title>Workflow Sync</title>
<h1>The pages are not built</h1>
<p>Run <code>make setup</code>, then load this page again. The API works without them.</p>
</html>
"""

Policy = Mapping[str, str]  # directives of a Content-Security-Policy


@dataclass(frozen=True, slots=True)
class Pages:
    """The built pages in `folder`; where they were not built, each says so."""

    folder: Path

    async def editor(self, request: Request) -> Response:
        """Show the live editor."""
        return await self._page(request, "index.html", PAGE)

    async def developers(self, request: Request) -> Response:
        """Show what runs here, and how to call it."""
        return await self._page(request, "developers.html", PAGE)

    async def graphiql(self, request: Request) -> Response:
        """Show GraphiQL, under the address that programs use for GraphQL itself."""
        response = await self._page(request, "graphql.html", GRAPHIQL)
        response.headers["Vary"] = "Accept"
        return response

    async def asset(self, request: Request) -> Response:
        """Give a script, style, font or picture. Its policy binds the workers among them."""
        return await self._file(request, f"assets/{request.path_params['name']}", NOTHING, FOREVER)

    def routes(self) -> list[Route]:
        """Where the pages are, except for GraphiQL, which shares its address."""
        return [
            Route("/", self.editor),
            Route("/developers", self.developers),
            Route("/assets/{name}", self.asset),
        ]

    async def _page(self, request: Request, name: str, policy: Policy) -> Response:
        try:
            return await self._file(request, name, policy, REVALIDATE)
        except HTTPException:
            return HTMLResponse(NOT_BUILT, HTTPStatus.SERVICE_UNAVAILABLE, _headers(NOTHING, "no-store"))

    async def _file(self, request: Request, name: str, policy: Policy, cache: str) -> Response:
        response = await StaticFiles(directory=self.folder, check_dir=False).get_response(name, request.scope)
        response.headers.update(_headers(policy, cache))
        return response


def _headers(policy: Policy, cache: str) -> dict[str, str]:
    directives = "; ".join(f"{name} {value}" for name, value in policy.items())
    return SAFE | {"Content-Security-Policy": directives, "Cache-Control": cache}


PAGES = Pages(BUILT)
ROUTES = PAGES.routes()
graphiql = PAGES.graphiql
