"""One workflow without a database: head, journal and stored answers, kept as the database keeps them.

Whatever is decided is decided by the code of production; only the storing is done anew.
"""

from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, TypeAlias

from db.clients import NEW, Client
from db.conflicts import to_json as conflict_json
from db.journal import Entry
from db.workflows import Head, Role
from merge import apply, changes, repair, values
from resolvers import answers, decisions, documents, retries, submissions
from resolvers.answers import Answer
from resolvers.context import Context, Limits, UserId, Viewer
from resolvers.decisions import Base, Decision, Standing
from resolvers.saves import Reason, Save, Status
from resolvers.submissions import Ground, Submission
from tests.documents import Document

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OWNER = "owner"
OFFLINE: Any = None  # a decision asks no database


@dataclass(frozen=True, slots=True)
class Undo:
    """A version that is taken back."""

    version: int


Request: TypeAlias = Save | Undo


@dataclass(frozen=True, slots=True)
class Decided:
    """A request that was decided, what stood then, and what was answered."""

    user: str
    request: Request
    submission: Submission
    standing: Standing
    decision: Decision
    answer: Answer


def stored(value: Any) -> Any:  # noqa: ANN401 -- JSON
    """Give what JSONB makes of a value: the same, but keys have an order of their own, and a zero has no sign."""
    return _stored(values.load(values.dump(value)))


def _stored(value: Any) -> Any:  # noqa: ANN401 -- JSON
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
        return {key: _stored(value[key]) for key in keys}
    if isinstance(value, list):
        return list(map(_stored, value))
    return value + 0.0 if isinstance(value, float) else value


@dataclass(slots=True)
class Memory:
    """A workflow that `owner` creates and everybody may save. `states` has a checkpoint for each version, from 0 on."""

    states: list[Document] = field(default_factory=lambda: [{}])
    entries: list[Entry] = field(default_factory=list)
    clients: dict[tuple[str, str], Client] = field(default_factory=dict)
    log: list[Decided] = field(default_factory=list)

    @property
    def version(self) -> int:
        return len(self.entries)

    @property
    def state(self) -> Document:
        return self.states[-1]

    def save(self, user: str, save: Save) -> Answer:
        """Save as `sync` does."""
        submission = _submit(user, save, Ground.CLIENT)
        client = self._client(submission)
        if (before := retries.find(submission, client)) is not None:
            return self._again(submission, client, before)
        assert save.sequence in {None, client.last_sequence + 1}, "a tab has one save under way"
        return self._decide(save, submission, client)

    def undo(self, user: str, version: int) -> Answer:
        """Take a version back as `history` does."""
        entry = self.entries[version - 1]
        save = Save(
            "w",
            changes=tuple(changes.inverse(documents.changes_of(entry))),
            base_version=version,
            reason=Reason.UNDO,
            allow_empty=True,
        )
        return self._decide(Undo(version), _submit(user, save, Ground.VERSION), NEW)

    def _decide(self, request: Request, submission: Submission, client: Client) -> Answer:
        base_version, save = submission.save.base_version, submission.save
        version = client.last_version if base_version is None else base_version
        standing = self._standing(submission, client, self.version, version)
        decision = decisions.decide(submission, standing)
        if decision.document is not None:
            self._write(submission, decision)
        answer = answers.of(submission, standing, decision, self._head(self.version))
        if save.client_id is not None:
            self.clients[submission.user, save.client_id] = retries.noted(submission, standing, decision, answer)
        self.log.append(Decided(submission.user, request, submission, standing, decision, answer))
        return answer

    def _again(self, submission: Submission, client: Client, before: retries.Stored) -> Answer:
        """Answer a retry by deciding it on what stood then."""
        version = before["version"] - (before["status"] in {Status.CREATED, Status.SAVED, Status.MERGED})
        standing = self._standing(submission, client, version, before["base"])
        decision = decisions.decide(submission, standing)
        assert decision.status == before["status"]
        return answers.of(submission, standing, decision, self._head(self.version))

    def _write(self, submission: Submission, decision: Decision) -> None:
        self.states.append(stored(decision.document))
        self.entries.append(
            Entry(
                "w",
                decision.version,
                stored([changes.to_json(change) for change in decision.written]),
                stored([conflict_json(conflict) for conflict in decision.conflicts]),
                stored([repair.to_json(found) for found in decision.repairs]),
                saved_by=submission.user,
                saved_at=NOW,
                client_id=submission.save.client_id,
                reason=submission.save.reason,
                label=None,
            )
        )

    def _client(self, submission: Submission) -> Client:
        client_id = submission.save.client_id
        return NEW if client_id is None else self.clients.get((submission.user, client_id), NEW)

    def _head(self, version: int) -> Head:
        return Head("w", OWNER, "Untitled", version, Role.OWNER, self.entries[version - 1].saved_by, NOW, NOW, None)

    def _standing(self, submission: Submission, client: Client, version: int, base_version: int) -> Standing:
        """Give what stood at `version` for a save on `base_version`."""
        if version == 0:
            return Standing(None, {}, client, Base(0, {}))
        base = self._base(submission, self.entries[:version], base_version)
        return Standing(self._head(version), self.states[version], client, base)

    def _base(self, submission: Submission, entries: list[Entry], version: int) -> Base:
        state, since = self.states[len(entries)], entries[version:]
        if submission.save.base_version is None and version == 0:
            is_alone = all(entry.saved_by == submission.user for entry in entries)
            return Base(0, state, trace=() if is_alone else tuple(entries))
        own = [entry for entry in since if _is_own(entry, submission)]
        others = tuple(entry for entry in since if not _is_own(entry, submission))
        if not others:
            return Base(version, state)
        own_changes = (change for entry in own for change in documents.changes_of(entry))
        return Base(version, apply.fitting(documents.rewound(state, since), own_changes), others)


def _submit(user: str, save: Save, ground: Ground) -> Submission:
    known = {"limits": Limits(), "viewer": Viewer(UserId(user))}
    return submissions.submit(
        Context(**{field.name: OFFLINE for field in fields(Context)} | known), save, ground=ground
    )


def _is_own(entry: Entry, submission: Submission) -> bool:
    author = submission.user, submission.save.client_id
    return (
        submission.ground is Ground.CLIENT
        and entry.client_id is not None
        and author == (entry.saved_by, entry.client_id)
    )
