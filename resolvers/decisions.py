"""How a save is decided: a pure function from what stands and what was sent to what is written and answered."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

from db.clients import Client
from db.conflicts import Conflict
from db.journal import Entry
from db.workflows import Head
from merge import apply, changes, diff, repair, shapes, three_way
from merge.apply import PathError
from merge.changes import ABSENT, CLOCK, Change
from merge.repair import Repair
from merge.three_way import Collision, Side
from merge.touched import Touched
from merge.values import Document, Problem
from resolvers.saves import Mode, Reason, Save, Status
from resolvers.submissions import Ground, Submission


@dataclass(frozen=True, slots=True)
class Base:
    """What the client had when it made the edit.

    `state` is the document at `version` with the client's own later saves, None where the version is above the current
    one or older than the journal. `others` are the saves of everybody else since, oldest first. For a save that names
    no base and whose client was never answered, `state` is what stands, `version` 0, and `trace` has the newest saves,
    to know whose values it replaces.
    """

    version: int
    state: Document | None
    others: tuple[Entry, ...] = ()
    trace: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """What is stored when a save is decided. `head` is None where the save creates the workflow.

    `size` is what `state` has at most, in bytes of compact JSON; None where nobody counted.
    """

    head: Head | None
    state: Document
    client: Client
    base: Base
    size: int | None = None

    @property
    def version(self) -> int:
        """The current version, 0 where there is no workflow yet."""
        return self.head.version if self.head else 0


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a save.

    `version` and `answer` (the changes that lead to it from what the client has, or, where it sent no document, from
    what stood before) go to the client, `written` (what leads from the version before to `document`) into the journal.
    `held` is the version that the client surely holds afterwards, whether or not it applies the answer. A `payload` is
    kept whole.
    """

    status: Status
    version: int
    held: int
    document: Document | None = None
    written: tuple[Change, ...] = ()
    answer: tuple[Change, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    repairs: tuple[Repair, ...] = ()
    problems: tuple[Problem, ...] = ()
    payload: object = None


def decide(submission: Submission, standing: Standing) -> Decision:
    """Decide a save that is no retry."""
    return _Deciding(submission, submission.save, standing).decide()


BLOCK_LEVELS = 3  # keys from the document down to a block: at the top, or one level further down
DELETED = Problem((), "DELETED", "The workflow is in the trash: undelete it first. What was sent is kept.")
EMPTY = Problem(
    (),
    "EMPTY",
    "This save would remove every block. If that is what you want, send it with `allowEmpty: true`.",
)


@dataclass(frozen=True, slots=True)
class _Deciding:
    submission: Submission
    save: Save
    standing: Standing

    def decide(self) -> Decision:
        head, base = self.standing.head, self.standing.base.state
        if self.submission.problems:
            return self._rejected(*self.submission.problems)
        if head is not None and head.deleted_at is not None:
            return self._rejected(DELETED, payload=self._sent())
        if base is None:
            return self._refused(Status.RESYNC, payload=self._sent())
        try:
            yours, sent = self._yours(base)
        except PathError as error:
            return self._rejected(Problem(error.path, "PATH", error.reason))
        return self._decide_document(base, yours, sent)

    def _yours(self, base: Document) -> tuple[Document, Sequence[Change]]:
        """Give the client's document, and what it did to the base. To be merged, it shares with the base the rest."""
        if self.save.changes is not None:
            yours = apply.apply(base, self.save.changes)
            return yours, diff.diff(base, yours)
        state = cast("Document", self.submission.state)
        sent = diff.diff(base, state)
        return (apply.apply(base, sent) if self.standing.base.others else state), sent

    def _decide_document(self, base: Document, yours: Document, sent: Sequence[Change]) -> Decision:
        if self.save.changes is not None and not self._surely_fits() and (problems := self.submission.check(yours)):
            return self._rejected(*problems)
        if self.standing.head is None:
            return Decision(Status.CREATED, 1, 1, document=yours, written=tuple(sent))
        if changes.is_only_clock(sent) or self._stands(yours):
            return self._unchanged(yours)
        if any(map(_may_empty, sent)) and shapes.empties(base, yours) and not self.save.allow_empty:
            return self._rejected(EMPTY, payload=yours if self.save.reason is Reason.UNLOAD else None)
        if self.standing.base.others:
            return self._merge(base, yours)
        return self._alone(yours, tuple(sent))

    def _surely_fits(self) -> bool:
        size, submission = self.standing.size, self.submission
        return (
            size is not None and submission.is_shallow and size + submission.growth <= submission.limits.document_bytes
        )

    def _stands(self, yours: Document) -> bool:
        """Say whether others have brought the head to where the client is."""
        return bool(self.standing.base.others) and changes.is_only_clock(diff.diff(self.standing.state, yours))

    def _alone(self, yours: Document, sent: tuple[Change, ...]) -> Decision:
        """Write what was done to what stands: nobody else saved since the base."""
        version = self.standing.version + 1
        answer = () if self.submission.ground is Ground.CLIENT else sent
        conflicts = tuple(self._overwritten(sent)) if self.standing.base.trace else ()
        return Decision(Status.SAVED, version, self._held(version, answer), yours, sent, answer, conflicts)

    def _merge(self, base: Document, yours: Document) -> Decision:
        if self.save.mode is Mode.OVERWRITE:
            return self._refused(Status.CONFLICT, yours=yours, payload=yours)
        theirs, saves = self.standing.state, _changes_of(self.standing.base.others)
        merged = three_way.merge(base, yours, theirs, saves)
        conflicts = self._conflicts(merged.collisions, Touched(saves))
        if self.save.mode is Mode.STRICT and conflicts:
            told = tuple(replace(conflict, id=None, winner=Side.THEIRS) for conflict in conflicts)
            return replace(self._refused(Status.CONFLICT, yours=yours, payload=yours), conflicts=told)
        document, repairs = repair.repair(merged.document, yours, theirs)
        if changes.is_only_clock(diff.diff(theirs, document)):
            decision = self._unchanged(yours)
        else:
            decision = self._saved(yours, document, told=bool(conflicts))
        return replace(decision, conflicts=conflicts, repairs=repairs)

    def _conflicts(self, collisions: Sequence[Collision], touched: Touched) -> tuple[Conflict, ...]:
        return tuple(
            conflict(collision, by=self.submission.user, theirs=self._author(touched.last(collision.path)))
            for collision in collisions
        )

    def _overwritten(self, written: Sequence[Change]) -> Iterator[Conflict]:
        """Find the values of somebody else's that changes replace or remove."""
        trace = self.standing.base.trace
        own, others = (
            [entry for entry in trace if (entry.saved_by == self.submission.user) is side] for side in (True, False)
        )
        by_user, by_others = Touched(_changes_of(own)), Touched(_changes_of(others))
        for change in written:
            theirs, mine = by_others.last(change.path), by_user.last_set(change.path)
            if change.before is ABSENT or change.path == CLOCK or theirs is None:
                continue
            if mine is None or own[mine].version < others[theirs].version:
                collision = Collision(change.path, change.before, change.before, change.value, Side.YOURS)
                yield conflict(collision, by=self.submission.user, theirs=others[theirs])

    def _author(self, save: int | None) -> Entry:
        """Give the save that last touched something; where it cannot be told, the last one."""
        return self.standing.base.others[-1 if save is None else save]

    def _saved(self, yours: Document, document: Document, *, told: bool = False) -> Decision:
        """Write a document: merged where it is not just what was sent, or somebody is told of a conflict."""
        version, written = self.standing.version + 1, tuple(diff.diff(self.standing.state, document))
        merged = tuple(diff.diff(yours, document))
        status = Status.MERGED if merged or told else Status.SAVED
        answer = merged if self.submission.ground is Ground.CLIENT else written
        return Decision(status, version, self._held(version, answer), document, written, answer)

    def _unchanged(self, yours: Document) -> Decision:
        version, answer = self.standing.version, tuple(diff.diff(yours, self.standing.state))
        if self.submission.ground is not Ground.CLIENT:
            answer = ()
        return Decision(Status.UNCHANGED, version, self._held(version, answer), answer=answer)

    def _held(self, version: int, answer: Sequence[Change]) -> int:
        """Say what the client surely holds: where it would have to apply something, it may not have."""
        if self.submission.ground is not Ground.CLIENT:
            return self.standing.client.last_version
        return self.standing.base.version if answer else version

    def _refused(self, status: Status, *, payload: object, yours: Document | None = None) -> Decision:
        answer = () if yours is None else tuple(diff.diff(yours, self.standing.state))
        held = self.standing.client.last_version
        return Decision(status, self.standing.version, held, answer=answer, payload=payload)

    def _rejected(self, *problems: Problem, payload: object = None) -> Decision:
        return replace(self._refused(Status.REJECTED, payload=payload), problems=problems)

    def _sent(self) -> object:
        """Give what a client sent, for somebody to look at: the document, or the list of changes."""
        if self.submission.ground is not Ground.CLIENT:
            return None
        if self.save.changes is None:
            return self.submission.state
        return [changes.to_json(change) for change in self.save.changes]


def _may_empty(change: Change) -> bool:
    """Say whether a change may take blocks away: their maps are at most two keys down."""
    return change.removal or (change.before is not ABSENT and len(change.path) <= BLOCK_LEVELS)


def _changes_of(entries: Sequence[Entry]) -> list[list[Change]]:
    return [[changes.from_json(change) for change in entry.changes] for entry in entries]


def conflict(collision: Collision, *, by: str, theirs: Entry) -> Conflict:
    """Say who collided with whom."""
    sides = {"base": collision.base, "theirs": collision.theirs, "yours": collision.yours}
    return Conflict(
        id=uuid.uuid4(),
        path=collision.path,
        sides={side: value for side, value in sides.items() if value is not ABSENT},
        winner=collision.winner,
        yours_by=by,
        theirs_by=theirs.saved_by,
        theirs_at=theirs.saved_at,
        theirs_version=theirs.version,
    )
