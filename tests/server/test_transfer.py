"""Import and export: documents come back as they went, whether a server runs or not."""

import json
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner

from db.database import Database
from db.hub import Hub
from resolvers.context import Context, Limits, UserId, Viewer
from resolvers.saver import Saver
from server import transfer
from server.cli import main
from server.postgres import Postgres
from server.transfer import Outcome
from tests.facts import until
from tests.server import processes

DOCUMENT = {"blocks": {"a": {"id": "a", "x": 1.5, "name": "Grüße"}}, "edges": [], "__proto__": 2**60, "": None}
SIM = {"version": "1.0", "exportedAt": "2026-03-09T21:40:19Z", "state": DOCUMENT}


@pytest.fixture
async def hub(database: Database) -> AsyncIterator[Hub]:
    async with Hub.open(database) as hub:
        yield hub


@pytest.fixture
async def ann(database: Database, hub: Hub) -> AsyncIterator[Context]:
    """What is imported in the name of Ann."""
    async with Saver.open(database, cache_bytes=0, snapshot_every=0) as saver:
        yield Context(database, hub, saver, Limits(), Viewer(UserId("ann")))


def write(file: Path, document: object) -> Path:
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    return file


async def export(context: Context, workflow_id: str, out: Path) -> object:
    """Export a document and read the file."""
    outcome = await transfer.export_file(context.database, workflow_id, out)
    assert outcome == Outcome(workflow_id, str(out / f"{workflow_id}.json"), done=True)
    return json.loads((out / f"{workflow_id}.json").read_bytes())


async def test_a_document_comes_back_as_it_went(ann: Context, tmp_path: Path) -> None:
    outcome = await transfer.import_file(ann, write(tmp_path / "flow one.json", DOCUMENT))
    assert outcome == Outcome("flow one", "CREATED, version 1.", done=True)
    assert await export(ann, "flow one", tmp_path / "made" / "here") == DOCUMENT


async def test_importing_again_saves_only_what_changed(ann: Context, tmp_path: Path) -> None:
    file = write(tmp_path / "flow.json", DOCUMENT)
    await transfer.import_file(ann, file)
    assert await transfer.import_file(ann, file) == Outcome("flow", "UNCHANGED, version 1.", done=True)
    write(file, DOCUMENT | {"more": True})
    assert await transfer.import_file(ann, file) == Outcome("flow", "SAVED, version 2.", done=True)


async def test_what_is_exported_is_what_was_saved_last(ann: Context, tmp_path: Path) -> None:
    for number in range(3):
        await transfer.import_file(ann, write(tmp_path / "flow.json", DOCUMENT | {"number": number}))
    assert await export(ann, "flow", tmp_path / "out") == DOCUMENT | {"number": 2}


async def test_of_an_export_of_sim_the_document_is_taken(ann: Context, tmp_path: Path) -> None:
    await transfer.import_file(ann, write(tmp_path / "sim.json", SIM))
    assert await export(ann, "sim", tmp_path / "out") == DOCUMENT


async def test_a_document_that_merely_has_a_state_is_taken_whole(ann: Context, tmp_path: Path) -> None:
    document = {"state": {"running": True}, "blocks": {}}
    await transfer.import_file(ann, write(tmp_path / "other.json", document))
    assert await export(ann, "other", tmp_path / "out") == document


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"blocks": ', "Malformed JSON: "),
        ([], "REJECTED, version 0. "),
        ({"a": "\0"}, "REJECTED, version 0. "),
        ("[" * 100_000, "Malformed JSON: "),
    ],
)
async def test_what_is_no_document_is_not_imported(ann: Context, tmp_path: Path, content: object, told: str) -> None:
    outcome = await transfer.import_file(ann, write(tmp_path / "flow.json", content))
    assert not outcome.done
    assert outcome.text.startswith(told)
    assert not (await transfer.export_file(ann.database, "flow", tmp_path)).done


async def test_a_document_that_lost_all_its_blocks_is_not_imported(ann: Context, tmp_path: Path) -> None:
    file = write(tmp_path / "flow.json", DOCUMENT)
    await transfer.import_file(ann, file)
    write(file, DOCUMENT | {"blocks": {}})
    assert "would remove every block" in (await transfer.import_file(ann, file)).text
    assert await export(ann, "flow", tmp_path / "out") == DOCUMENT


async def test_somebody_else_s_workflow_is_not_overwritten(ann: Context, tmp_path: Path) -> None:
    await transfer.import_file(ann, write(tmp_path / "flow.json", DOCUMENT))
    bob = replace(ann, viewer=Viewer(UserId("bob")))
    outcome = await transfer.import_file(bob, write(tmp_path / "flow.json", {"blocks": {"bob": {}}}))
    assert not outcome.done
    assert "This id is taken" in outcome.text
    assert await export(ann, "flow", tmp_path / "out") == DOCUMENT


@pytest.mark.parametrize("workflow_id", ["nowhere", "", "nul\0", "half\ud800", "x" * 1000])
async def test_a_workflow_that_does_not_exist_is_not_exported(ann: Context, tmp_path: Path, workflow_id: str) -> None:
    outcome = await transfer.export_file(ann.database, workflow_id, tmp_path)
    assert outcome == Outcome(workflow_id, "There is no such workflow.", done=False)


