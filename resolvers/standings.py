"""What stands when a save is decided, and whether it may be decided at all."""

from db import clients, journal, workflows
from db.clients import Client
from db.database import Connection
from db.journal import Entry
from db.workflows import Head
from merge import apply
from resolvers import documents, errors
from resolvers.context import UserId
from resolvers.saves import Base, Save, Standing
from resolvers.submissions import Submission


async def read(connection: Connection, submission: Submission) -> Standing:
    """Read what a save is decided by. Raises NotFoundError, ForbiddenError."""
    head = await _allowed_head(connection, submission.save, submission.user)
    client = await client_of(connection, submission)
    if head is None:
        return Standing(None, {}, client, Base(0))
    state = await documents.state_at(connection, head.id, head.version)
    return Standing(head, state, client, await _base(connection, submission, head, client))


async def client_of(connection: Connection, submission: Submission) -> Client:
    """Read what is known of the client that sent a save."""
    save = submission.save
    if save.client_id is None:
        return clients.NEW
    return await clients.read(connection, save.id, submission.user, save.client_id)


async def _allowed_head(connection: Connection, save: Save, user: UserId) -> Head | None:
    taken, head = await workflows.claim(connection, save.id, user)
    if head is None and save.base_version:
        raise errors.NotFoundError
    if head is None and taken:
        raise errors.ForbiddenError("This id is taken: choose another one, a random UUID.")
    if head is not None and not head.role.may_save:
        raise errors.ForbiddenError("You may see this workflow, but not save it.")
    return head


async def _base(connection: Connection, submission: Submission, head: Head, client: Client) -> Base:
    save = submission.save
    version = save.base_version
    if version is None:
        version = client.last_version or head.version
    if submission.on_top or version == head.version:
        return Base(head.version)
    if version > head.version:
        return Base(version, reachable=False)
    entries = await journal.between(connection, head.id, version, head.version)
    if len(entries) != head.version - version:
        return Base(version, reachable=False)
    own = [entry for entry in entries if _is_own(entry, submission)]
    if len(own) == len(entries):
        return Base(version)
    try:
        state = await documents.state_at(connection, head.id, version)
        return Base(version, state=documents.fold(state, own))
    except (errors.ResyncRequiredError, apply.PathError):  # own saves on top of others', which the base cannot lack
        return Base(version, reachable=False)


def _is_own(entry: Entry, submission: Submission) -> bool:
    return entry.client_id is not None and (entry.saved_by, entry.client_id) == (
        submission.user,
        submission.save.client_id,
    )
