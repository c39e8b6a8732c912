"""How one process writes saves: those that arrive together share one statement and one transaction.

A batch is what arrived while the one before it was committed; nothing waits for a timer.

    arrived --decided on what is known--> written, where the head is as it is known --> COMMIT --> answered
        |            |                        |
        |            |                        +--the head is another, or somebody holds it: brought forward, once more
        |            +--not to be told from what is known, or something is to be kept besides ---+
        +--nobody was here before ---------------------------------------------------------------+--> each alone
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from db import batches
from db.batches import Author, Move, OutdatedError, Row
from db.database import CONNECTION_ERRORS, Database, UnavailableError
from db.workflows import Head
from merge import changes, values
from resolvers import answers, decisions, records, retries, standings
from resolvers.answers import Answer
from resolvers.decisions import Decision, Standing
from resolvers.saves import Status
from resolvers.snapshots import Snapshots
from resolvers.states import Known, States
from resolvers.submissions import Ground, Submission
from resolvers.tally import Tally

MOST_SAVES = 128  # in one batch
UNKNOWN_TIME = datetime.max.replace(tzinfo=UTC)  # of saves that are being written
SIMPLE = frozenset((Status.SAVED, Status.MERGED, Status.UNCHANGED))

logger = logging.getLogger(__name__)


class LostError(Exception):
    """The connection was lost while a batch was committed: a save in it may be written, with this `answer`, or not."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


@dataclass(slots=True, eq=False)
class _Member:
    """One save in a batch, with what it is decided to be, on which grounds, and the head that then stands.

    It `is_alone` where it is for no batch.
    """

    submission: Submission
    done: asyncio.Future[Answer | None]
    standing: Standing | None = None
    decision: Decision | None = None
    head: Head | None = None
    is_alone: bool = False

    @property
    def answer(self) -> Answer:
        """What it gets if the batch is written."""
        assert self.standing is not None
        assert self.decision is not None
        return answers.of(self.submission, self.standing, self.decision, self.head)

    def settle(self, saved_at: datetime) -> None:
        """Answer a save that was written, or found to change nothing, at that time."""
        if self.decision is not None and self.decision.document is not None and self.head is not None:
            self.head = self.head.moved(self.head.version, self.head.saved_by, saved_at)
        if not self.done.done():
            self.done.set_result(self.answer)

    def give_up(self) -> None:
        """Say that it was not written, unless something else was said."""
        if not self.done.done():
            self.done.set_result(None)

    def lose(self) -> None:
        """Say that nobody knows what became of it."""
        if not self.done.done():
            self.done.set_exception(LostError(self.answer))


@dataclass(slots=True)
class _Draft:
    """What a batch makes of one workflow: what was known before and is afterwards, and what is written."""

    before: Known
    after: Known
    members: list[_Member] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    authors: dict[tuple[str, str | None], Author] = field(default_factory=dict)


