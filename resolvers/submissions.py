"""A save with what is found out about it before the database is asked."""

import hashlib
import re
import uuid
from dataclasses import dataclass
from enum import Enum, auto

from db.conflicts import Kept
from merge import changes, values
from merge.changes import ABSENT, Change
from merge.values import Problem
from resolvers import errors, inputs
from resolvers.context import Context, Limits, UserId
from resolvers.saves import Save

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

    `save_id` tells it from every other, `digest` (SHA-256) a retry from a different save. `problems` are what is wrong
    with what was sent, wherever it goes. Changes that are `shallow` make no document too deep, and it grows by at most
    `growth` bytes. The conflict that it `resolves` is closed where the save is decided.
    """

    save: Save
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
    problems = _problems(save, context.limits)
    text = _canonical(save, problems)
    return Submission(
        save,
        viewer.id,
        uuid.uuid4(),
        problems,
        hashlib.sha256(text).hexdigest(),
        context.limits,
        growth=len(text) + EXPONENT_ZEROS * len(_EXPONENT.findall(text)),
        is_shallow=all(_is_shallow(change, context.limits) for change in save.changes or ()),
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


def _problems(save: Save, limits: Limits) -> tuple[Problem, ...]:
    if save.changes is None:
        return _document_problems(save.state, limits)
    return tuple(problem for change in save.changes for problem in _change_problems(change, limits))


def _document_problems(document: object, limits: Limits) -> tuple[Problem, ...]:
    return tuple(values.problems(document, max_depth=limits.document_depth, max_bytes=limits.document_bytes))


def _change_problems(change: Change, limits: Limits) -> tuple[Problem, ...]:
    """Check a change as if it were a document of its own: its path and order as keys, its value below them."""
    carried = None if change.value is ABSENT else change.value
    keys: dict[str, object] = dict.fromkeys((*change.path, *(change.order or ())))
    found = _document_problems({"": carried} | keys, limits)
    return tuple(Problem((*change.path, *problem.path[1:]), problem.code, problem.message) for problem in found)


def _is_shallow(change: Change, limits: Limits) -> bool:
    """Say whether a change surely makes no document too deep: each key of its path may lead through a list."""
    depth = limits.document_depth - 2 * len(change.path)
    if not isinstance(change.value, dict | list):
        return depth > 0
    return not values.problems({"": change.value}, max_depth=depth, max_bytes=limits.document_bytes)


def _canonical(save: Save, problems: tuple[Problem, ...]) -> bytes:
    """Write down what tells one save from another."""
    sent: object = save.state if save.changes is None else [changes.to_json(change) for change in save.changes]
    if problems:
        sent = [[*problem.path, problem.code] for problem in problems]
    fields = [sent, save.base_version, save.name, save.reason, save.mode, save.allow_empty]
    return values.canonical(fields)
