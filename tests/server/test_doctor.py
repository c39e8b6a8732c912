"""What `doctor` finds, and what it advises."""

import socket
from pathlib import Path

import pytest
from pydantic import SecretStr

from db.database import Database
from server import databases, doctor, pages, postgres
from server.postgres import Postgres
from server.settings import Settings
from tests.db import stories
from tests.server import processes


@pytest.fixture(autouse=True)
def built(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages are built, whether or not they are on this machine."""
    built = tmp_path_factory.mktemp("pages")
    for page in ("index.html", "developers.html", "graphql.html"):
        (built / page).touch()
    monkeypatch.setattr(pages, "BUILT", built)


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> Settings:
    """Settings with which nothing is wrong."""
    return Settings(database_url=SecretStr(database.url), data=tmp_path / "data", port=0)


async def wrong(settings: Settings) -> dict[str, str]:
    """Give what is wrong, by its subject."""
    return {finding.subject: finding.text for finding in await doctor.examine(settings) if finding.wrong}


def but(settings: Settings, **changes: object) -> Settings:
    return settings.model_copy(update=changes)


async def test_nothing_is_wrong_with_a_named_database_that_is_up_to_date(settings: Settings) -> None:
    findings = await doctor.examine(settings)
    assert [finding.subject for finding in findings] == [
        "settings",
        "pages",
        "data folder",
        "port",
        "database",
        "connections",
        "migrations",
        "snapshots",
    ]
    assert not any(finding.wrong for finding in findings)
    assert not (settings.data).exists()


async def test_before_the_first_start_nothing_is_wrong_and_nothing_is_made(settings: Settings) -> None:
    assert await wrong(but(settings, database_url=None)) == {}
    assert not settings.data.exists()


async def test_the_embedded_database_is_looked_at_and_left_as_it_was(data: Path, settings: Settings) -> None:
    assert await wrong(but(settings, database_url=None, data=data)) == {}
    assert Postgres(data).process() is None


async def test_nothing_is_wrong_while_a_server_runs(data: Path, settings: Settings) -> None:
    async with processes.serving(data) as server:
        running = but(settings, database_url=None, data=data, port=int(server.url.rpartition(":")[2]))
        assert await wrong(running) == {}
        told = {finding.subject: finding.text for finding in await doctor.examine(running)}
        assert told["data folder"] == f"`serve` uses {data} (process {server.process.pid})."
        assert told["port"] == f"A server answers on port {running.port} of 127.0.0.1."
        assert (await server.stop()).code == 0


async def test_a_port_that_another_program_uses_is_wrong(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "HEALTH_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as occupant:
        port = occupant.getsockname()[1]
        assert await wrong(but(settings, port=port)) == {
            "port": f"Cannot listen on 127.0.0.1, port {port}: another program uses this port; "
            "stop it, or choose another port with --port."
        }


async def test_a_server_that_nobody_can_sign_in_to_is_wrong(settings: Settings) -> None:
    assert (await wrong(but(settings, host="0.0.0.0")))["settings"] == (
        "Nobody can sign in: development tokens do not count where the server listens on 0.0.0.0 (HOST). "
        "Set BETTER_AUTH_SECRET, JWT_JWKS_URL or JWT_SECRET."
    )


async def test_pages_that_are_not_built_are_wrong(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "BUILT", Path("nowhere"))
    assert await wrong(settings) == {"pages": "The pages are not built: run `make setup`. The API works without them."}


async def test_a_data_folder_that_is_none_is_wrong(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert await wrong(but(settings, data=tmp_path / "file")) == {
        "data folder": f"{tmp_path}/file is no folder that can be written: name another one with --data (DATA)."
    }


async def test_a_database_that_does_not_answer_is_wrong(settings: Settings) -> None:
    found = await wrong(but(settings, database_url=SecretStr("postgresql://ann:hush@127.0.0.1:1/db")))
    assert list(found) == ["database"]
    assert found["database"].startswith("The database cannot be reached: ")
    assert "correct DATABASE_URL" in found["database"]
    assert "hush" not in found["database"]


async def test_a_database_that_lacks_migrations_is_wrong(settings: Settings, new_url: str) -> None:
    found = await wrong(but(settings, database_url=SecretStr(new_url)))
    assert list(found) == ["migrations"]
    assert "run `workflow-sync migrate`" in found["migrations"]


async def test_an_embedded_database_that_lacks_migrations_is_not_wrong(empty: Path, settings: Settings) -> None:
    async with postgres.embedded(empty):
        findings = await doctor.examine(but(settings, database_url=None, data=empty))
    told = {finding.subject: finding.text for finding in findings if not finding.wrong}
    assert told["migrations"] == "The embedded database lacks some; `serve` brings it up to date by itself."


async def test_an_embedded_database_that_does_not_start_is_wrong(data: Path, settings: Settings) -> None:
    (data / "postgres" / "PG_VERSION").write_text("12\n")
    found = await wrong(but(settings, database_url=None, data=data))
    assert found == {"database": f"The embedded database in {data} is one of Postgres 12, which is not installed."}


async def test_too_many_connections_are_wrong(settings: Settings) -> None:
    found = await wrong(but(settings, workers=64, database_pool_size=200))
    assert list(found) == ["connections"]
    assert "lower one of the two, or raise max_connections in Postgres" in found["connections"]


async def test_a_postgres_that_is_too_old_is_wrong(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "OLDEST_VERSION", 99)
    found = await wrong(settings)
    assert list(found) == ["database"]
    assert found["database"].endswith("upgrade it to 99 or newer, or have DATABASE_URL name another one.")


async def snapshots(settings: Settings) -> doctor.Finding:
    """Give what is found out about snapshots."""
    return next(finding for finding in await doctor.examine(settings) if finding.subject == "snapshots")


async def leave_behind(database: Database, workflow_id: str, *, versions: int, seconds: float) -> None:
    """Have a snapshot lag by so many versions, the last of which was saved so long ago."""
    await stories.create(database, workflow_id)
    async with database.connection() as connection:
        await connection.execute(
            "UPDATE workflows SET version = version + $2, saved_at = now() - make_interval(secs => $3) WHERE id = $1",
            workflow_id,
            versions,
            seconds,
        )


async def test_snapshots_that_are_up_to_date_are_right(settings: Settings, database: Database) -> None:
    await stories.create(database)
    assert await snapshots(settings) == doctor.Finding("snapshots", "All snapshots are up to date.")


async def test_a_snapshot_that_lags_for_a_moment_is_as_it_should_be(settings: Settings, database: Database) -> None:
    await leave_behind(database, "w", versions=1, seconds=0)
    assert await snapshots(settings) == doctor.Finding(
        "snapshots",
        "1 snapshot lags by a version, for 0 s; that is as it should be (SNAPSHOT_EVERY=0): "
        "`workflow-sync fold` brings it up.",
    )


async def test_it_is_told_how_far_snapshots_lag(settings: Settings, database: Database) -> None:
    await leave_behind(database, "one", versions=2, seconds=0)
    await leave_behind(database, "other", versions=15, seconds=180)
    assert await snapshots(but(settings, snapshot_every=20)) == doctor.Finding(
        "snapshots",
        "2 snapshots lag by 17 versions, the oldest for 3 minutes; that is as it should be (SNAPSHOT_EVERY=20): "
        "`workflow-sync fold` brings them up.",
    )


async def test_snapshots_that_lag_for_so_long_that_no_server_folds_them_are_wrong(
    settings: Settings, database: Database
) -> None:
    await leave_behind(database, "one", versions=2, seconds=3 * 3_600)
    await leave_behind(database, "other", versions=1, seconds=0)
    assert await wrong(settings) == {
        "snapshots": "2 snapshots lag by 3 versions, the oldest for 3 hours: no server brings that up. "
        "Start one, or run `workflow-sync fold`; nothing is lost, but whoever reads with SQL sees old documents."
    }


async def test_the_command_prints_each_finding_and_ends_with_1_where_one_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = await processes.run("doctor", "--data", tmp_path / "file", PORT="0")
    assert (found.code, found.stderr) == (1, "")
    assert "ok     settings: Development tokens sign people in, on this machine alone.\n" in found.stdout
    assert f"wrong  data folder: {tmp_path}/file is no folder" in found.stdout


async def test_settings_that_are_not_valid_are_a_finding_too() -> None:
    found = await processes.run("doctor", PORT="99999")
    assert (found.code, found.stderr) == (1, "")
    assert found.stdout == "wrong  settings: PORT is not valid: input should be less than or equal to 65535.\n"
