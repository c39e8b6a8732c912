"""What is stored when a save is decided, now or, for a retry, back when it was."""

from dataclasses import replace

from db import clients, journal, workflows
from db.database import Connection
from db.journal import Entry
from db.workflows import Head
from merge import apply
from merge.values import Document
from resolvers import documents, errors
from resolvers.decisions import Base, Standing
from resolvers.submissions import Ground, Submission

MERGED_BYTES = 32 * 1024 * 1024  # of journal rows as stored: several whole documents
NOTHING = Base(0, {})  # what a save that creates is made on


async def read(connection: Connection, submission: Submission) -> Standing:
    """Read what stands. Raises NotFoundError, and ForbiddenError where the user may not save this workflow."""
    save = submission.save
    head = await _allowed_head(connection, submission)
    client = clients.NEW
    if save.client_id is not None:
        client = await clients.read(connection, save.id, submission.user, save.client_id)
    if head is None:
        return Standing(None, {}, client, NOTHING)
    state = await documents.state_at(connection, head.id, head.version)
    if submission.ground is Ground.HEAD:
        return Standing(head, state, client, Base(head.version, state))
    base_version = save.base_version
    if base_version is None:
        base_version = client.last_version
    return Standing(head, state, client, await _base(connection, submission, base_version, head, state))


async def before(
    connection: Connection, submission: Submission, standing: Standing, version: int, base_version: int
) -> Standing:
    """Read what stood at `version` for a save on `base_version`. Raises ResyncRequiredError where nobody knows."""
    if standing.head is None or version == 0:
        return replace(standing, head=None, state={}, base=NOTHING)
    head = replace(standing.head, version=version, deleted_at=None)
    state = await documents.state_at(connection, head.id, version)
    base = await _base(connection, submission, base_version, head, state)
    return replace(standing, head=head, state=state, base=base)


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


async def _base(connection: Connection, submission: Submission, version: int, head: Head, state: Document) -> Base:
    if submission.save.base_version is None and version == 0:  # nobody knows what the client had
        trace = await journal.trace(connection, head.id, head.version, unless_all_by=submission.user)
        return Base(0, state, trace=tuple(trace))
    if version == head.version:
        return Base(version, state)
    if version > head.version or not await is_reached(connection, head, version):
        return Base(version, None)
    entries = await journal.between(connection, head.id, version, head.version)
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
