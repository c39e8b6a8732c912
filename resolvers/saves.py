"""What clients send to be saved, and what can become of it."""

from dataclasses import dataclass
from enum import StrEnum

from merge import values
from merge.changes import ABSENT, Change
from resolvers.errors import BadUserInputError, OperationError


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
class Text:
    """A JSON value that is passed on unread: UTF-8, and known to be well-formed."""

    data: bytes


def parsed(state: object) -> object:
    """Give a state as a value, whichever way it came. Raises BadUserInputError where it is nested too deep to read."""
    if not isinstance(state, Text):
        return state
    try:
        return values.parse(state.data)
    except values.MalformedError as error:
        raise BadUserInputError(f"This is not JSON that can be read: {error}") from error


@dataclass(frozen=True, slots=True)
class Save:
    """One save as a client sent it: a whole `state` (a value, or its Text), or ABSENT and its `changes` to the base."""

    id: str
    state: object = ABSENT
    changes: tuple[Change, ...] | None = None
    base_version: int | None = None
    name: str | None = None
    client_id: str | None = None
    sequence: int | None = None
    reason: Reason = Reason.MANUAL
    mode: Mode = Mode.MERGE
    allow_empty: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What a batch has in the place of a save that is none."""

    id: str
    error: OperationError
