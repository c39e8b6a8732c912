"""What this process last knew of workflows, so that most saves read nothing.

It may be behind: the statement that writes proves that it is not, and the journal brings it forward.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from db import clients, journal
from db.clients import Client
from db.database import Connection
from db.journal import Entry
from db.workflows import Head, Role
from merge import changes, values
from merge.values import Document
from resolvers import documents

KEPT_SAVES = 64  # of each workflow: a save on a base that is further behind reads the journal
KEPT_CLIENTS = 32  # of each workflow, those that saved last
PARSED_BYTES = 7  # what a byte of JSON takes as Python values: 5 to 8 in documents of editors
ENTRY_BYTES = 1_000  # what a small save takes in memory


@dataclass(frozen=True, slots=True)
class Known:
    """One workflow at one version.

    `size` is what its document has at most, in bytes of compact JSON. `saves` are the newest ones, oldest first and
    without gaps, `sole` is who made all of those that the journal traces, None where that is not known or not one user.
    `roles` and `clients` are of those who were here lately.
    """

    head: Head
    state: Document
    size: int
    saves: tuple[Entry, ...] = ()
    sole: str | None = None
    roles: Mapping[str, Role] = field(default_factory=dict)
    clients: Mapping[tuple[str, str], Client] = field(default_factory=dict)

    @property
    def cost(self) -> int:
        """What this takes in memory, in bytes, by and large."""
        return self.size * PARSED_BYTES + len(self.saves) * ENTRY_BYTES

    def head_for(self, user: str) -> Head:
        """Show the head to somebody whose role is known."""
        return replace(self.head, role=self.roles[user])

    def since(self, version: int) -> tuple[Entry, ...] | None:
        """Give the saves above a version, oldest first; None where some of them are not known."""
        missing = self.head.version - version
        if not 0 <= missing <= len(self.saves):
            return None
        return self.saves[len(self.saves) - missing :]

    def with_older(self, entries: Sequence[Entry]) -> "Known":
        """Take in all saves since some version, of which only newer ones were known."""
        return replace(self, saves=tuple(entries)[-KEPT_SAVES:])

    def with_client(self, user: str, client_id: str, client: Client) -> "Known":
        """Take in what is known of a client; what the journal tells need not be known."""
        client = replace(client, answers=clients.unwritten(client))
        others = {key: other for key, other in self.clients.items() if key != (user, client_id)}
        newest = list(others.items())[-(KEPT_CLIENTS - 1) :]
        return replace(self, clients=dict([*newest, ((user, client_id), client)]))

    def with_save(self, entry: Entry, state: Document, growth: int) -> "Known":
        """Take in a save that led to `state`, which has at most `growth` bytes more than the one before."""
        head = replace(self.head, version=entry.version, saved_by=entry.saved_by, saved_at=entry.saved_at)
        return replace(
            self,
            head=head,
            state=state,
            size=self.size + growth,
            saves=(*self.saves, entry)[-KEPT_SAVES:],
            sole=self.sole if self.sole == entry.saved_by else None,
        )

    def dated(self, saved_at: datetime, unknown: datetime) -> "Known":
        """Take in when the saves were written of which that was `unknown`."""
        saves = tuple(replace(save, saved_at=saved_at) if save.saved_at == unknown else save for save in self.saves)
        return replace(self, head=replace(self.head, saved_at=saved_at), saves=saves)


@dataclass(slots=True)
class States:
    """What is known of those workflows that were saved last, in at most `most_bytes` of memory."""

    most_bytes: int
    used: int = 0
    _known: OrderedDict[str, Known] = field(default_factory=OrderedDict)

    def find(self, workflow_id: str) -> Known | None:
        """Give what is known of a workflow."""
        known = self._known.get(workflow_id)
        if known is not None:
            self._known.move_to_end(workflow_id)
        return known

    def put(self, known: Known) -> None:
        """Take in what is known of a workflow, unless something newer is; forget those not saved for longest."""
        before = self._known.get(known.head.id)
        if before is not None and before.head.version > known.head.version:
            return
        self._known[known.head.id] = known
        self._known.move_to_end(known.head.id)
        self.used += known.cost - (before.cost if before else 0)
        while self.used > self.most_bytes:
            _, forgotten = self._known.popitem(last=False)
            self.used -= forgotten.cost

    def forget(self, workflow_id: str) -> None:
        """Forget a workflow."""
        forgotten = self._known.pop(workflow_id, None)
        if forgotten is not None:
            self.used -= forgotten.cost

    async def read(self, connection: Connection, head: Head, user: str) -> Known:
        """Bring what is known of a workflow to its `head`, which `user` was just shown."""
        known = self.find(head.id)
        if known is None or known.head.version > head.version:
            state = await documents.state_at(connection, head.id, head.version)
            known = Known(head, state, len(values.dump(state)))
        elif known.head.version < head.version:
            known = await _forward(connection, known, head)
        same = known.head.revision == head.revision
        known = replace(known, head=head, roles={**(known.roles if same else {}), user: head.role})
        self.put(known)
        return known


async def _forward(connection: Connection, known: Known, head: Head) -> Known:
    """Bring forward by the journal what is behind."""
    entries = await journal.between(connection, head.id, known.head.version, head.version)
    if len(entries) != head.version - known.head.version:
        state = await documents.state_at(connection, head.id, head.version)
        return Known(head, state, len(values.dump(state)))
    state = documents.fold(known.state, entries)
    for entry in entries:
        known = known.with_save(entry, state, sum(map(changes.growth, documents.changes_of(entry))))
    return known
