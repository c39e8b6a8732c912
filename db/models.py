"""The tables, declared once: Alembic compares the migrated database with them, queries are written in SQL."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "pk": "%(table_name)s_pkey",
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
}  # what Postgres itself would call them


class Base(DeclarativeBase):
    """Every table of ours."""

    metadata = MetaData(naming_convention=NAMING)


def _now() -> Mapped[object]:
    return mapped_column(DateTime(timezone=True), server_default=func.now(), nullable=False)


class Workflow(Base):
    """One workflow: its head (`version`) and the snapshot that shows it (`state`, at `state_version`).

    `version` counts the saves that changed something, without gaps. `revision` counts everything else that happened
    to it (renamed, shared, trashed, ...), so that one look at the row tells whether anything did. A purged workflow
    stays as a tombstone, so that its id is never given out again.
    """

    __tablename__ = "workflows"
    __table_args__ = (
        Index(None, "owner_id"),
        # jsonb_path_ops answers @> alone, at half the size of the default operator class.
        Index("workflows_state_idx", "state", postgresql_using="gin", postgresql_ops={"state": "jsonb_path_ops"}),
        {"postgresql_with": {"fillfactor": "70"}},
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    owner_id: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer)
    state: Mapped[object] = mapped_column(JSONB, nullable=False)
    state_version: Mapped[int] = mapped_column(Integer)
    saved_by: Mapped[str] = mapped_column(Text)
    saved_at: Mapped[object] = _now()
    created_at: Mapped[object] = _now()
    revision: Mapped[int] = mapped_column(BigInteger, server_default="0")
    revised_by: Mapped[str] = mapped_column(Text)
    revised_at: Mapped[object] = _now()
    deleted_at: Mapped[object | None] = mapped_column(DateTime(timezone=True))
    purged_at: Mapped[object | None] = mapped_column(DateTime(timezone=True))


class WorkflowChange(Base):
    """One save in the journal. `changes` leads from the version before to this one and back.

    `status`, `sequence` (of `client_id`), the `digest` (SHA-256) of what was sent and the `base_version` that it was
    decided on are what a retry of the save is answered from.
    """

    __tablename__ = "workflow_changes"
    __table_args__ = (PrimaryKeyConstraint("workflow_id", "version"),)

    workflow_id: Mapped[str] = mapped_column(Text)  # no foreign key: looking after it would be a third of a save
    version: Mapped[int] = mapped_column(Integer)
    save_id: Mapped[object] = mapped_column(Uuid, nullable=False)
    changes: Mapped[object] = mapped_column(JSONB, nullable=False)
    conflicts: Mapped[object] = mapped_column(JSONB, server_default=text("'[]'"), nullable=False)
    repairs: Mapped[object] = mapped_column(JSONB, server_default=text("'[]'"), nullable=False)
    saved_by: Mapped[str] = mapped_column(Text)
    client_id: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    sequence: Mapped[int | None] = mapped_column(BigInteger)
    digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    base_version: Mapped[int | None] = mapped_column(Integer)
    saved_at: Mapped[object] = _now()
    label: Mapped[str | None] = mapped_column(Text)


class WorkflowCheckpoint(Base):
    """The whole state at one version, so that any version is rebuilt from a bounded part of the journal."""

    __tablename__ = "workflow_checkpoints"
    __table_args__ = (PrimaryKeyConstraint("workflow_id", "version"),)

    workflow_id: Mapped[str] = mapped_column(ForeignKey("workflows.id"))
    version: Mapped[int] = mapped_column(Integer)
    state: Mapped[object] = mapped_column(JSONB, nullable=False)


class WorkflowClient(Base):
    """One tab of one user on one workflow: the last sequence decided, and answers that the journal does not tell.

    Those are the answers to saves that wrote nothing. There may be no workflow yet: a first save that was rejected has
    used its sequence up too.
    """

    __tablename__ = "workflow_clients"
    __table_args__ = (
        PrimaryKeyConstraint("workflow_id", "user_id", "client_id"),
        {"postgresql_with": {"fillfactor": "70"}},
    )

    workflow_id: Mapped[str] = mapped_column(Text)
    user_id: Mapped[str] = mapped_column(Text)
    client_id: Mapped[str] = mapped_column(Text)
    last_sequence: Mapped[int] = mapped_column(BigInteger)
    last_version: Mapped[int] = mapped_column(Integer)
    answers: Mapped[object] = mapped_column(JSONB, nullable=False)
    seen_at: Mapped[object] = _now()


class WorkflowMember(Base):
    """Somebody besides the owner who may see (VIEWER) or also save (EDITOR) a workflow."""

    __tablename__ = "workflow_members"
    __table_args__ = (
        PrimaryKeyConstraint("workflow_id", "user_id"),
        Index(None, "user_id"),
        CheckConstraint("role IN ('EDITOR', 'VIEWER')", name="role"),
    )

    workflow_id: Mapped[str] = mapped_column(ForeignKey("workflows.id"))
    user_id: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)


class WorkflowConflict(Base):
    """Two values for one path; with the empty path, a whole payload that could not be written.

    Of payloads, only the newest of each client is kept. `sides` holds the values under base, theirs and yours.
    """

    __tablename__ = "workflow_conflicts"
    __table_args__ = (
        Index(None, "workflow_id"),
        Index(
            "workflow_conflicts_payload_idx",
            "workflow_id",
            "user_id",
            "client_id",
            unique=True,
            postgresql_where=text("path = '{}'::text[]"),
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: Mapped[object] = mapped_column(Uuid, primary_key=True)
    workflow_id: Mapped[str] = mapped_column(ForeignKey("workflows.id"))
    path: Mapped[object] = mapped_column(ARRAY(Text), nullable=False)
    sides: Mapped[object] = mapped_column(JSONB, nullable=False)
    winner: Mapped[str] = mapped_column(Text)
    user_id: Mapped[str] = mapped_column(Text)
    client_id: Mapped[str | None] = mapped_column(Text)
    theirs_by: Mapped[str] = mapped_column(Text)
    theirs_at: Mapped[object] = mapped_column(DateTime(timezone=True), nullable=False)
    theirs_version: Mapped[int] = mapped_column(Integer)
    base_version: Mapped[int | None] = mapped_column(Integer)
    kept_at: Mapped[object] = _now()
