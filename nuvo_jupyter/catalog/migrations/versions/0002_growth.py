"""What growth needs: condemned blobs, doomed packs, retention, schedules, large previews. Frozen: what changes is another revision."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.Float(53)


def upgrade() -> None:
    """Create them where they are missing."""
    op.create_table(
        "condemned",
        sa.Column("id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_condemned")),
        sqlite_with_rowid=False,
        if_not_exists=True,
    )
    op.create_index(op.f("ix_condemned_at"), "condemned", ["at"], unique=False, if_not_exists=True)
    op.create_table(
        "doomed",
        sa.Column("name", sa.LargeBinary(length=32), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("deleting_at", _TIME, nullable=True),
        sa.Column("orphan", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_doomed")),
        sqlite_with_rowid=False,
        if_not_exists=True,
    )
    op.create_table(
        "retention",
        sa.Column("space_id", _ID, nullable=False),
        sa.Column("keep", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", _TIME, nullable=False),
        sa.Column("changed_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["space_id"], ["space.id"], name=op.f("fk_retention_space_id")),
        sa.PrimaryKeyConstraint("space_id", name=op.f("pk_retention")),
        if_not_exists=True,
    )
    op.create_table(
        "schedule",
        sa.Column("instance_id", _ID, nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("looked_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"], name=op.f("fk_schedule_instance_id")),
        sa.PrimaryKeyConstraint("instance_id", name=op.f("pk_schedule")),
        if_not_exists=True,
    )
    op.create_index(
        "ix_snapshot_living",
        "snapshot",
        ["instance_id", "number"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        if_not_exists=True,
    )
    op.create_index("ix_snapshot_name", "snapshot", ["instance_id", "name"], unique=False, if_not_exists=True)
    op.create_index(
        "ix_snapshot_time", "snapshot", ["instance_id", "created_at"], unique=False, if_not_exists=True
    )
    op.create_table(
        "preview_target",
        sa.Column("task_id", _ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("instance", sa.String(length=500), nullable=False),
        sa.Column("result", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_preview_target_task_id")),
        sa.PrimaryKeyConstraint("task_id", "position", name=op.f("pk_preview_target")),
        if_not_exists=True,
    )
