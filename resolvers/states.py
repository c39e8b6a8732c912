"""What this process last knew of workflows, so that most saves read nothing.

It may be behind: the statement that writes proves that it is not, and the journal brings it forward.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from db import clients, journal
from db.clients import Client
from db.database import Connection
from db.journal import Entry
from db.workflows import Head, Role
from merge import apply, changes, texts, values
from merge.values import Document
from resolvers import documents

KEPT_SAVES = 64  # of each workflow: a save on a base that is further behind reads the journal
KEPT_CLIENTS = 32  # of each workflow, those that saved last
TEXT_BYTES = 2  # what a byte of JSON takes as text, with the outline of what is where in it
KEPT_BYTES = 128 * 1024  # of each workflow: what those saves have at most, as JSON
SAVE_BYTES = 1_000  # what a save takes in memory, besides its changes
PARSED_BYTES = 5  # what a byte of JSON of those takes


@dataclass(slots=True)
class Known:
    """One workflow at one version; whoever brings it to another one does so with a copy.

    `size` is what its document has at most, in bytes of compact JSON, of which each takes `density` bytes of memory.
    `saves` are the newest ones, oldest first and without gaps, and `sizes` what they have as JSON; `sole` is who made
    all of those that the journal traces, None where that is not known or not one user. `roles` and `clients` are of
    those who were here lately, `text` is the last whole document that somebody sent.
    """

    head: Head
    state: Document
    size: int
    density: float
    saves: list[Entry] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    sole: str | None = None
    roles: dict[str, Role] = field(default_factory=dict)
    clients: dict[tuple[str, str], Client] = field(default_factory=dict)
    text: texts.Known | None = None

    @property
    def cost(self) -> int:
        """What this takes in memory, in bytes, by and large."""
        text = len(self.text.text) * TEXT_BYTES if self.text else 0
        return int(self.size * self.density) + text + len(self.saves) * SAVE_BYTES + sum(self.sizes) * PARSED_BYTES

    def copy(self) -> "Known":
        """Give one that can be changed."""
        return Known(
            self.head,
            self.state,
            self.size,
            self.density,
            [*self.saves],
            [*self.sizes],
            self.sole,
            {**self.roles},
            {**self.clients},
            self.text,
        )

    def head_for(self, user: str) -> Head:
        """Show the head to somebody whose role is known."""
        return self.head.seen_as(self.roles[user])

    def since(self, version: int) -> Sequence[Entry] | None:
        """Give the saves above a version, oldest first; None where some of them are not known."""
        missing = self.head.version - version
        if not 0 <= missing <= len(self.saves):
            return None
        return self.saves[len(self.saves) - missing :]

    def note_client(self, user: str, client_id: str, client: Client) -> None:
        """Take in what is known of a client; what the journal tells need not be known."""
        self.clients.pop((user, client_id), None)
        self.clients[user, client_id] = Client(client.last_sequence, client.last_version, clients.unwritten(client))
        if len(self.clients) > KEPT_CLIENTS:
            del self.clients[next(iter(self.clients))]

    def note_save(self, entry: Entry, state: Document, *, size: int, growth: int) -> None:
        """Take in a save that led to `state`, which has at most `growth` bytes more than the one before.

        The changes of the save itself have `size` bytes.
        """
        self.head = self.head.moved(entry.version, entry.saved_by, entry.saved_at)
        self.state = state
        self.size += growth
        self.saves.append(entry)
        self.sizes.append(size)
        while len(self.saves) > KEPT_SAVES or sum(self.sizes) > KEPT_BYTES:
            del self.saves[0], self.sizes[0]
        if self.sole != entry.saved_by:
            self.sole = None

    def keep(self, entries: Sequence[Entry]) -> None:
        """Take in all saves since some version, of which only newer ones were known."""
        self.saves, self.sizes = [], []
        for entry in reversed(entries[-KEPT_SAVES:]):
            size = documents.size_of(entry)
            if size + sum(self.sizes) > KEPT_BYTES:
                return
            self.saves.insert(0, entry)
            self.sizes.insert(0, size)

    def date(self, count: int, saved_at: datetime) -> None:
        """Take in when the newest saves, so many, were written."""
        for place in range(-min(count, len(self.saves)), 0):
            self.saves[place] = self.saves[place].at(saved_at)
        self.head = self.head.moved(self.head.version, self.head.saved_by, saved_at)


@dataclass(slots=True)
class States:
    """What is known of those workflows that were saved or read last, in at most `most_bytes` of memory.

    `used` says how much that is, `evicted` how many had to make room: first documents that were only read.
    """

    most_bytes: int
    used: int = 0
    evicted: int = 0
    _known: OrderedDict[str, Known] = field(default_factory=OrderedDict)
    _shown: OrderedDict[str, tuple[int, bytes]] = field(default_factory=OrderedDict)

    def find(self, workflow_id: str) -> Known | None:
        """Give what is known of a workflow."""
        known = self._known.get(workflow_id)
        if known is not None:
            self._known.move_to_end(workflow_id)
        return known

    def text_of(self, workflow_id: str) -> texts.Known | None:
        """Give the last document that somebody sent for a workflow, as it was written."""
        known = self._known.get(workflow_id)
        return known.text if known else None

    def put(self, known: Known) -> None:
        """Take in what is known of a workflow, unless something newer is; forget those not saved for longest."""
        before = self._known.get(known.head.id)
        if before is not None and before.head.version > known.head.version:
            return
        self.forget(known.head.id)
        cost = known.cost
        if cost <= self.most_bytes:  # or nobody has to go: it would not fit anyway
            self._known[known.head.id] = known
            self.used += cost
            self._make_room()

    def text_at(self, workflow_id: str, version: int) -> bytes | None:
        """Give a document at a version as JSON, where that needs not be read."""
        known = self.find(workflow_id)
        if known is not None and known.head.version == version:
            return values.dump(known.state)
        shown, data = self._shown.get(workflow_id, (None, b""))
        if shown != version:
            return None
        self._shown.move_to_end(workflow_id)
        return data

    def put_text(self, workflow_id: str, version: int, data: bytes) -> None:
        """Take in what was read of a document at a version."""
        self.used -= len(self._shown.pop(workflow_id, (0, b""))[1])
        if len(data) <= self.most_bytes:
            self._shown[workflow_id] = version, data
            self.used += len(data)
            self._make_room()

    def _make_room(self) -> None:
        while self.used > self.most_bytes:
            if self._shown:
                _, (_, data) = self._shown.popitem(last=False)
                self.used -= len(data)
            else:
                _, known = self._known.popitem(last=False)
                self.used -= known.cost
            self.evicted += 1

    def weigh(self, known: Known, size: int) -> None:
        """Take in what a document really has, in bytes of compact JSON."""
        self.used -= known.cost
        known.size = size
        self.used += known.cost

    def forget(self, workflow_id: str) -> None:
        """Forget a workflow."""
        self.used -= len(self._shown.pop(workflow_id, (0, b""))[1])
        forgotten = self._known.pop(workflow_id, None)
        if forgotten is not None:
            self.used -= forgotten.cost

    async def read(self, connection: Connection, head: Head, user: str) -> Known:
        """Bring what is known of a workflow to its `head`, which `user` was just shown; give a copy of it."""
        known = self.find(head.id)
        if known is None or known.head.version > head.version:
            known = await _read(connection, head)
        else:
            known = await _forward(connection, known.copy(), head)
        if known.head.revision != head.revision:
            known.roles.clear()
        known.head = head
        known.roles[user] = head.role
        return known


async def _read(connection: Connection, head: Head) -> Known:
    state = await documents.state_at(connection, head.id, head.version)
    text = values.dump(state)
    return Known(head, state, len(text), values.weight(text) / len(text))


async def _forward(connection: Connection, known: Known, head: Head) -> Known:
    """Bring forward by the journal what is behind."""
    behind = head.version - known.head.version
    if not behind:
        return known
    entries = await journal.between(connection, head.id, known.head.version, head.version)
    if len(entries) != behind:
        return await _read(connection, head)
    for entry in entries:
        made = documents.changes_of(entry)
        state, growth = apply.apply(known.state, made), sum(map(changes.growth, made))
        known.note_save(entry, state, size=documents.size_of(entry), growth=growth)
    return known
