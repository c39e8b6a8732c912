"""Documents built from what is stored: the snapshot, checkpoints and the journal."""

from collections.abc import Iterable, Sequence

from db import journal, workflows
from db.database import Connection
from db.journal import Entry
from merge import apply, changes, values
from merge.changes import Change
from merge.values import Document
from resolvers import errors


async def state_at(connection: Connection, workflow_id: str, version: int) -> Document:
    """Build the document as it was at `version`: a snapshot or checkpoint below it, and the journal from there.

    Raises ResyncRequiredError where the journal no longer reaches back so far.
    """
    start, state = await workflows.snapshot(connection, workflow_id)
    if start > version:
        start, state = await journal.checkpoint(connection, workflow_id, version)
    entries = await journal.between(connection, workflow_id, start, version)
    if len(entries) != version - start:
        raise errors.ResyncRequiredError
    return fold(state, entries)


def fold(state: Document, entries: Iterable[Entry]) -> Document:
    """Apply what saves changed, one after the other. Raises PathError where they were made on another document."""
    return apply.apply(state, (change for entry in entries for change in changes_of(entry)))


def rewound(document: Document, entries: Sequence[Entry]) -> Document:
    """Take saves back, oldest first in `entries`; the result shares with the document what they left alone."""
    return apply.apply(
        document, [change for entry in reversed(entries) for change in changes.inverse(changes_of(entry))]
    )


def changes_of(entry: Entry) -> list[Change]:
    """Decode the changes of a journal entry."""
    return [changes.from_json(change) for change in entry.changes]


def size_of(entry: Entry) -> int:
    """Measure the changes of a journal entry: bytes of JSON, with the values that they replaced."""
    return len(values.dump(entry.changes))
