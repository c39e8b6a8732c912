"""The command line: how its commands are typed, and what they say where they cannot do what is asked."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from graphql import build_schema

from auth.development import DevelopmentTokens
from db import migrate
from server.cli import main
from server.settings import Settings
from tests.server import processes

COMMANDS = ("doctor", "export", "fold", "import", "migrate", "schema", "serve", "token")


def typed(*arguments: str | Path, **settings: str) -> Result:
    """Run a command in this process, without other settings than these."""
    ours: dict[str, str | None] = {name.upper(): None for name in Settings.model_fields}
    return CliRunner().invoke(main, list(map(str, arguments)), env=ours | settings)


def test_help_says_what_each_command_is_for() -> None:
    overview = typed("--help")
    assert overview.exit_code == 0
    for command in COMMANDS:
        line = next(line for line in overview.stdout.splitlines() if line.startswith(f"  {command} "))
        assert line.endswith(".")
        assert not line.endswith("...")  # so click ends what it cut short


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_says_how_it_is_typed(command: str) -> None:
    told = typed(command, "--help")
    assert told.exit_code == 0
    assert told.stdout.startswith(f"Usage: main {command} ")
    assert "Show this message and exit." in told.stdout


def test_the_schema_is_printed() -> None:
    printed = typed("schema")
    assert (printed.exit_code, printed.stderr) == (0, "")
    mutation = build_schema(printed.stdout).mutation_type
    assert mutation is not None
    assert "syncWorkflow" in mutation.fields


async def test_a_token_signs_one_in_as_whoever_is_named(tmp_path: Path) -> None:
    printed = await processes.run("token", "ann", "--data", tmp_path)
    assert (printed.code, printed.stderr) == (0, "")
    assert (await DevelopmentTokens.load(tmp_path).viewer(printed.stdout.strip())).id == "ann"


def test_a_token_that_will_not_count_comes_with_a_warning(tmp_path: Path) -> None:
    printed = typed("token", "ann", "--data", tmp_path, HOST="0.0.0.0")
    assert printed.exit_code == 0
    assert printed.stderr == "With these settings the server takes no development tokens.\n"


def test_a_token_for_nobody_is_refused(tmp_path: Path) -> None:
    refused = typed("token", "", "--data", tmp_path)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == "Error: `user id` must have 1 to 255 characters.\n"


def test_a_token_of_a_damaged_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "development.key").write_text("short")
    refused = typed("token", "ann", "--data", tmp_path)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "development.key is no key of 32 bytes: delete it" in refused.stderr


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"PORT": "99999"}, "PORT is not valid: input should be less than or equal to 65535.\n"),
        ({"WORKERS": "many"}, "WORKERS is not valid: input should be a valid integer"),
        ({"JWT_ISSUER": "me"}, "JWT_ISSUER needs JWT_JWKS_URL or JWT_SECRET"),
        ({"ALLOWED_ORIGINS": "app.example"}, "ALLOWED_ORIGINS: 'app.example' is no origin"),
        ({"JWT_SECRET": "hush"}, "JWT_SECRET must have at least "),
    ],
)
def test_a_setting_that_is_not_valid_is_named_in_a_sentence(settings: dict[str, str], sentence: str) -> None:
    refused = typed("serve", **settings)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr.startswith(f"Error: {sentence}")
    assert refused.stderr.count("\n") == 1
    assert "hush" not in refused.stderr


@pytest.mark.parametrize("url", ["mysql://ann:hush@host/db", "postgresql://ann:hush/hush@host/db", "hush"])
async def test_a_database_url_that_is_none_is_refused_without_showing_it(url: str) -> None:
    refused = await processes.run("migrate", DATABASE_URL=url)
    assert (refused.code, refused.stdout) == (2, "")
    assert refused.stderr.startswith("Error: DATABASE_URL is no URL of a Postgres: write postgresql://")
    assert refused.stderr.count("\n") == 1
    assert "hush" not in refused.stderr


def test_what_is_typed_goes_before_the_environment() -> None:
    refused = typed("serve", "--workers=65", WORKERS="1")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr == "Error: WORKERS is not valid: input should be less than or equal to 64.\n"


async def test_a_named_database_is_migrated_once(new_url: str) -> None:
    first = await processes.run("migrate", DATABASE_URL=new_url)
    assert (first.code, first.stderr) == (0, "")
    assert first.stdout.splitlines() == [f"Applied {revision}." for revision in migrate.revisions()]
    assert await migrate.pending(new_url) == []
    second = await processes.run("migrate", DATABASE_URL=new_url)
    assert (second.code, second.stdout) == (0, "The database was up to date.\n")


async def test_the_embedded_database_is_migrated_and_then_at_rest(empty: Path) -> None:
    migrated = await processes.run("migrate", "--data", empty / "made")
    assert (migrated.code, migrated.stderr) == (0, "")
    assert not (empty / "made" / "postgres" / "postmaster.pid").exists()


async def test_the_embedded_database_of_a_server_that_runs_is_migrated_too(data: Path) -> None:
    async with processes.serving(data) as server:
        migrated = await processes.run("migrate", "--data", data)
        assert (migrated.code, migrated.stdout) == (0, "The database was up to date.\n")
        async with server.client("ann") as client:
            assert (await client.get("/health")).json() == {"status": "ok"}
        assert (await server.stop()).code == 0
