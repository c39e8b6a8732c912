"""What a caller did wrong is told, what we did wrong is logged once and masked."""

import pytest

from resolvers import workflows
from resolvers.context import Context
from schema import failures
from schema.build import schema
from schema.documents import InvalidDocumentError
from tests.schema.running import fail

LIST = "{ workflows { edges { cursor } } }"


async def test_an_unforeseen_error_is_logged_once_and_has_no_code(
    owner: Context, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def break_down(*_: object, **__: object) -> None:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr(workflows, "page", break_down)
    code, _ = await fail(owner, LIST)
    assert code is None
    (record,) = caplog.records
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], RuntimeError)


async def test_a_value_of_ours_that_does_not_fit_its_type_is_our_fault(
    owner: Context, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("schema.queries.Viewer", lambda **_: {"id": object()})
    code, _ = await fail(owner, "{ viewer { id } }")
    assert code is None
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("{ workflows(first: 0) { edges { cursor } } }", {}),
        ("query ($n: Int) { workflows(first: $n) { edges { cursor } } }", {"n": "many"}),
        ("query ($n: Int) { workflows(first: $n) { edges { cursor } } }", {"n": 2**31}),
        ("query ($n: Int!) { workflows(first: $n) { edges { cursor } } }", {}),
        ("mutation ($i: SyncWorkflowInput!) { syncWorkflow(input: $i) { id } }", {"i": {"id": "w", "stat": {}}}),
        ("mutation ($i: SyncWorkflowInput!) { syncWorkflow(input: $i) { id } }", {"i": {"id": "w", "mode": "FAST"}}),
        ("{ nothing }", {}),
        ("{", {}),
        ("{ a: viewer { id } }" + " #" * 100_000, {}),
    ],
)
async def test_what_a_caller_did_wrong_is_told_and_not_logged(
    owner: Context, text: str, variables: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    try:
        found = (await schema.run(text, variables, owner)).errors
    except InvalidDocumentError as refusal:
        found = list(refusal.reasons)
    assert found
    assert {failures.code(error) for error in found} == {"BAD_USER_INPUT"}
    assert caplog.records == []
