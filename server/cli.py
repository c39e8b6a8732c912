"""The command line, `workflow-sync`: what is typed, and what is answered."""

import asyncio
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import click
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from auth.development import DevelopmentTokens
from resolvers import errors
from server import databases, doctor, logs, serve, snapshots, transfer
from server.doctor import Finding
from server.refusal import InvalidSettingsError, RefusedError
from server.settings import Settings
from server.transfer import Outcome

Item = TypeVar("Item")
Option: TypeAlias = str | int | Path | None  # a setting, None where it was not typed

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the embedded database and the development key. [DATA, default: .data]",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="workflow-sync", message="%(package)s %(version)s")
def main() -> None:
    """Keep the documents of visual workflow editors safe while people edit them.

    Settings come from the environment; the README lists them. Without DATABASE_URL, each command uses an embedded
    Postgres in the data folder, and starts it where it does not run.
    """
    logs.configure()


@main.command("serve")
@click.option("--host", help="Address to listen on. [HOST, default: 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on; 0 takes a free one. [PORT, default: 8000]")
@click.option("--workers", type=int, metavar="N", help="Processes that share the port. [WORKERS, default: 1]")
@data_option
def serve_command(**options: Option) -> None:
    """Serve the API and the pages until Ctrl-C or SIGTERM.

    An embedded database is brought up to date by itself; one that DATABASE_URL names needs `workflow-sync migrate`.
    """
    serve.run(_settings(options), lambda url: click.echo(f"Workflow Sync is ready on {url}"))


@main.command("migrate")
@data_option
def migrate_command(**options: Option) -> None:
    """Bring the database up to date."""
    applied = asyncio.run(_migrate(_settings(options)))
    for name in applied:
        click.echo(f"Applied {name}.")
    if not applied:
        click.echo("The database was up to date.")


async def _migrate(settings: Settings) -> list[str]:
    async with databases.opened(settings) as source:
        async with databases.reached(source.url) as connection:
            await databases.check_version(connection)
        return await databases.upgrade(source.url)


@main.command("token")
@click.argument("name")
@data_option
def token_command(name: str, **options: Option) -> None:
    """Print a bearer token for NAME, for development."""
    settings = _settings(options)
    try:
        token = DevelopmentTokens.load(settings.data).sign(name)
    except (OSError, ValueError, errors.BadUserInputError) as error:
        raise RefusedError(str(error)) from error
    if not settings.development:
        click.echo("With these settings the server takes no development tokens.", err=True)
    click.echo(token)


@main.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--owner", required=True, metavar="NAME", help="User id of whoever the workflows belong to.")
@data_option
def import_command(files: tuple[Path, ...], owner: str, **options: Option) -> None:
    """Save the JSON documents in FILES as workflows.

    A workflow's id is the name of its file without ".json". Importing again saves a new version where something
    changed. Of an export of Sim, the document in it is taken.
    """
    twice = [stem for stem, count in Counter(file.stem for file in files).items() if count > 1]
    if twice:
        raise click.UsageError(f"Two files would be the workflow {twice[0]}.")
    _report(asyncio.run(_import(_settings(options), files, owner)))


async def _import(settings: Settings, files: Iterable[Path], owner: str) -> list[Outcome]:
    try:
        async with transfer.importing(settings, owner) as context:
            return await _each("Importing", files, lambda file: transfer.import_file(context, file))
    except errors.BadUserInputError as error:
        raise click.UsageError(str(error)) from error


@main.command("export")
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    metavar="DIR",
    help="Folder to write to; it is made where it is missing. [default: the current one]",
)
@data_option
def export_command(ids: tuple[str, ...], out: Path, **options: Option) -> None:
    """Write the documents of workflows to files.

    Each current document goes to ID.json, where `import` finds it; where an id is no name for a file, to one like it.
    """
    _report(asyncio.run(_export(_settings(options), ids, out)))


async def _export(settings: Settings, ids: Iterable[str], out: Path) -> list[Outcome]:
    async with transfer.opened(settings) as database:
        return await _each("Exporting", ids, lambda name: transfer.export_file(database, name, out))


@main.command("fold")
@click.argument("ids", nargs=-1, metavar="[ID...]")
@data_option
def fold_command(ids: tuple[str, ...], **options: Option) -> None:
    """Bring snapshots up to date, for people who read with SQL.

    The column `state` of `workflows` may lag behind the saves, unless SNAPSHOT_EVERY is 1. This has it show the
    documents as they are now: of the workflows named, or of all where it lags.
    """
    outcomes = asyncio.run(_fold(_settings(options), ids))
    if ids:
        _report(outcomes)
    count = "1 snapshot" if len(outcomes) == 1 else f"{len(outcomes)} snapshots"
    click.echo(f"Brought {count} up to date." if outcomes else "All snapshots were up to date.")


async def _fold(settings: Settings, ids: Iterable[str]) -> list[Outcome]:
    async with transfer.opened(settings) as database:
        wanted = ids or await snapshots.lagging(database)
        return await _each("Folding", wanted, lambda workflow_id: snapshots.fold_one(database, workflow_id))


@main.command("schema")
def schema_command() -> None:
    """Print the GraphQL schema."""
    from schema.build import schema  # noqa: PLC0415 -- the other commands start in half the time without it

    click.echo(schema.as_str())


@main.command("doctor")
@data_option
def doctor_command(**options: Option) -> None:
    """Check everything, and say how to mend it.

    Ends with 1 where something is wrong with settings, pages, data folder, port or database.
    """
    try:
        findings = asyncio.run(doctor.examine(_settings(options)))
    except InvalidSettingsError as error:
        findings = [Finding("settings", error.message, wrong=True)]
    for finding in findings:
        mark = click.style("wrong", fg="red") if finding.wrong else click.style("ok   ", fg="green")
        click.echo(f"{mark}  {finding.subject}: {finding.text}")
    sys.exit(any(finding.wrong for finding in findings))


def _settings(options: Mapping[str, Option]) -> Settings:
    """Read the settings; what was typed goes before the environment. Raises InvalidSettingsError."""
    typed: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    try:
        return Settings(**typed)
    except ValidationError as error:
        raise InvalidSettingsError("\n".join(map(_sentence, error.errors(include_input=False)))) from error


def _sentence(problem: ErrorDetails) -> str:
    """Say what is wrong with a setting; our own checks name it themselves."""
    if "error" in problem.get("ctx", {}):
        return f"{problem['ctx']['error']}."
    name, message = str(problem["loc"][0]).upper(), problem["msg"]
    return f"{name} is not valid: {message[0].lower()}{message[1:]}."


async def _each(label: str, items: Iterable[Item], work: Callable[[Item], Awaitable[Outcome]]) -> list[Outcome]:
    """Do one after the other, showing how far it is where somebody can watch."""
    with click.progressbar(list(items), label=label, file=sys.stderr, show_pos=True) as bar:
        return [await work(item) for item in bar]


def _report(outcomes: Iterable[Outcome]) -> None:
    """Print what became of each document, and end with 1 where one is not where it should be."""
    failed = False
    for outcome in outcomes:
        failed |= not outcome.done
        click.echo(f"{outcome.subject}: {outcome.text}", err=not outcome.done)
    sys.exit(failed)
