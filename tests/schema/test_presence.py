"""Who is there, as clients see it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from resolvers.context import Context
from tests.schema.running import fail, run
from tests.schema.test_subscriptions import refused, subscribed

THERE = "subscription ($id: ID!, $tab: ID) { presence(id: $id, clientId: $tab) { clientId userId name state at } }"
SAY = "mutation ($id: ID!, $tab: ID!, $state: JSON) { setPresence(id: $id, clientId: $tab, state: $state) }"


async def test_somebody_comes_and_says_something(owner: Context, viewer: Context, workflow: str) -> None:
    async with subscribed(viewer, THERE, id=workflow, tab="t") as results:
        (alone,) = (await results.data())["presence"]
        assert {name: alone[name] for name in ("clientId", "userId", "name")} == {
            "clientId": "t",
            "userId": "viewer",
            "name": "Viewer",
        }
        came = datetime.fromisoformat(alone["at"])
        assert datetime.now(UTC) - came < timedelta(minutes=1)
        assert state(alone) is None
        assert await run(viewer, SAY, id=workflow, tab="t", state={"x": [1, None]}) == {"setPresence": True}
        (said,) = (await results.data())["presence"]
        assert state(said) == {"x": [1, None]}
        assert datetime.fromisoformat(said["at"]) > came
        assert await run(owner, SAY, id=workflow, tab="t", state=1) == {"setPresence": False}


def state(person: dict[str, Any]) -> object:
    """Read a state, which goes into answers as it is."""
    return orjson.loads(orjson.dumps(person["state"]))


@pytest.mark.parametrize("given", ["", ", state: null"])
async def test_nothing_may_be_said(viewer: Context, workflow: str, given: str) -> None:
    text = f'mutation {{ setPresence(id: "w", clientId: "t"{given}) }}'
    async with subscribed(viewer, THERE, id=workflow, tab="t") as results:
        await results.data()
        await run(viewer, SAY, id=workflow, tab="t", state=1)
        assert await run(viewer, text) == {"setPresence": True}
        while state((await results.data())["presence"][0]) is not None:
            pass


async def test_a_state_may_stand_in_the_text(viewer: Context, workflow: str) -> None:
    text = 'mutation ($y: JSON) { setPresence(id: "w", clientId: "t", state: {at: {x: 1.5, y: $y}, on: [true]}) }'
    async with subscribed(viewer, THERE, id=workflow, tab="t") as results:
        await results.data()
        assert await run(viewer, text, y=2) == {"setPresence": True}
        assert state((await results.data())["presence"][0]) == {"at": {"x": 1.5, "y": 2}, "on": [True]}


async def test_people_may_be_asked_for_under_other_names_and_in_parts(viewer: Context, workflow: str) -> None:
    text = """
    subscription ($id: ID!, $names: Boolean!) {
      here: presence(id: $id, clientId: "t") { ...Who name @include(if: $names) }
    }
    fragment Who on Presence { __typename who: userId }
    """
    async with subscribed(viewer, text, id=workflow, names=False) as results:
        assert await results.data() == {"here": [{"__typename": "Presence", "who": "viewer"}]}


async def test_each_is_refused_for_their_own_reason(
    nobody: Context, stranger: Context, owner: Context, workflow: str
) -> None:
    for context, code in ((nobody, "UNAUTHENTICATED"), (stranger, "NOT_FOUND")):
        assert await refused(context, THERE, id=workflow, tab="t") == code
        refusal, _ = await fail(context, SAY, id=workflow, tab="t", state=1)
        assert refusal == code
    assert await refused(owner, THERE, id="missing") == "NOT_FOUND"
    assert await refused(owner, THERE, id=workflow, tab="") == "BAD_USER_INPUT"
    refusal, message = await fail(owner, SAY, id=workflow, tab="t", state="x" * 5_000)
    assert refusal == "BAD_USER_INPUT"
    assert message.startswith("`state` must have at most 4,096 bytes as JSON")


@pytest.mark.parametrize(
    "variables",
    [{"id": "w"}, {"id": "w", "tab": None}, {"id": "w", "tab": {}}, {"id": [], "tab": "t"}, {"tab": "t"}],
    ids=str,
)
async def test_values_of_other_types_are_refused(owner: Context, variables: dict[str, object]) -> None:
    assert (await fail(owner, SAY, **variables))[0] == "BAD_USER_INPUT"
