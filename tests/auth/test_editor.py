"""The live editor, in a real browser, with the session cookie of a real Better Auth server."""

from pathlib import Path

from tests.auth.application import PASSWORD, Application
from tests.browser.visits import Visits
from tests.server.live import Running

WORKFLOW = "query Read($id: ID!) { workflow(id: $id) { ownerId state } }"


async def test_what_was_typed_while_signed_out_is_saved_after_the_next_sign_in(
    app: Application, server: Running, chromium: str
) -> None:
    async with app.user() as user:
        first = user.cookie
        email = (await user.get("/get-session"))["user"]["email"]
        await user.post("/sign-in/email", email=email, password=PASSWORD)
        second = user.cookie

        async def sign_out() -> None:
            await app.execute('DELETE FROM "session" WHERE token = $1', first.partition("=")[2].partition(".")[0])

        visits = Visits(chromium, Path(__file__).parent)
        drawn = await visits.visit("editor.draw", server.url, {"sign out": sign_out}, cookies=[first, second])

        async with server.http(Cookie=second) as http:
            answer = await http.post("/graphql", json={"query": WORKFLOW, "variables": {"id": drawn.strip()}})
    workflow = answer.json()["data"]["workflow"]
    assert workflow["ownerId"] == user.id
    assert sorted(block["name"] for block in workflow["state"]["blocks"].values()) == ["After", "Before"]
