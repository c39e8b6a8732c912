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
from db.database import CONNECTION_ERRORS, Connection, Database
from merge import changes, values
from resolvers import answers, decisions, records, retries, standings
from resolvers.answers import Answer
from resolvers.decisions import Decision, Standing
from resolvers.saves import Status
from resolvers.snapshots import Snapshots
from resolvers.states import Known, States
from resolvers.submissions import Ground, Submission

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
    """One save in a batch. The `answer` is what it gets if the batch is written; it `is_alone` if it is for none."""

    submission: Submission
    done: asyncio.Future[Answer | None]
    answer: Answer | None = None
    is_written: bool = False
    is_alone: bool = False

    def settle(self, saved_at: datetime | None) -> None:
        """Answer a save that was written or proven at that time, or say that it was not."""
        if self.done.done():
            return
        answer = self.answer if saved_at is not None else None
        if answer is not None and saved_at is not None and self.is_written:
            answer = answers.at(answer, saved_at)
        self.done.set_result(answer)

    def lose(self) -> None:
        """Say that nobody knows what became of it."""
        assert self.answer is not None
        self.done.set_exception(LostError(self.answer))


@dataclass(slots=True)
class _Draft:
    """What a batch makes of one workflow: what was known before and is afterwards, and what is written."""

    before: Known
    after: Known
    members: list[_Member] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    authors: dict[tuple[str, str | None], Author] = field(default_factory=dict)

    @property
    def is_tentative(self) -> bool:
        """Whether the head is one that this batch writes."""
        return bool(self.rows)


@dataclass(slots=True)
class Saver:
    """The saves of one process."""

    database: Database
    states: States
    snapshots: Snapshots
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
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST_SAVES], self._waiting[MOST_SAVES:]
            try:
                await self._commit(batch)
            finally:
                for member in batch:
                    member.settle(None)
        self._task = None

    async def _commit(self, batch: Sequence[_Member]) -> None:
        drafts = self._draft(batch)
        if not drafts:
            return
        try:
            async with self.database.connection() as connection:
                proven = await self._write(connection, list(drafts.values()))
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
                draft = _Draft(known, known) if known else None
            if draft is not None and _add(draft, member):
                drafts[workflow_id] = draft
        return drafts

    async def _write(self, connection: Connection, drafts: Sequence[_Draft]) -> dict[str, datetime]:
        return await batches.write(
            connection,
            [self._move(draft) for draft in drafts],
            [author for draft in drafts for author in draft.authors.values()],
            [row for draft in drafts for row in draft.rows],
        )

    def _move(self, draft: _Draft) -> Move:
        before, after = draft.before.head, draft.after.head
        shown = self.snapshots.is_shown(before.version, after.version)
        state = draft.after.state if shown else None
        return Move(before.id, before.version, before.revision, after.version, after.saved_by, state)

    def _settle(self, drafts: dict[str, _Draft], proven: dict[str, datetime]) -> None:
        for workflow_id, draft in drafts.items():
            saved_at = proven.get(workflow_id)
            if saved_at is not None:
                self._take_in(draft, saved_at)
            for member in draft.members:
                member.settle(saved_at)

    def _take_in(self, draft: _Draft, saved_at: datetime) -> None:
        before, after = draft.before.head, draft.after
        if draft.rows:
            self.snapshots.note(
                before.id,
                journal=sum(len(row.changes) for row in draft.rows),
                document=after.size,
                shown=self.snapshots.is_shown(before.version, after.head.version),
            )
        self.states.put(after.dated(saved_at, UNKNOWN_TIME) if draft.rows else after)


def _add(draft: _Draft, member: _Member) -> bool:
    """Decide a save on what the batch makes of its workflow; False where that cannot be done here."""
    submission, known = member.submission, draft.after
    save = submission.save
    standing = standings.of(known, submission)
    if standing is None or (save.sequence is not None and save.sequence != standing.client.last_sequence + 1):
        return False
    decision = decisions.decide(submission, standing)
    if decision.status not in SIMPLE or decision.conflicts or decision.payload is not None:
        member.is_alone = True
        return False
    if draft.is_tentative and decision.document is None:  # its answer would tell a time that nobody knows yet
        return False
    _write_down(draft, member, standing, decision)
    return True


def _write_down(draft: _Draft, member: _Member, standing: Standing, decision: Decision) -> None:
    submission = member.submission
    save, user, head = submission.save, submission.user, standing.head
    assert head is not None
    if decision.document is not None:
        entry = records.entry(submission, decision, UNKNOWN_TIME)
        text = values.dump(entry.changes)
        draft.rows.append(Row(entry, records.receipt(submission, standing, decision), text))
        growth = sum(map(changes.growth, decision.written))
        draft.after = draft.after.with_save(entry, decision.document, growth)
        head = draft.after.head_for(user)
        member.is_written = True
    member.answer = answers.of(submission, standing, decision, head)
    client = standing.client
    if save.client_id is not None:
        client = retries.noted(submission, standing, decision, member.answer)
        draft.after = draft.after.with_client(user, save.client_id, client)
    earlier = draft.authors.get((user, save.client_id))
    known = earlier.known if earlier else standing.client
    draft.authors[user, save.client_id] = Author(save.id, user, save.client_id, known, client)
    draft.members.append(member)
