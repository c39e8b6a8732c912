"""Mutations as clients send them."""

from typing import Any

import pytest

from resolvers.context import Context
from tests.schema.running import fail, run

SAVE = """
mutation Save($input: SyncWorkflowInput!) {
  syncWorkflow(input: $input) {
    status id version savedAt replayed lastSequence changes { path value remove order }
    conflicts { id } repairs { path } problems { path code message } workflow { id version name state }
  }
}
"""
BATCH = (
    "mutation Batch($inputs: [SyncWorkflowInput!]!) { syncWorkflows(inputs: $inputs) { id status problems { code } } }"
)


async def test_a_save_is_answered_in_full(owner: Context) -> None:
    sent = {"id": "w", "state": {"n": 1}, "name": "Plan", "clientId": "tab", "sequence": 1, "reason": "IMPORT"}
    answer = (await run(owner, SAVE, input=sent))["syncWorkflow"]
    assert answer.pop("savedAt")
    assert answer == {
        "status": "CREATED",
        "id": "w",
        "version": 1,
        "replayed": False,
        "lastSequence": 1,
        "changes": [],
        "conflicts": [],
        "repairs": [],
        "problems": [],
        "workflow": {"id": "w", "version": 1, "name": "Plan", "state": {"n": 1}},
    }


async def test_null_means_what_leaving_out_means(owner: Context) -> None:
    optional = dict.fromkeys(
        ["changes", "baseVersion", "name", "clientId", "sequence", "reason", "mode", "allowEmpty", "dryRun"]
    )
    answer = (await run(owner, SAVE, input={"id": "w", "state": {"n": 1}, **optional}))["syncWorkflow"]
    assert answer["status"] == "CREATED"
    version = '{ workflow(id: "w") { name atVersion(version: 1) { reason clientId } } }'
    assert await run(owner, version) == {
        "workflow": {"name": "Untitled", "atVersion": {"reason": "MANUAL", "clientId": None}}
    }


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"changes": None},
        {"state": {}, "changes": []},
        {"state": None, "changes": [{"path": ["n"], "value": 1}]},
    ],
)
async def test_a_save_is_one_of_a_state_and_changes(owner: Context, sent: dict[str, Any]) -> None:
    code, message = await fail(owner, SAVE, input={"id": "w", **sent})
    assert (code, message) == ("BAD_USER_INPUT", "Send exactly one of `state` and `changes`.")


@pytest.mark.parametrize(
    ("changes", "unknown"),
    [
        ([{"value": 1}], "path"),
        ([{"path": ["a"], "valeu": 1}], "valeu"),
        ([{"path": [1]}], "String"),
        ("x", "ChangeInput"),
    ],
)
async def test_what_is_no_change_is_refused(owner: Context, changes: object, unknown: str) -> None:
    code, message = await fail(owner, SAVE, input={"id": "w", "changes": changes})
    assert code == "BAD_USER_INPUT"
    assert unknown in message


async def test_null_is_a_document_that_is_refused(owner: Context) -> None:
    answer = (await run(owner, SAVE, input={"id": "w", "state": None}))["syncWorkflow"]
    assert answer["status"] == "REJECTED"
    assert answer["problems"][0]["code"] == "NOT_AN_OBJECT"


async def test_a_bad_item_of_a_batch_fails_alone(owner: Context) -> None:
    items: list[dict[str, Any]] = [
        {"id": "a", "state": {"n": 1}},
        {"id": "b"},
        {"id": "b", "state": {"n": 1}},
        {"id": "c", "changes": [{"path": ["n"], "value": 1}]},
        {"id": "d", "state": {"n": 1}, "sequence": 1},
        {"id": "e", "state": {"n": 1}},
    ]
    answers = (await run(owner, BATCH, inputs=items))["syncWorkflows"]
    assert [(answer["id"], answer["status"], [p["code"] for p in answer["problems"]]) for answer in answers] == [
        ("a", "CREATED", []),
        ("b", "REJECTED", ["BAD_USER_INPUT"]),
        ("b", "REJECTED", ["SKIPPED"]),
        ("c", "REJECTED", ["BAD_USER_INPUT"]),
        ("d", "REJECTED", ["BAD_USER_INPUT"]),
        ("e", "CREATED", []),
    ]


