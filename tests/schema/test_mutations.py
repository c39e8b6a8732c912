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


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('mutation { undo(id: "w", version: 1) { status } }', "undo"),
        ('mutation { resolveConflict(id: "w", take: YOURS, clientId: "tab") { status } }', "resolveConflict"),
        ('mutation { labelVersion(id: "w", version: 1, label: "v1") { version } }', "labelVersion"),
        ('mutation { labelVersion(id: "w", version: 1, label: null) { version } }', "labelVersion"),
        ('mutation { syncWorkflow(input: {id: "w", changes: []}) { status } }', "changes"),
    ],
)
async def test_what_the_next_version_brings_says_so(owner: Context, workflow: str, text: str, field: str) -> None:
    assert workflow == "w"
    assert await fail(owner, text) == ("BAD_USER_INPUT", f"`{field}` is part of the contract but not available yet.")


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
    ],
)
async def test_a_stranger_and_nobody_are_told_so(
    nobody: Context, stranger: Context, workflow: str, mutation: str
) -> None:
    assert workflow == "w"
    assert (await fail(nobody, f"mutation {{ {mutation} }}"))[0] == "UNAUTHENTICATED"
    assert (await fail(stranger, f"mutation {{ {mutation} }}"))[0] == "NOT_FOUND"
