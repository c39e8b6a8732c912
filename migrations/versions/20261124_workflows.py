"""Workflows, their journal and everything that stands around them: the first tables.

Revision: 20261124_workflows, the first
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "20261124_workflows"
down_revision = None
branch_labels = None
depends_on = None


def _time(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)


def _workflow_id() -> sa.Column[str]:
    return sa.Column("workflow_id", sa.Text, sa.ForeignKey("workflows.id"), nullable=False)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "workflows",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("owner_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", JSONB, nullable=False),
        sa.Column("state_version", sa.Integer, nullable=False),
        sa.Column("saved_by", sa.Text, nullable=False),
        _time("saved_at"),
        _time("created_at"),
        sa.Column("revision", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("revised_by", sa.Text, nullable=False),
        _time("revised_at"),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        sa.Column("purged_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id"),
        # Room for new row versions on the same page: a save touches no indexed narrow column.
        postgresql_with={"fillfactor": "70"},
    )
    op.create_index("workflows_owner_id_idx", "workflows", ["owner_id"])
    op.create_index(
        "workflows_state_idx",
        "workflows",
        ["state"],
        postgresql_using="gin",
        postgresql_ops={"state": "jsonb_path_ops"},
    )
    op.create_table(
        "workflow_changes",
        sa.Column("workflow_id", sa.Text, nullable=False),  # its rows come and go under the lock of its workflow
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("save_id", sa.Uuid, nullable=False),
        sa.Column("changes", JSONB, nullable=False),
        sa.Column("conflicts", JSONB, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("repairs", JSONB, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("saved_by", sa.Text, nullable=False),
        sa.Column("client_id", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("sequence", sa.BigInteger),
        sa.Column("digest", sa.LargeBinary),
        sa.Column("base_version", sa.Integer),
        _time("saved_at"),
        sa.Column("label", sa.Text),
        sa.PrimaryKeyConstraint("workflow_id", "version"),
    )
    op.create_table(
        "workflow_checkpoints",
        _workflow_id(),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("workflow_id", "version"),
    )
    op.create_table(
        "workflow_clients",
        sa.Column("workflow_id", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("last_sequence", sa.BigInteger, nullable=False),
        sa.Column("last_version", sa.Integer, nullable=False),
        sa.Column("answers", JSONB, nullable=False),
        _time("seen_at"),
        sa.PrimaryKeyConstraint("workflow_id", "user_id", "client_id"),
        postgresql_with={"fillfactor": "70"},  # as above
    )
    op.create_table(
        "workflow_members",
        _workflow_id(),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("workflow_id", "user_id"),
        sa.CheckConstraint("role IN ('EDITOR', 'VIEWER')", name="role"),
    )
    op.create_index("workflow_members_user_id_idx", "workflow_members", ["user_id"])
    op.create_table(
        "workflow_conflicts",
        sa.Column("id", sa.Uuid, nullable=False),
        _workflow_id(),
        sa.Column("path", ARRAY(sa.Text), nullable=False),
        sa.Column("sides", JSONB, nullable=False),
        sa.Column("winner", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("client_id", sa.Text),
        sa.Column("theirs_by", sa.Text, nullable=False),
        sa.Column("theirs_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("theirs_version", sa.Integer, nullable=False),
        sa.Column("base_version", sa.Integer),
        _time("kept_at"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("workflow_conflicts_workflow_id_idx", "workflow_conflicts", ["workflow_id"])
    op.create_index(
        "workflow_conflicts_payload_idx",
        "workflow_conflicts",
        ["workflow_id", "user_id", "client_id"],
        unique=True,
        postgresql_where=sa.text("path = '{}'::text[]"),
        postgresql_nulls_not_distinct=True,
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in ("conflicts", "members", "clients", "checkpoints", "changes"):
        op.drop_table(f"workflow_{table}")
    op.drop_table("workflows")
