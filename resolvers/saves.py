"""How a save is decided: a pure function from what stands and what was sent to what is answered and written."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from db.clients import Client
from db.workflows import Head
from merge import changes, diff, shapes
from merge.changes import ABSENT, Change
from merge.values import Problem

Document = dict[str, Any]


class Reason(StrEnum):
    """Why a client saves."""

    DEBOUNCED = "DEBOUNCED"
    PERIODIC = "PERIODIC"
    UNLOAD = "UNLOAD"
    MANUAL = "MANUAL"
    IMPORT = "IMPORT"
    RESTORE = "RESTORE"
    UNDO = "UNDO"
    RESOLVE = "RESOLVE"


class Mode(StrEnum):
    """What to do where somebody else saved since the base."""

    MERGE = "MERGE"
    STRICT = "STRICT"
    OVERWRITE = "OVERWRITE"


class Status(StrEnum):
    """What became of a save."""

    CREATED = "CREATED"
    SAVED = "SAVED"
    MERGED = "MERGED"
    UNCHANGED = "UNCHANGED"
    CONFLICT = "CONFLICT"
    REJECTED = "REJECTED"
    RESYNC = "RESYNC"
    OUT_OF_ORDER = "OUT_OF_ORDER"


@dataclass(frozen=True, slots=True)
class Save:
    """One save as a client sent it: a whole `state`, or ABSENT and its `changes`."""

    id: str
    state: Any = ABSENT
    changes: Sequence[object] | None = None
    base_version: int | None = None
    name: str | None = None
    client_id: str | None = None
    sequence: int | None = None
    reason: Reason = Reason.MANUAL
    mode: Mode = Mode.MERGE
    allow_empty: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Base:
    """What the client had when it made the edit: its base version, and the saves of its own that came after.

    `state` is None where nobody else has saved since: then the base is what stands. `reachable` is False where the
    version is above the current one or older than the journal.
    """

    version: int
    reachable: bool = True
    state: Document | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What is stored when the save is decided. `head` is None where the save creates the workflow."""

    head: Head | None
    state: Document
    client: Client
    base: Base

    @property
    def version(self) -> int:
        """The current version, 0 where there is no workflow yet."""
        return self.head.version if self.head else 0


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a save.

    `version` and `answer` (the changes that lead from what the client sent to that version) go to the client,
    `written` (what leads from the version before) into the journal; None where nothing is written. `held` is the
    version that the client is known to hold afterwards. A `kept` payload waits for somebody who looks.
    """

    status: Status
    version: int
    held: int
    written: tuple[Change, ...] | None = None
    answer: tuple[Change, ...] = ()
    problems: tuple[Problem, ...] = ()
    kept: bool = False


def decide(save: Save, standing: Standing, problems: tuple[Problem, ...]) -> Decision:
    """Decide a save that is no retry. `problems` are what is wrong with its document as such."""
    version, held = standing.version, standing.client.last_version
    if problems:
        return Decision(Status.REJECTED, version, held, problems=problems)
    if standing.head is None:
        written = tuple(diff.diff({}, save.state))
        return Decision(Status.CREATED, 1, 1, written=written)
    if standing.head.deleted_at is not None:
        return Decision(Status.REJECTED, version, held, problems=(DELETED,), kept=True)
    if not standing.base.reachable:
        return Decision(Status.RESYNC, version, held, kept=True)
    return _compare(save, standing)


def _compare(save: Save, standing: Standing) -> Decision:
    version, held, base = standing.version, standing.client.last_version, standing.base.state
    written = tuple(diff.diff(standing.state, save.state))
    if changes.is_only_clock(written):
        return Decision(Status.UNCHANGED, version, version, answer=_answer(save, standing) if written else ())
    if shapes.empties(standing.state if base is None else base, save.state) and not save.allow_empty:
        return Decision(Status.REJECTED, version, held, problems=(EMPTY,))
    if base is None:
        return Decision(Status.SAVED, version + 1, version + 1, written=written)
    if changes.is_only_clock(diff.diff(base, save.state)):
        return Decision(Status.UNCHANGED, version, standing.base.version, answer=_answer(save, standing))
    return Decision(Status.CONFLICT, version, held, answer=_answer(save, standing), kept=True)


def _answer(save: Save, standing: Standing) -> tuple[Change, ...]:
    return tuple(diff.diff(save.state, standing.state))


DELETED = Problem((), "DELETED", "The workflow is in the trash: undelete it first. What was sent is kept.")
EMPTY = Problem(
    (),
    "EMPTY",
    "This save would remove every block. If that is what you want, send it with `allowEmpty: true`.",
)