CHANGES: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "a value": ([{"path": ["n"], "value": {"deep": [1]}}], {"n": {"deep": [1]}}),
    "null, which is a value": ([{"path": ["n"], "value": None}], {"n": None}),
    "null deep in a value": ([{"path": ["n"], "value": {"x": None}}], {"n": {"x": None}}),
    "a value that is a removal in words": ([{"path": ["n"], "value": "remove", "remove": False}], {"n": "remove"}),
    "a removal": ([{"path": ["n"], "remove": True}], {}),
    "a removal that spells out the rest": ([{"path": ["n"], "value": None, "remove": True, "order": None}], {}),
    "an order": ([{"path": ["list"], "order": ["b", "a"]}], {"list": [{"id": "b"}, {"id": "a"}]}),
    "an order that spells out the rest": (
        [{"path": ["list"], "value": None, "remove": None, "order": ["b", "a"]}],
        {"list": [{"id": "b"}, {"id": "a"}]},
    ),
    "a new item": (
        [{"path": ["list", "c"], "value": {"id": "c"}}],
        {"list": [{"id": "a"}, {"id": "b"}, {"id": "c"}]},
    ),
    "one after the other": (
        [{"path": ["o"], "value": {}}, {"path": ["o", "p"], "value": 1}, {"path": ["n"], "remove": True}],
        {"o": {"p": 1}},
    ),
}


@pytest.mark.parametrize(("changes", "made"), CHANGES.values(), ids=CHANGES.keys())
async def test_changes_are_saved(owner: Context, changes: list[dict[str, Any]], made: dict[str, Any]) -> None:
    base = {"n": 0, "list": [{"id": "a"}, {"id": "b"}]}
    await run(owner, SAVE, input={"id": "w", "state": base})
    answer = (await run(owner, SAVE, input={"id": "w", "changes": changes, "baseVersion": 1}))["syncWorkflow"]
    assert (answer["status"], answer["version"], answer["changes"]) == ("SAVED", 2, [])
    removed = {"n"} if any(change.get("remove") for change in changes) else set()
    assert answer["workflow"]["state"] == {key: value for key, value in base.items() if key not in removed} | made


async def test_no_changes_change_nothing(owner: Context, workflow: str) -> None:
    answer = (await run(owner, SAVE, input={"id": workflow, "changes": [], "baseVersion": 1}))["syncWorkflow"]
    assert (answer["status"], answer["version"]) == ("UNCHANGED", 1)


async def test_changes_need_a_base(owner: Context, workflow: str) -> None:
    code, message = await fail(owner, SAVE, input={"id": workflow, "changes": []})
    assert code == "BAD_USER_INPUT"
    assert "baseVersion" in message


NO_CHANGES: dict[str, dict[str, Any]] = {
    "none of the three": {"path": ["n"]},
    "a removal that is none": {"path": ["n"], "remove": False, "order": None},
    "a value and a removal": {"path": ["n"], "value": 1, "remove": True},
    "a value and an order": {"path": ["n"], "value": 1, "order": []},
    "a removal and an order": {"path": ["n"], "remove": True, "order": ["a"]},
    "all three": {"path": ["n"], "value": 1, "remove": True, "order": ["a"]},
}


@pytest.mark.parametrize("change", NO_CHANGES.values(), ids=NO_CHANGES.keys())
async def test_a_change_is_one_of_a_value_a_removal_and_an_order(owner: Context, change: dict[str, Any]) -> None:
    sent = {"id": "w", "changes": [change], "baseVersion": 0}
    refusal = ("BAD_USER_INPUT", "A change is exactly one of `value`, `remove: true` and `order`.")
    assert await fail(owner, SAVE, input=sent) == refusal
    items: list[dict[str, Any]] = [{"id": "v", "state": {}}, sent, {"id": "w", "state": {}}, {"id": "u", "state": {}}]
    answers = (await run(owner, BATCH, inputs=items))["syncWorkflows"]
    assert [(answer["id"], answer["status"], [p["code"] for p in answer["problems"]]) for answer in answers] == [
        ("v", "CREATED", []),
        ("w", "REJECTED", ["BAD_USER_INPUT"]),
        ("w", "REJECTED", ["SKIPPED"]),
        ("u", "CREATED", []),
    ]


@pytest.mark.parametrize("path", [[], ["blocks", "a", "x", "deeper"], ["gone", "deeper"]], ids=str)
async def test_a_path_that_leads_nowhere_is_rejected(owner: Context, workflow: str, path: list[str]) -> None:
    sent = {"id": workflow, "changes": [{"path": path, "value": 1}], "baseVersion": 1}
    answer = (await run(owner, SAVE, input=sent))["syncWorkflow"]
    assert (answer["status"], answer["version"]) == ("REJECTED", 1)
    assert [(problem["path"], problem["code"]) for problem in answer["problems"]] == [(path, "PATH")]