@dataclass(slots=True)
class Saver:
    """The saves of one process."""

    database: Database
    states: States
    snapshots: Snapshots
    tally: Tally = field(default_factory=Tally)
    _waiting: list[_Member] = field(default_factory=list)
    _task: asyncio.Task[None] | None = None

    @classmethod
    @asynccontextmanager
    async def open(cls, database: Database, *, cache_bytes: int, snapshot_every: int) -> "AsyncIterator[Saver]":
        """Take saves, and bring snapshots up, until the block ends."""
        states = States(cache_bytes)
        snapshots = Snapshots(database, states, snapshot_every)
        async with snapshots.kept():
            yield cls(database, states, snapshots)

    async def save(self, submission: Submission) -> Answer | None:
        """Decide and write a save together with others; None where it must be done alone.

        Raises LostError.
        """
        if submission.save.dry_run or submission.resolves is not None or submission.ground is not Ground.CLIENT:
            return None
        member = self._join(submission)
        answer = await member.done
        if answer is None and not member.is_alone and await self._bring_forward(submission):
            answer = await self._join(submission).done
        return answer

    async def _bring_forward(self, submission: Submission) -> bool:
        """Read what stands; say whether the save can be decided from that."""
        async with self.database.transaction() as connection:
            standing = await standings.read(connection, self.states, submission)
        return standing.head is not None

    def _join(self, submission: Submission) -> _Member:
        member = _Member(submission, asyncio.get_running_loop().create_future())
        self._waiting.append(member)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="saver")
        return member

    async def _run(self) -> None:
        batch: list[_Member] = []
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MOST_SAVES], self._waiting[MOST_SAVES:]
                await self._commit(batch)
                for member in batch:
                    member.give_up()
        except Exception:
            logger.exception("A batch of %d saves broke off; what became of them is looked up.", len(batch))
        finally:  # whatever went wrong, nobody waits for ever, nor tries again what may be written
            left, self._waiting, self._task = [*batch, *self._waiting], [], None
            for member in left:
                member.lose() if member.decision else member.give_up()

    async def _commit(self, batch: Sequence[_Member]) -> None:
        drafts: dict[str, _Draft] = {}
        try:
            drafts = self._draft(batch)
            proven = await self._write(list(drafts.values())) if drafts else {}
        except UnavailableError as error:
            for member in batch:
                member.done.set_exception(error)
        except CONNECTION_ERRORS:
            for draft in drafts.values():
                for member in draft.members:
                    member.lose()
        except OutdatedError:
            pass
        except Exception as error:  # noqa: BLE001 -- each is tried alone, where its error is its own
            logger.warning("A batch of %d saves failed (%r); each is tried alone.", len(batch), error)
        else:
            self._settle(drafts, proven)

    def _draft(self, batch: Sequence[_Member]) -> dict[str, _Draft]:
        drafts: dict[str, _Draft] = {}
        for member in batch:
            workflow_id = member.submission.save.id
            if (draft := drafts.get(workflow_id)) is None:
                known = self.states.find(workflow_id)
                draft = _Draft(known, known.copy()) if known else None
            if draft is not None and _add(draft, member):
                drafts[workflow_id] = draft
        return drafts

    async def _write(self, drafts: Sequence[_Draft]) -> dict[str, datetime]:
        moves = [self._move(draft) for draft in drafts]
        authors = [author for draft in drafts for author in draft.authors.values()]
        rows = [row for draft in drafts for row in draft.rows]
        self.tally.batches.add(sum(len(draft.members) for draft in drafts))
        async with self.database.connection() as connection:
            return await batches.write(connection, moves, authors, rows)

    def _move(self, draft: _Draft) -> Move:
        before, after = draft.before.head, draft.after.head
        shown = self.snapshots.is_shown(before.version, after.version)
        state = draft.after.state if shown else None
        return Move(before.id, before.version, before.revision, after.version, after.saved_by, state)

    def _settle(self, drafts: dict[str, _Draft], proven: dict[str, datetime]) -> None:
        for workflow_id, saved_at in proven.items():
            draft = drafts[workflow_id]
            if draft.rows:
                self._note(draft, saved_at)
            self.states.put(draft.after)
            for member in draft.members:
                member.settle(saved_at)

    def _note(self, draft: _Draft, saved_at: datetime) -> None:
        before, after = draft.before.head, draft.after
        after.date(len(draft.rows), saved_at)
        self.snapshots.note(
            before.id,
            journal=sum(len(row.changes) for row in draft.rows),
            document=after.size,
            shown=self.snapshots.is_shown(before.version, after.head.version),
        )


def _add(draft: _Draft, member: _Member) -> bool:
    """Decide a save on what the batch makes of its workflow; False where that cannot be done here."""
    submission = member.submission
    sequence, standing = submission.save.sequence, standings.of(draft.after, submission)
    if standing is None or (sequence is not None and sequence != standing.client.last_sequence + 1):
        return False
    decision = decisions.decide(submission, standing)
    if decision.status not in SIMPLE or decision.conflicts or decision.payload is not None:
        member.is_alone = True
        return False
    if draft.rows and decision.document is None:  # its answer would tell a time that nobody knows yet
        return False
    member.standing, member.decision, member.head = standing, decision, standing.head
    if decision.document is not None:
        _write_down(draft, member, standing, decision)
    _note_author(draft, member, standing, decision)
    draft.after.text = submission.text or draft.after.text
    draft.members.append(member)
    return True


def _write_down(draft: _Draft, member: _Member, standing: Standing, decision: Decision) -> None:
    assert decision.document is not None
    entry = records.entry(member.submission, decision, UNKNOWN_TIME)
    receipt = records.receipt(member.submission, standing, decision)
    text, growth = values.dump(entry.changes), sum(map(changes.growth, decision.written))
    draft.rows.append(Row(entry, receipt, text))
    draft.after.note_save(entry, decision.document, size=len(text), growth=growth)
    member.head = draft.after.head_for(member.submission.user)


def _note_author(draft: _Draft, member: _Member, standing: Standing, decision: Decision) -> None:
    save, user, client = member.submission.save, member.submission.user, standing.client
    if save.client_id is not None:
        client = retries.noted(member.submission, standing, decision, member.answer)
        draft.after.note_client(user, save.client_id, client)
    earlier = draft.authors.get((user, save.client_id))
    known = earlier.known if earlier else standing.client
    draft.authors[user, save.client_id] = Author(save.id, user, save.client_id, known, client)
