"""Workflows as clients see them."""

from typing import Any

from resolvers import sync, workflows
from resolvers.context import Context
from resolvers.saves import Reason, Save
from resolvers.submissions import Ground
from tests.schema.running import fail, run

EVERYTHING = """
query Everything($id: ID!) {
  workflow(id: $id) {
    id name version state role ownerId savedBy savedAt createdAt deletedAt
    versions { edges { cursor node { version state savedBy savedAt clientId reason label changes { path } } } }
    members { userId role }
    conflicts { id }
  }
}
"""
PAGE = """
query Page($first: Int, $after: String) {
  workflows(first: $first, after: $after) {
    edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""
VERSIONS = """
query Versions($after: String) {
  workflow(id: "w") {
    versions(first: 2, after: $after) {
      edges { cursor node { version } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
}
"""


async def save(context: Context, *documents: dict[str, Any]) -> None:
    for document in documents:
        await sync.sync(context, Save("w", document, client_id="tab", reason=Reason.PERIODIC), ground=Ground.HEAD)


async def test_a_workflow_shows_everything_that_its_viewer_may_know(
    viewer: Context, editor: Context, workflow: str
) -> None:
    await save(editor, {"blocks": {"a": {"x": 2}}, "edges": []})
    head = await workflows.visible(viewer, workflow)
    shown = (await run(viewer, EVERYTHING, id=workflow))["workflow"]
    versions = [edge["node"] for edge in shown.pop("versions")["edges"]]
    assert shown == {
        "id": "w",
        "name": "Plan",
        "version": 2,
        "state": {"blocks": {"a": {"x": 2}}, "edges": []},
        "role": "VIEWER",
        "ownerId": "owner",
        "savedBy": "editor",
        "savedAt": head.saved_at.isoformat(),
        "createdAt": head.created_at.isoformat(),
        "deletedAt": None,
        "members": [{"userId": "editor", "role": "EDITOR"}, {"userId": "viewer", "role": "VIEWER"}],
        "conflicts": [],
    }
    assert versions[0] == {
        "version": 2,
        "state": {"blocks": {"a": {"x": 2}}, "edges": []},
        "savedBy": "editor",
        "savedAt": head.saved_at.isoformat(),
        "clientId": "tab",
        "reason": "PERIODIC",
        "label": None,
        "changes": [{"path": ["blocks", "a", "x"]}],
    }
    assert [(version["version"], version["state"]["blocks"], version["clientId"]) for version in versions] == [
        (2, {"a": {"x": 2}}, "tab"),
        (1, {"a": {"x": 1}}, None),
    ]


async def test_what_one_may_not_see_is_null(stranger: Context, workflow: str) -> None:
    for workflow_id in (workflow, "missing", "\0"):
        assert await run(stranger, EVERYTHING, id=workflow_id) == {"workflow": None}


async def test_nobody_sees_anything(nobody: Context, workflow: str) -> None:
    for text in (
        "{ viewer { id } }",
        f'{{ workflow(id: "{workflow}") {{ id }} }}',
        "{ workflows { edges { cursor } } }",
    ):
        code, _ = await fail(nobody, text)
        assert code == "UNAUTHENTICATED"


async def test_the_viewer_is_who_is_calling(owner: Context) -> None:
    assert await run(owner, "{ viewer { id name } }") == {"viewer": {"id": "owner", "name": "Owner"}}


async def test_workflows_are_read_page_by_page(owner: Context) -> None:
    for n in range(5):
        await sync.sync(owner, Save(f"w{n}", {"n": 1}))
    read: list[str] = []
    after: str | None = None
    for has_next in (True, True, False):
        page = (await run(owner, PAGE, first=2, after=after))["workflows"]
        assert page["pageInfo"] == {
            "hasNextPage": has_next,
            "hasPreviousPage": after is not None,
            "startCursor": page["edges"][0]["cursor"],
            "endCursor": page["edges"][-1]["cursor"],
        }
        read += [edge["node"]["id"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
    assert read == ["w4", "w3", "w2", "w1", "w0"]


async def test_versions_are_read_page_by_page(owner: Context, workflow: str) -> None:
    await save(owner, *({"blocks": {"a": {"x": n}}, "edges": []} for n in range(2, 6)))
    read: list[int] = []
    after: str | None = None
    for has_next in (True, True, False):
        page = (await run(owner, VERSIONS, after=after))["workflow"]["versions"]
        assert page["pageInfo"]["hasNextPage"] is has_next
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        read += [edge["node"]["version"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
    assert read == [5, 4, 3, 2, 1]
    assert workflow == "w"


async def test_null_means_what_leaving_out_means(owner: Context, workflow: str) -> None:
    nulls = "first: null, after: null, search: null, containing: null, deleted: null"
    listed = await run(owner, f"{{ workflows({nulls}) {{ edges {{ node {{ id }} }} }} }}")
    assert listed == {"workflows": {"edges": [{"node": {"id": workflow}}]}}
    shown = await run(owner, '{ workflow(id: "w") { versions(first: null, after: null) { edges { cursor } } } }')
    assert len(shown["workflow"]["versions"]["edges"]) == 1


async def test_wrong_pages_are_refused(owner: Context, workflow: str) -> None:
    assert workflow == "w"
    for text in (
        "{ workflows(first: 0) { edges { cursor } } }",
        "{ workflows(first: 101) { edges { cursor } } }",
        '{ workflows(after: "x") { edges { cursor } } }',
        "{ workflows(containing: []) { edges { cursor } } }",
        '{ workflow(id: "w") { versions(first: -1) { edges { cursor } } } }',
        '{ workflow(id: "w") { versions(after: "x") { edges { cursor } } } }',
    ):
        code, _ = await fail(owner, text)
        assert code == "BAD_USER_INPUT"


async def test_a_version_can_be_looked_at(owner: Context, workflow: str) -> None:
    await save(owner, {"blocks": {"a": {"x": 2}}, "edges": []})
    text = "query At($id: ID!, $n: Int!) { workflow(id: $id) { atVersion(version: $n) { version state } } }"
    assert (await run(owner, text, id=workflow, n=1))["workflow"]["atVersion"] == {
        "version": 1,
        "state": {"blocks": {"a": {"x": 1}}, "edges": []},
    }
    for number in (0, -1, 3, 2**31 - 1):
        assert (await run(owner, text, id=workflow, n=number))["workflow"]["atVersion"] is None


async def test_changes_say_what_became_of_each_path(owner: Context, workflow: str) -> None:
    nodes = [{"id": key} for key in "abc"]
    await save(owner, {"blocks": {"a": {"x": None}, "b": {}}, "nodes": nodes})
    await save(owner, {"blocks": {"a": {"x": None}}, "nodes": nodes[::-1], "flag": False})
    text = """
    query Diff($from: Int!, $to: Int) {
      workflow(id: "w") { diff(from: $from, to: $to) { path value remove order } }
    }
    """
    first = (await run(owner, text, **{"from": 1, "to": 2}))["workflow"]["diff"]
    assert {"path": ["blocks", "a", "x"], "value": None, "remove": False, "order": None} in first
    assert {"path": ["edges"], "value": None, "remove": True, "order": None} in first
    second = (await run(owner, text, **{"from": 2}))["workflow"]["diff"]
    assert {"path": ["blocks", "b"], "value": None, "remove": True, "order": None} in second
    assert {"path": ["nodes"], "value": None, "remove": False, "order": ["c", "b", "a"]} in second
    assert {"path": ["flag"], "value": False, "remove": False, "order": None} in second
    assert workflow == "w"


async def test_the_version_that_set_a_value_can_be_found(owner: Context, workflow: str) -> None:
    await save(owner, {"blocks": {"a": {"x": 2}}, "edges": []}, {"blocks": {"a": {"x": 2}}, "edges": [], "n": 1})
    text = 'query Blame($path: [String!]!) { workflow(id: "w") { blame(path: $path) { version } } }'
    assert (await run(owner, text, path=["blocks", "a"]))["workflow"]["blame"] == {"version": 2}
    assert (await run(owner, text, path=["m"]))["workflow"]["blame"] is None
    assert (await fail(owner, text, path=[]))[0] == "BAD_USER_INPUT"
    assert workflow == "w"


async def test_a_version_tells_how_much_it_changed(owner: Context, workflow: str) -> None:
    grown = {"blocks": {"a": {"x": 1, "text": "\N{FOX FACE}" * 1_000}}, "edges": []}
    await save(owner, grown, {"blocks": {"a": {"x": 2}}, "edges": []}, {"blocks": {"a": {"x": 3}}, "edges": []})
    text = "query Sizes($id: ID!) { workflow(id: $id) { versions { edges { node { size } } } } }"
    edges = (await run(owner, text, id=workflow))["workflow"]["versions"]["edges"]
    last, removal, addition, _ = [edge["node"]["size"] for edge in edges]
    assert last == len('[{"path":["blocks","a","x"],"value":3,"before":2}]')
    assert 4_000 < addition < 4_100  # in bytes, four for each
    assert 4_000 < removal < 4_200  # with what was removed
