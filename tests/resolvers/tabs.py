"""Tabs that edit one workflow on a bad network: answers get lost, requests arrive twice, news come late."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from db.journal import Entry
from merge import apply, diff
from merge.apply import PathError
from merge.changes import ABSENT, Change
from resolvers import documents
from resolvers.answers import Answer
from resolvers.saves import Mode, Save, Status
from tests.documents import Document
from tests.merge import drawings, meetings
from tests.merge.dice import Dice
from tests.merge.drawings import Shape
from tests.resolvers.memory import OWNER, Memory, stored

EVENTS = 40  # in one session: about ten saves
USERS = [OWNER, OWNER, "editor"]  # one of them has two tabs
SHAPES: list[Shape | None] = [None, None, *drawings.SHAPES]


def told(changes: Sequence[Change]) -> list[Change]:
    """Give changes as they travel: what becomes of each path, and nothing of what was there."""
    return [Change(change.path, value=change.value, removal=change.removal, order=change.order) for change in changes]


@dataclass(slots=True, eq=False)
class Tab:
    """What one tab holds: `confirmed`, the document at `version`, and its own edits on top, `sent` and `unsent`.

    While a save is `under_way`, what is heard of others waits in the queue.
    """

    user: str
    id: str
    version: int = 0
    confirmed: Document = field(default_factory=dict)
    sent: list[Change] = field(default_factory=list)
    unsent: list[Change] = field(default_factory=list)
    sequence: int = 0
    under_way: Save | None = None
    answer: Answer | None = None  # on its way back
    queue: list[Entry] = field(default_factory=list)
    heard: int = 0  # the last version that was announced to this tab

    @property
    def shown(self) -> Document:
        return apply.fitting(self.confirmed, [*self.sent, *self.unsent])

    def edit(self, document: Document) -> None:
        """Make what is shown into another document."""
        self.unsent += told(diff.diff(self.shown, document))

    def send(self, dice: Dice) -> None:
        """Send what is unsent, as changes or as the whole document, and wait for the answer."""
        self.sent, self.unsent = _fitting(self.confirmed, self.unsent), []
        self.sequence += 1
        is_whole = dice.number(3) == 1
        self.under_way = Save(
            "w",
            stored(self.shown) if is_whole else ABSENT,
            None if is_whole else tuple(self.sent),
            base_version=None if is_whole and dice.number(3) == 1 else self.version,
            client_id=self.id,
            sequence=self.sequence,
            mode=dice.pick([Mode.MERGE, Mode.MERGE, Mode.MERGE, Mode.MERGE, Mode.STRICT, Mode.OVERWRITE]),
            allow_empty=dice.number(8) != 1,
        )

    def take(self) -> None:
        """Take the answer in, and then what was heard meanwhile."""
        assert self.answer is not None
        if self.answer.status is not Status.REJECTED:
            self.confirmed = apply.apply(self.confirmed, [*self.sent, *told(self.answer.changes)])
            self.version = self.answer.version
        self.sent, self.under_way, self.answer = [], None, None
        self._take_queue()

    def hear(self, entry: Entry) -> None:
        """Hear of a save, as everybody does but the tab that sent it."""
        assert entry.version == self.heard + 1
        self.heard = entry.version
        if (entry.saved_by, entry.client_id) != (self.user, self.id):
            self.queue.append(entry)
        if self.under_way is None:
            self._take_queue()

    def _take_queue(self) -> None:
        for entry in self.queue:
            if entry.version > self.version:
                assert entry.version == self.version + 1, "a save was neither answered nor announced"
                self.confirmed = apply.apply(self.confirmed, told(documents.changes_of(entry)))
                self.version = entry.version
        self.queue = []


def _fitting(document: Document, edits: Sequence[Change]) -> list[Change]:
    fitting = []
    for change in edits:
        try:
            document = apply.apply(document, [change])
        except PathError:
            continue
        fitting.append(change)
    return fitting


@dataclass(slots=True)
class Session:
    """Several tabs, the server, and the network between them, one event after the other.

    They edit a graph of some shape, or any JSON.
    """

    dice: Dice
    shape: Shape | None
    server: Memory = field(default_factory=Memory)
    tabs: list[Tab] = field(default_factory=lambda: [Tab(user, f"tab {n}") for n, user in enumerate(USERS)])

    def open(self) -> None:
        """Let the first tab create the workflow; the others may have begun before they hear of it."""
        first = self.tabs[0]
        first.edit(drawings.drawn(self.dice, self.shape) if self.shape else meetings.documents(self.dice))
        first.send(self.dice)
        self.arrive(first)

    def step(self) -> None:
        """Let something happen to some tab."""
        tab = self.dice.pick(self.tabs)
        ways = [self.hear, self.hear, self.edit, *[self.arrive] * 4, *[self.answer] * 4, self.undo]
        if tab.under_way is None:
            ways = [self.hear, self.edit, self.send, self.send]
        self.dice.pick(ways)(tab)

    def hear(self, tab: Tab) -> None:
        """Let the next announcements reach a tab."""
        for entry in self.server.entries[tab.heard :][: 1 + self.dice.number(3)]:
            tab.hear(entry)

    def edit(self, tab: Tab) -> None:
        shown = stored(tab.shown)
        edited = drawings.redrawn(self.dice, shown, self.shape) if self.shape else meetings.edited(self.dice, shown)
        tab.edit(edited)

    def send(self, tab: Tab) -> None:
        if not tab.unsent:
            self.edit(tab)
        tab.send(self.dice)

    def arrive(self, tab: Tab) -> None:
        """Let the request of a tab reach the server, for the first time or again; any earlier answer got lost."""
        assert tab.under_way is not None
        tab.answer = self.server.save(tab.user, tab.under_way)

    def answer(self, tab: Tab) -> None:
        if tab.answer is not None:
            tab.take()

    def undo(self, tab: Tab) -> None:
        """Take some version back; everybody hears of it."""
        self.server.undo(tab.user, self.server.version - self.dice.number(self.server.version))

    def settle(self) -> None:
        """Let everybody send what they still have, and everything arrive."""
        for tab in self.tabs:
            while tab.under_way or tab.unsent:
                if tab.under_way is None:
                    tab.send(self.dice)
                self.arrive(tab)
                tab.take()
        for tab in self.tabs:
            for entry in self.server.entries[tab.heard :]:
                tab.hear(entry)


def opened(dice: Dice, shapes: Sequence[Shape | None] = SHAPES) -> Session:
    """Begin a session about one of some shapes."""
    session = Session(dice, dice.pick(shapes))
    session.open()
    return session


def played(dice: Dice, shapes: Sequence[Shape | None] = SHAPES, *, events: int = EVENTS) -> Session:
    """Play a session up to some moment in the middle of it."""
    session = opened(dice, shapes)
    for _ in range(events):
        session.step()
    return session
