"""What is stored when a save is decided, now or, for a retry, back when it was."""

from collections.abc import Sequence
from dataclasses import replace

from db import clients, journal, workflows
from db.database import Connection
from db.journal import Entry
from db.workflows import Head
from merge import apply
from merge.values import Document
from resolvers import documents, errors
from resolvers.decisions import Base, Standing
from resolvers.states import Known, States
from resolvers.submissions import Ground, Submission

MERGED_BYTES = 32 * 1024 * 1024  # of journal rows as stored: several whole documents
NOTHING = Base(0, {})  # what a save that creates is made on


async def read(connection: Connection, states: States, submission: Submission) -> Standing:
    """Read what stands. Raises NotFoundError, and ForbiddenError where the user may not save this workflow."""
    save, user = submission.save, submission.user
    head = await _allowed_head(connection, submission)
    client = clients.NEW
    if save.client_id is not None:
        client = await clients.read(connection, save.id, user, save.client_id, sequence=save.sequence)
    if head is None:
        return Standing(None, {}, client, NOTHING)
    known = await states.read(connection, head, user)
    if save.client_id is not None:
        known.note_client(user, save.client_id, client)
    base_version = client.last_version if save.base_version is None else save.base_version
    if submission.ground is Ground.HEAD:
        base = Base(head.version, known.state)
    else:
        base = await _base(connection, submission, base_version, known)
    states.put(known)
    return Standing(head, known.state, client, base, known.size)


def of(known: Known, submission: Submission) -> Standing | None:
    """Say what stands for a save of somebody who was here before; None where that cannot be told without reading."""
    save, user = submission.save, submission.user
    client = clients.NEW if save.client_id is None else known.clients.get((user, save.client_id))
    if client is None or user not in known.roles or known.head.deleted_at is not None:
        return None
    base_version = client.last_version if save.base_version is None else save.base_version
    if _is_unknown(submission, base_version):
        base = Base(0, known.state) if known.sole == user else None
    else:
        entries = known.since(base_version)
        base = None if entries is None else _base_before(base_version, known.state, entries, submission)
    return Standing(known.head_for(user), known.state, client, base, known.size) if base else None


async def before(
    connection: Connection, submission: Submission, standing: Standing, version: int, base_version: int
) -> Standing:
    """Read what stood at `version` for a save on `base_version`. Raises ResyncRequiredError where nobody knows."""
    if standing.head is None or version == 0:
        return replace(standing, head=None, state={}, base=NOTHING, size=None)
    head = replace(standing.head, version=version, deleted_at=None)
    state = await documents.state_at(connection, head.id, version)
    base = await _base(connection, submission, base_version, Known(head, state, size=0, density=0))
    return replace(standing, head=head, state=state, base=base, size=None)


async def is_reached(connection: Connection, head: Head, version: int) -> bool:
    """Say whether what was saved since a version is known, and not too much to be merged."""
    size = await journal.weigh(connection, head.id, version, head.version)
    return size is not None and size <= MERGED_BYTES


async def _allowed_head(connection: Connection, submission: Submission) -> Head | None:
    save = submission.save
    taken, head = await workflows.claim(connection, save.id, submission.user)
    if head is None and save.base_version:
        raise errors.NotFoundError
    if head is None and taken:
        raise errors.ForbiddenError("This id is taken: choose another one, a random UUID.")
    if head is not None and not head.role.may_save:
        raise errors.ForbiddenError("You may see this workflow, but not save it.")
    return head


def _is_unknown(submission: Submission, base_version: int) -> bool:
    """Say whether nobody knows what the client had."""
    return submission.save.base_version is None and base_version == 0


async def _base(connection: Connection, submission: Submission, version: int, known: Known) -> Base:
    """Read what a save was made on, and take into what is `known` what was read for that."""
    head, state = known.head, known.state
    if _is_unknown(submission, version):
        trace = await journal.trace(connection, head.id, head.version, unless_all_by=submission.user)
        known.sole = None if trace else submission.user
        return Base(0, state, trace=tuple(trace))
    entries: Sequence[Entry] | None = known.since(version)
    if entries is None:
        if version > head.version or not await is_reached(connection, head, version):
            return Base(version, None)
        entries = await journal.between(connection, head.id, version, head.version)
        known.keep(entries)
    return _base_before(version, state, entries, submission)


def _base_before(version: int, state: Document, entries: Sequence[Entry], submission: Submission) -> Base:
    """Give the document at `version`, before `entries` led to `state`, with those of them that are the client's own."""
    own = [entry for entry in entries if _is_own(entry, submission)]
    if len(own) == len(entries):
        return Base(version, state)
    others = tuple(entry for entry in entries if not _is_own(entry, submission))
    base = apply.fitting(
        documents.rewound(state, entries), (change for entry in own for change in documents.changes_of(entry))
    )
    return Base(version, base, others)


def _is_own(entry: Entry, submission: Submission) -> bool:
    """Say whether a save was made by the tab that sent this one; of a kept payload, by the tab that sent that."""
    author: tuple[str, str | None] = submission.user, submission.save.client_id
    if submission.ground is Ground.VERSION:
        kept = submission.resolves
        if kept is None or entry.version > kept.conflict.theirs_version:
            return False
        author = kept.conflict.yours_by, kept.client_id
    return entry.client_id is not None and (entry.saved_by, entry.client_id) == author