CONFLICT = """
id path base baseAbsent theirs theirsAbsent yours yoursAbsent winner yoursBy theirsBy theirsAt theirsVersion
"""
MERGED = f"""
mutation Save($input: SyncWorkflowInput!) {{
  syncWorkflow(input: $input) {{
    status version conflicts {{ {CONFLICT} }} repairs {{ path reason removed }}
    workflow {{ savedAt conflicts {{ {CONFLICT} }} }}
  }}
}}
"""
RESOLVE = """
mutation Resolve($id: ID!, $take: Side!) {
  resolveConflict(id: $id, take: $take, clientId: "tab") {
    status version changes { path value remove } workflow { state conflicts { id } }
  }
}
"""


async def collided(owner: Context, editor: Context) -> dict[str, Any]:
    """Have the owner set `x` to null and the editor set it to 3, and give the editor's answer."""
    first = {"id": "w", "changes": [{"path": ["blocks", "a", "x"], "value": None}], "baseVersion": 1}
    saved = (await run(owner, MERGED, input=first))["syncWorkflow"]["workflow"]["savedAt"]
    second = {"id": "w", "changes": [{"path": ["blocks", "a", "x"], "value": 3}], "baseVersion": 1}
    answer: dict[str, Any] = (await run(editor, MERGED, input=second))["syncWorkflow"]
    assert answer["conflicts"][0]["theirsAt"] == saved
    return answer


async def test_a_conflict_tells_all_sides_and_is_open_until_it_is_resolved(
    owner: Context, editor: Context, workflow: str
) -> None:
    answer = await collided(owner, editor)
    (conflict,) = answer["conflicts"]
    assert answer["workflow"]["conflicts"] == [conflict]
    key, _ = conflict.pop("id"), conflict.pop("theirsAt")
    assert conflict == {
        "path": ["blocks", "a", "x"],
        "base": 1,
        "baseAbsent": False,
        "theirs": None,
        "theirsAbsent": False,
        "yours": 3,
        "yoursAbsent": False,
        "winner": "YOURS",
        "yoursBy": "editor",
        "theirsBy": "owner",
        "theirsVersion": 2,
    }
    assert (await run(owner, RESOLVE, id=key, take="THEIRS"))["resolveConflict"] == {
        "status": "SAVED",
        "version": 4,
        "changes": [{"path": ["blocks", "a", "x"], "value": None, "remove": False}],
        "workflow": {"state": {"blocks": {"a": {"x": None}}, "edges": []}, "conflicts": []},
    }
    assert (await fail(owner, RESOLVE, id=key, take="YOURS"))[0] == "NOT_FOUND"
    assert workflow == "w"


async def test_a_side_that_is_absent_is_no_null(owner: Context, editor: Context, workflow: str) -> None:
    for context, value in ((owner, None), (editor, 1)):
        sent = {"id": workflow, "changes": [{"path": ["n"], "value": value}], "baseVersion": 1}
        answer = (await run(context, MERGED, input=sent))["syncWorkflow"]
    (conflict,) = answer["conflicts"]
    assert (conflict["base"], conflict["baseAbsent"]) == (None, True)
    assert (conflict["theirs"], conflict["theirsAbsent"]) == (None, False)


async def test_a_repair_tells_what_it_took_out_and_why(owner: Context, workflow: str) -> None:
    edge = {"id": "e", "source": "b", "target": "a"}
    grown = [{"path": ["blocks", "b"], "value": {}}]
    await run(owner, SAVE, input={"id": workflow, "changes": grown, "baseVersion": 1})
    gone = [{"path": ["blocks", "b"], "remove": True}]
    await run(owner, SAVE, input={"id": workflow, "changes": gone, "baseVersion": 2})
    joined = [{"path": ["edges", "e"], "value": edge}, {"path": ["n"], "value": 1}]
    answer = (await run(owner, MERGED, input={"id": workflow, "changes": joined, "baseVersion": 2}))["syncWorkflow"]
    assert (answer["status"], answer["version"]) == ("MERGED", 4)
    assert answer["repairs"] == [{"path": ["edges", "e"], "reason": "END_MISSING", "removed": edge}]