async def test_a_folder_that_cannot_be_written_is_named(ann: Context, tmp_path: Path) -> None:
    file = write(tmp_path / "flow.json", DOCUMENT)
    await transfer.import_file(ann, file)
    outcome = await transfer.export_file(ann.database, "flow", file)
    assert outcome == Outcome("flow", f"{file}/flow.json cannot be written: File exists.", done=False)


async def test_what_fails_is_told_apart_from_what_is_done(migrated_url: str, tmp_path: Path) -> None:
    good, bad = write(tmp_path / f"{uuid4()}.json", DOCUMENT), write(tmp_path / "bad.json", "{")
    loaded = await processes.run("import", good, bad, "--owner=ann", DATABASE_URL=migrated_url)
    assert (loaded.code, loaded.stdout) == (1, f"{good.stem}: CREATED, version 1.\n")
    assert f"{bad}: Malformed JSON" in loaded.stderr
    exported = await processes.run("export", good.stem, "bad", "--out", tmp_path / "out", DATABASE_URL=migrated_url)
    assert (exported.code, exported.stdout) == (1, f"{good.stem}: {tmp_path}/out/{good.name}\n")
    assert "bad: There is no such workflow.\n" in exported.stderr


def test_files_that_would_be_one_workflow_are_refused(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    files = write(tmp_path / "flow.json", DOCUMENT), write(tmp_path / "again" / "flow.json", {})
    refused = CliRunner().invoke(main, ["import", *map(str, files), "--owner", "ann"])
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "Two files would be the workflow flow." in refused.stderr


def test_an_owner_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    refused = CliRunner().invoke(main, ["import", str(write(tmp_path / "flow.json", DOCUMENT)), "--owner", ""])
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "`owner` must have 1 to 255 characters." in refused.stderr


async def test_both_work_while_no_server_runs_and_leave_no_postgres_behind(data: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "flow.json", DOCUMENT)
    assert (await processes.run("import", file, "--owner=ann", "--data", data)).code == 0
    assert Postgres(data).process() is None
    assert (await processes.run("export", "flow", "--out", tmp_path / "out", "--data", data)).code == 0
    assert Postgres(data).process() is None
    assert json.loads((tmp_path / "out" / "flow.json").read_bytes()) == DOCUMENT


async def test_an_interrupted_export_leaves_no_postgres_behind(data: Path, tmp_path: Path) -> None:
    (data / "postgres" / "postgresql.auto.conf").write_text("hot_standby = off\n")
    (data / "postgres" / "standby.signal").touch()  # so it recovers until somebody ends that
    exporting = await processes.start("export", "flow", "--out", tmp_path, "--data", data)
    await until(lambda: Postgres(data).process() is not None)
    processes.send(exporting, signal.SIGINT)
    assert (await processes.end(exporting)).code == 1
    assert Postgres(data).process() is None


async def test_an_import_makes_the_embedded_database_where_there_is_none(empty: Path, tmp_path: Path) -> None:
    loaded = await processes.run(
        "import", write(tmp_path / "flow.json", DOCUMENT), "--owner=ann", "--data", empty / "made"
    )
    assert (loaded.code, loaded.stdout) == (0, "flow: CREATED, version 1.\n")


async def test_both_work_while_a_server_runs_whose_clients_hear_of_it(data: Path, tmp_path: Path) -> None:
    async with processes.serving(data) as server, server.socket("ann") as socket:
        await socket.subscribe("heard", "subscription { workflowsChanged { id kind } }")
        await socket.send({"type": "ping"})  # what came before it has been taken in
        assert await socket.receive() == {"type": "pong"}
        loaded = await processes.run("import", write(tmp_path / "flow.json", DOCUMENT), "--owner=ann", "--data", data)
        assert loaded.code == 0
        assert (await socket.next("heard"))["data"]["workflowsChanged"] == {"id": "flow", "kind": "CREATED"}
        assert (await processes.run("export", "flow", "--out", tmp_path / "out", "--data", data)).code == 0
        await socket.subscribe("asked", '{ workflow(id: "flow") { ownerId } }')
        assert (await socket.next("asked"))["data"] == {"workflow": {"ownerId": "ann"}}
        await server.stop()
    assert json.loads((tmp_path / "out" / "flow.json").read_bytes()) == DOCUMENT


@pytest.mark.parametrize("workflow_id", ["flow", "a.b_c-1", "two words", "Übersicht", "0"])
def test_a_file_is_named_after_its_workflow_so_that_import_finds_it_again(workflow_id: str) -> None:
    assert transfer.file_name(workflow_id) == workflow_id


@pytest.mark.parametrize(
    "workflow_id",
    ["../up", "/etc/passwd", "a/b", ".hidden", "..", "-rf", "a\\b", "a:b", "line\nbreak", "x" * 128, "*", "ü" * 100],
)
def test_a_file_stays_in_its_folder_and_has_a_harmless_name(tmp_path: Path, workflow_id: str) -> None:
    name = transfer.file_name(workflow_id)
    (tmp_path / name).touch()
    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert name[0] not in ".-"
    assert name.isascii()


def test_workflows_with_harmful_names_get_different_files() -> None:
    ids = ["a/b", "a:b", "a\\b", "a*b", "/a/b/", "a//b"]
    assert len({transfer.file_name(workflow_id) for workflow_id in ids}) == len(ids)
