"""Documents moved between files and the database, for whoever runs the server."""

import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from db import workflows
from db.database import Connection, Database
from db.hub import Hub
from merge import values
from merge.values import Document
from resolvers import documents, errors, inputs, sync
from resolvers.context import Context, UserId, Viewer
from resolvers.saves import Reason, Save, Status
from server import databases
from server.settings import Settings

POOL_SIZE = 2  # connections: documents move one after the other
FILE_NAME = re.compile(r"(?![.-])[\w. -]{1,60}")  # nothing that leaves the folder, hides or looks like an option
DIGEST_CHARACTERS = 12  # of the id's SHA-256, where a file cannot be named after the id alone


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one document, and whether that is what was asked for."""

    subject: str
    text: str
    done: bool


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Database]:
    """Use the database until the block ends, whether a server runs or not. Raises RefusedError."""
    async with databases.ready(settings) as source, Database.open(source.url, pool_size=POOL_SIZE) as database:
        yield database


@asynccontextmanager
async def importing(settings: Settings, owner: str) -> AsyncIterator[Context]:
    """Act for the owner of what is imported until the block ends. Raises RefusedError and BadUserInputError."""
    viewer = Viewer(UserId(inputs.text("owner", owner, most=inputs.USER_ID_CHARACTERS)))
    async with opened(settings) as database, Hub.open(database) as hub, settings.saver(database) as saver:
        yield Context(database, hub, saver, settings.limits, viewer)


async def import_file(context: Context, file: Path) -> Outcome:
    """Save the document in a file as the workflow that the file is named after."""
    try:
        save = Save(file.stem, _document(file), name=file.stem, reason=Reason.IMPORT)
        answer = await sync.sync(context, save)
    except (OSError, values.MalformedError, errors.OperationError) as error:
        return Outcome(str(file), str(error), done=False)
    problems = " ".join(problem.message for problem in answer.problems)
    done = answer.status in {Status.CREATED, Status.SAVED, Status.MERGED, Status.UNCHANGED}
    return Outcome(answer.id, f"{answer.status}, version {answer.version}. {problems}".rstrip(), done)


def _document(file: Path) -> values.Value:
    """Read a document, out of an export of Sim too, which has it as `state` among facts about the export."""
    match values.parse(file.read_bytes()):
        case {"state": {"blocks": _} as document}:
            return document
        case document:
            return document


async def export_file(database: Database, workflow_id: str, out: Path) -> Outcome:
    """Write the current document of a workflow, whoever owns it, into a file of its name."""
    async with database.transaction() as connection:
        document = await _read(connection, workflow_id)
    if document is None:
        return Outcome(workflow_id, "There is no such workflow.", done=False)
    file = out / f"{file_name(workflow_id)}.json"
    try:
        _write(file, document)
    except OSError as error:
        return Outcome(workflow_id, f"{file} cannot be written: {error.strerror}.", done=False)
    return Outcome(workflow_id, str(file), done=True)


def file_name(workflow_id: str) -> str:
    """Name a file after a workflow: by its id alone where every system takes that, so that `import` finds it again."""
    if FILE_NAME.fullmatch(workflow_id):
        return workflow_id
    digest = hashlib.sha256(workflow_id.encode()).hexdigest()[:DIGEST_CHARACTERS]
    return f"{re.sub(r'[^A-Za-z0-9]+', '-', workflow_id)[:60].strip('-')}-{digest}".lstrip("-")


async def _read(connection: Connection, workflow_id: str) -> Document | None:
    owner = await workflows.owner(connection, workflow_id) if inputs.is_storable(workflow_id) else None
    head = owner and await workflows.read(connection, workflow_id, owner)
    return await documents.state_at(connection, workflow_id, head.version) if head else None


def _write(file: Path, document: Document) -> None:
    """Write a file so that it is there whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}")
    draft.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    draft.replace(file)