async def test_a_whole_payload_is_a_conflict_without_a_path(owner: Context, editor: Context, workflow: str) -> None:
    await collided(owner, editor)
    sent = {"id": workflow, "state": {"n": 1}, "baseVersion": 1, "mode": "OVERWRITE", "allowEmpty": True}
    answer = (await run(owner, MERGED, input=sent))["syncWorkflow"]
    assert (answer["status"], answer["version"], answer["conflicts"]) == ("CONFLICT", 3, [])
    payload = answer["workflow"]["conflicts"][0]
    assert (payload["path"], payload["yours"], payload["theirsAbsent"]) == ([], {"n": 1}, True)
    assert payload["id"] is not None


async def test_a_version_can_be_taken_back(owner: Context, workflow: str) -> None:
    await run(owner, SAVE, input={"id": workflow, "changes": [{"path": ["n"], "value": 1}], "baseVersion": 1})
    text = 'mutation { undo(id: "w", version: 2, clientId: "tab") { status version changes { path remove } } }'
    assert await run(owner, text) == {
        "undo": {"status": "SAVED", "version": 3, "changes": [{"path": ["n"], "remove": True}]}
    }


@pytest.mark.parametrize(("argument", "label"), [('label: "Good"', "Good"), ("label: null", None), ("", None)])
async def test_a_version_can_be_named_and_unnamed(
    owner: Context, workflow: str, argument: str, label: str | None
) -> None:
    text = 'mutation Name($label: String) { labelVersion(id: "w", version: 1, label: $label) { version } }'
    await run(owner, text, label="first")
    named = f'mutation {{ labelVersion(id: "{workflow}", version: 1 {argument}) {{ version label state }} }}'
    state = {"blocks": {"a": {"x": 1}}, "edges": []}
    assert await run(owner, named) == {"labelVersion": {"version": 1, "label": label, "state": state}}


async def test_a_workflow_can_be_managed(owner: Context, workflow: str) -> None:
    fields = "{ id name role deletedAt members { userId role } }"

    async def do(mutation: str) -> dict[str, Any]:
        (answer,) = (await run(owner, f"mutation {{ {mutation} {fields} }}")).values()
        assert isinstance(answer, dict)
        return answer

    assert (await do('renameWorkflow(id: "w", name: "Other")'))["name"] == "Other"
    shared = await do('shareWorkflow(id: "w", userId: "friend", role: EDITOR)')
    assert {"userId": "friend", "role": "EDITOR"} in shared["members"]
    assert len((await do('unshareWorkflow(id: "w", userId: "friend")'))["members"]) == 2
    copy = await do('duplicateWorkflow(id: "w", newId: "copy", name: null)')
    assert (copy["id"], copy["name"], copy["role"]) == ("copy", "Other (copy)", "OWNER")
    assert (await do('deleteWorkflow(id: "w")'))["deletedAt"]
    assert (await do('undeleteWorkflow(id: "w")'))["deletedAt"] is None
    assert await run(owner, f'mutation {{ purgeWorkflow(id: "{workflow}") }}') == {"purgeWorkflow": "w"}


async def test_a_version_can_be_restored(owner: Context, workflow: str) -> None:
    await run(owner, SAVE, input={"id": workflow, "state": {"blocks": {"a": {"x": 2}}, "edges": []}})
    text = 'mutation { restoreVersion(id: "w", version: 1, clientId: "tab") { status version workflow { state } } }'
    assert await run(owner, text) == {
        "restoreVersion": {
            "status": "SAVED",
            "version": 3,
            "workflow": {"state": {"blocks": {"a": {"x": 1}}, "edges": []}},
        }
    }


@pytest.mark.parametrize(
    "mutation",
    [
        'renameWorkflow(id: "w", name: "x") { id }',
        'duplicateWorkflow(id: "w", newId: "x") { id }',
        'deleteWorkflow(id: "w") { id }',
        'undeleteWorkflow(id: "w") { id }',
        'purgeWorkflow(id: "w")',
        'shareWorkflow(id: "w", userId: "x", role: VIEWER) { id }',
        'unshareWorkflow(id: "w", userId: "x") { id }',
        'restoreVersion(id: "w", version: 1) { id }',
        'undo(id: "w", version: 1) { id }',
        'labelVersion(id: "w", version: 1, label: "x") { version }',
        'resolveConflict(id: "w", take: BASE) { id }',
    ],
)
async def test_a_stranger_and_nobody_are_told_so(
    nobody: Context, stranger: Context, workflow: str, mutation: str
) -> None:
    assert workflow == "w"
    assert (await fail(nobody, f"mutation {{ {mutation} }}"))[0] == "UNAUTHENTICATED"
    assert (await fail(stranger, f"mutation {{ {mutation} }}"))[0] == "NOT_FOUND"
