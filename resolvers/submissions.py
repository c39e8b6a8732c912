"""A save with what can be found out about it before the database is asked."""

import hashlib
import uuid
from dataclasses import dataclass

from merge import values
from merge.changes import ABSENT
from merge.values import Problem
from resolvers import errors, inputs
from resolvers.context import Context, UserId
from resolvers.saves import Save

DEFAULT_NAME = "Untitled"


@dataclass(frozen=True, slots=True)
class Submission:
    """A save that is to be decided.

    `save_id` tells this one save from every other, `digest` (SHA-256) a retry from a different save. `name` is what a
    workflow is called that it creates. `on_top`: the base is whatever stands, and the client holds that.
    """

    save: Save
    user: UserId
    save_id: uuid.UUID
    name: str
    problems: tuple[Problem, ...]
    digest: str
    on_top: bool


def submit(context: Context, save: Save, *, on_top: bool) -> Submission:
    """Check a save, all but whether it may be written. Raises UnauthenticatedError, BadUserInputError."""
    viewer = context.known_viewer()
    name = _check(save)
    limits = context.limits
    found = values.problems(save.state, max_depth=limits.document_depth, max_bytes=limits.document_bytes)
    problems = tuple(found)
    return Submission(save, viewer.id, uuid.uuid4(), name, problems, _digest(save, problems), on_top)


def _check(save: Save) -> str:
    """Check all fields but the document, and give the name of the workflow."""
    inputs.identifier("id", save.id)
    if save.client_id is not None:
        inputs.identifier("clientId", save.client_id)
    if save.base_version is not None:
        inputs.version("baseVersion", save.base_version)
    if save.sequence is not None and (save.sequence < 1 or save.client_id is None):
        raise errors.BadUserInputError("`sequence` counts the saves of a `clientId` from 1 on: send both.")
    if (save.state is ABSENT) is (save.changes is None):
        raise errors.BadUserInputError("Send exactly one of `state` and `changes`.")
    if save.changes is not None:
        raise errors.NotYetError("changes")
    return DEFAULT_NAME if save.name is None else inputs.name(save.name)


def _digest(save: Save, problems: tuple[Problem, ...]) -> str:
    document = save.state if not problems else [[*problem.path, problem.code] for problem in problems]
    fields = [document, save.base_version, save.name, save.reason, save.mode, save.allow_empty]
    return hashlib.sha256(values.canonical(fields)).hexdigest()
