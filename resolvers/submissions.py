"""A save with what is found out about it before the database is asked."""

import hashlib
import re
import uuid
from dataclasses import dataclass
from enum import Enum, auto
from typing import cast

from db.conflicts import Kept
from merge import changes, texts, values
from merge.changes import ABSENT, Change
from merge.values import Document, Problem
from resolvers import errors, inputs, saves
from resolvers.context import Context, Limits, UserId
from resolvers.saves import Save, Text

SCALAR_BYTES = 32  # of JSON, for an integer, a boolean or null, with what stands around it
EXPONENT_ZEROS = 310  # digits that Postgres writes for the exponent of a double, at most
_EXPONENT = re.compile(rb"\de[-\d]")


class Ground(Enum):
    """What a save is compared with."""

    CLIENT = auto()  # its base version with the client's own later saves
    VERSION = auto()  # its base version alone: whoever saved since is somebody else, but for a kept payload's sender
    HEAD = auto()  # whatever stands


@dataclass(frozen=True, slots=True)
class Submission:
    """One save of one user.

    `state` is the one that was sent, as a value, and `text` how it was written, if that can be compared with the next.
    `save_id` tells the save from every other, `digest` (SHA-256) a retry from a different save; without a sequence it
    is empty. `problems` are what is wrong with what was sent, wherever it goes. Changes that are `shallow` make no
    document too deep, and it grows by at most `growth` bytes. The conflict that it `resolves` is closed where the save
    is decided.
    """

    save: Save
    state: object
    text: texts.Known | None
    user: UserId
    save_id: uuid.UUID
    problems: tuple[Problem, ...]
    digest: str
    limits: Limits
    growth: int
    is_shallow: bool
    ground: Ground = Ground.CLIENT
    resolves: Kept | None = None

    def check(self, document: object) -> tuple[Problem, ...]:
        """Say why a document cannot be stored."""
        return _document_problems(document, self.limits)


def submit(context: Context, save: Save, *, ground: Ground = Ground.CLIENT, resolves: Kept | None = None) -> Submission:
    """Check what can be checked beforehand. Raises UnauthenticatedError, BadUserInputError."""
    viewer = context.known_viewer()
    _check(save, ground)
    changes_sent = save.changes or ()
    state, text, problems = _state(context, save) if save.changes is None else (ABSENT, None, _problems(save, context))
    return Submission(
        save,
        state,
        text,
        viewer.id,
        uuid.uuid4(),
        problems,
        "" if save.sequence is None else _digest(save, problems),
        context.limits,
        growth=sum(map(_growth, changes_sent)),
        is_shallow=all(_is_shallow(change, context.limits) for change in changes_sent),
        ground=ground,
        resolves=resolves,
    )


def _check(save: Save, ground: Ground) -> None:
    inputs.identifier("id", save.id)
    if (save.state is ABSENT) is (save.changes is None):
        raise errors.BadUserInputError("Send exactly one of `state` and `changes`.")
    if save.client_id is not None:
        inputs.identifier("clientId", save.client_id)
    if save.name is not None:
        inputs.name(save.name)
    if save.base_version is not None:
        inputs.version("baseVersion", save.base_version)
    elif save.changes is not None and ground is not Ground.HEAD:
        raise errors.BadUserInputError("`changes` need a `baseVersion`: the version that they were made on.")
    if save.sequence is not None and (save.sequence < 1 or save.client_id is None):
        raise errors.BadUserInputError("`sequence` counts the saves of a `clientId` from 1 on: send both.")


def _state(context: Context, save: Save) -> tuple[object, texts.Known | None, tuple[Problem, ...]]:
    """Read a state, if it can be only where it differs from the one that was sent before, and check it."""
    limits = context.limits
    if not isinstance(save.state, Text):
        return save.state, None, _document_problems(save.state, limits)
    before = context.saver.states.text_of(save.id)
    if before is not None:
        most = {"max_depth": limits.document_depth, "max_bytes": limits.document_bytes}
        text = texts.read(save.state.data, before, **most)
        if text is not None:
            return text.document, text, ()
    state = saves.parsed(save.state)
    size = values.size(state, limits.document_depth) if isinstance(state, dict) else None
    if size is None or size > limits.document_bytes:
        return state, None, _document_problems(state, limits)
    return state, texts.Known(save.state.data, cast("Document", state), size), ()


def _problems(save: Save, context: Context) -> tuple[Problem, ...]:
    return tuple(problem for change in save.changes or () for problem in _change_problems(change, context.limits))


def _document_problems(document: object, limits: Limits) -> tuple[Problem, ...]:
    return tuple(values.problems(document, max_depth=limits.document_depth, max_bytes=limits.document_bytes))


def _change_problems(change: Change, limits: Limits) -> tuple[Problem, ...]:
    """Check a change as if it were a document of its own: its path and order as keys, its value below them."""
    carried = None if change.value is ABSENT else change.value
    keys: dict[str, object] = dict.fromkeys((*change.path, *(change.order or ())))
    found = _document_problems(keys | {"": carried}, limits)
    return tuple(Problem((*change.path, *problem.path[1:]), problem.code, problem.message) for problem in found)


def _is_shallow(change: Change, limits: Limits) -> bool:
    """Say whether a change surely makes no document too deep: each key of its path may lead through a list."""
    depth = limits.document_depth - 2 * len(change.path)
    if not isinstance(change.value, dict | list):
        return depth > 0
    return not values.problems({"": change.value}, max_depth=depth, max_bytes=limits.document_bytes)


def _growth(change: Change) -> int:
    """Say by how many bytes a change makes a document grow, at most, as Postgres writes it."""
    size = len(change.path[-1]) if change.path else 0
    if change.value is ABSENT or isinstance(change.value, bool | int | None):
        return size + SCALAR_BYTES
    text = values.dump(change.value)
    return 6 * size + len(text) + EXPONENT_ZEROS * len(_EXPONENT.findall(text)) + SCALAR_BYTES


def _digest(save: Save, problems: tuple[Problem, ...]) -> str:
    """Tell one save from another; the same state counts as another one where it is written in another way."""
    sent: object = None if save.changes is None else [changes.to_json(change) for change in save.changes]
    state = b""
    if isinstance(save.state, Text):
        state = save.state.data
    elif problems:
        sent = [[*problem.path, problem.code] for problem in problems]
    elif save.changes is None:
        state = values.dump(save.state)
    fields = [sent, save.base_version, save.name, save.reason, save.mode, save.allow_empty]
    return hashlib.sha256(values.canonical(fields) + state).hexdigest()
