"""The first schema. Frozen: what changes is another revision."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SQLITE = [
    f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON audit BEGIN "
    "SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
    for verb in ("UPDATE", "DELETE")
]
_POSTGRESQL = [
    "CREATE FUNCTION audit_append_only() RETURNS trigger AS $$ BEGIN "
    "RAISE EXCEPTION 'the audit trail is append-only'; END $$ LANGUAGE plpgsql",
    "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()",
]


_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.Float(53)


def upgrade() -> None:
    """Create every table, and make the audit trail append-only."""
    op.create_table(
        "audit",
        sa.Column("id", _ID, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("who", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("space_id", _ID, nullable=True),
        sa.Column("instance_id", _ID, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_space", "audit", ["space_id", "id"], unique=False)
    op.create_table(
        "organization",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization")),
        sa.UniqueConstraint("name", name=op.f("uq_organization_name")),
    )
    op.create_table(
        "pack",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", sa.LargeBinary(length=32), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pack")),
        sa.UniqueConstraint("name", name=op.f("uq_pack_name")),
    )
    op.create_table(
        "person",
        sa.Column("id", _ID, nullable=False),
        sa.Column("username", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("username", name=op.f("uq_person_username")),
    )
    op.create_table(
        "setting",
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_setting")),
    )
    op.create_table(
        "blob",
        sa.Column("id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("pack_id", _ID, nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("codec", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["pack_id"], ["pack.id"], name=op.f("fk_blob_pack_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blob")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_blob_pack_id"), "blob", ["pack_id"], unique=False)
    op.create_table(
        "role_grant",
        sa.Column("id", _ID, nullable=False),
        sa.Column("person_id", _ID, nullable=False),
        sa.Column("scope", sa.String(length=20), nullable=False),
        sa.Column("scope_id", _ID, nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("granted_at", _TIME, nullable=False),
        sa.Column("granted_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_role_grant_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_grant")),
        sa.UniqueConstraint(
            "person_id", "scope", "scope_id", name=op.f("uq_role_grant_person_id_scope_scope_id")
        ),
    )
    op.create_index("ix_role_grant_scope", "role_grant", ["scope", "scope_id"], unique=False)
    op.create_table(
        "space",
        sa.Column("id", _ID, nullable=False),
        sa.Column("organization_id", _ID, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("visibility", sa.String(length=20), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("pull_from_master", sa.Boolean(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", _TIME, nullable=True),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_space_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_space")),
    )
    op.create_index(
        "uq_space_name",
        "space",
        ["organization_id", "name"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "instance",
        sa.Column("id", _ID, nullable=False),
        sa.Column("space_id", _ID, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("state_description", sa.Text(), nullable=False),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("base_root", sa.LargeBinary(length=32), nullable=True),
        sa.Column("next_number", sa.Integer(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", _TIME, nullable=True),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["space_id"], ["space.id"], name=op.f("fk_instance_space_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instance")),
    )
    op.create_index(op.f("ix_instance_space_id"), "instance", ["space_id"], unique=False)
    op.create_index(op.f("ix_instance_workspace"), "instance", ["workspace"], unique=False)
    op.create_index(
        "uq_instance_name",
        "instance",
        ["space_id", "name"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "access_request",
        sa.Column("id", _ID, nullable=False),
        sa.Column("person_id", _ID, nullable=False),
        sa.Column("instance_id", _ID, nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"], name=op.f("fk_access_request_instance_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_access_request_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_request")),
        sa.UniqueConstraint("person_id", "instance_id", name=op.f("uq_access_request_person_id_instance_id")),
    )
    op.create_table(
        "snapshot",
        sa.Column("id", _ID, nullable=False),
        sa.Column("instance_id", _ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("manifest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("base_root", sa.LargeBinary(length=32), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(length=30), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("excluded", sa.Integer(), nullable=False),
        sa.Column("inconsistent", sa.Integer(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("deleted_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"], name=op.f("fk_snapshot_instance_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshot")),
        sa.UniqueConstraint("instance_id", "number", name=op.f("uq_snapshot_instance_id_number")),
    )
    op.create_index(op.f("ix_snapshot_manifest"), "snapshot", ["manifest"], unique=False)
    op.create_index(
        "uq_snapshot_name",
        "snapshot",
        ["instance_id", "name"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL AND name IS NOT NULL"),
        postgresql_where=sa.text("deleted_at IS NULL AND name IS NOT NULL"),
    )
    op.create_table(
        "distribution",
        sa.Column("id", _ID, nullable=False),
        sa.Column("space_id", _ID, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("source_instance_id", _ID, nullable=True),
        sa.Column("source_snapshot_id", _ID, nullable=True),
        sa.Column("through_snapshot_id", _ID, nullable=True),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("notify", sa.Boolean(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_instance_id"], ["instance.id"], name=op.f("fk_distribution_source_instance_id")
        ),
        sa.ForeignKeyConstraint(
            ["source_snapshot_id"], ["snapshot.id"], name=op.f("fk_distribution_source_snapshot_id")
        ),
        sa.ForeignKeyConstraint(["space_id"], ["space.id"], name=op.f("fk_distribution_space_id")),
        sa.ForeignKeyConstraint(
            ["through_snapshot_id"], ["snapshot.id"], name=op.f("fk_distribution_through_snapshot_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_distribution")),
    )
    op.create_index(op.f("ix_distribution_space_id"), "distribution", ["space_id"], unique=False)
    op.create_table(
        "stage",
        sa.Column("username", sa.String(length=200), nullable=False),
        sa.Column("instance_id", _ID, nullable=False),
        sa.Column("snapshot_id", _ID, nullable=True),
        sa.Column("objects", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"], name=op.f("fk_stage_instance_id")),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name=op.f("fk_stage_snapshot_id")),
        sa.PrimaryKeyConstraint("username", name=op.f("pk_stage")),
    )
    op.create_table(
        "task",
        sa.Column("id", _ID, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("parent_id", _ID, nullable=True),
        sa.Column("distribution_id", _ID, nullable=True),
        sa.Column("space_id", _ID, nullable=True),
        sa.Column("instance_id", _ID, nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("step", sa.String(length=20), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_id", sa.String(length=32), nullable=True),
        sa.Column("lease_until", _TIME, nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("result", sa.LargeBinary(), nullable=True),
        sa.Column("error", sa.LargeBinary(), nullable=True),
        sa.Column("backup_id", _ID, nullable=True),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("started_at", _TIME, nullable=True),
        sa.Column("finished_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["backup_id"], ["snapshot.id"], name=op.f("fk_task_backup_id")),
        sa.ForeignKeyConstraint(
            ["distribution_id"], ["distribution.id"], name=op.f("fk_task_distribution_id")
        ),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"], name=op.f("fk_task_instance_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["task.id"], name=op.f("fk_task_parent_id")),
        sa.ForeignKeyConstraint(["space_id"], ["space.id"], name=op.f("fk_task_space_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
    )
    op.create_index(op.f("ix_task_distribution_id"), "task", ["distribution_id"], unique=False)
    op.create_index("ix_task_instance_state", "task", ["instance_id", "state", "id"], unique=False)
    op.create_index("ix_task_lease", "task", ["state", "lease_until"], unique=False)
    op.create_index("ix_task_parent_state", "task", ["parent_id", "state"], unique=False)
    op.create_index(op.f("ix_task_space_id"), "task", ["space_id"], unique=False)
    op.create_index("ix_task_state", "task", ["state", "id"], unique=False)
    op.create_table(
        "notification",
        sa.Column("id", _ID, nullable=False),
        sa.Column("username", sa.String(length=200), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("space_id", _ID, nullable=True),
        sa.Column("task_id", _ID, nullable=True),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("read_at", _TIME, nullable=True),
        sa.Column("mail_state", sa.String(length=20), nullable=False),
        sa.Column("mail_error", sa.Text(), nullable=False),
        sa.Column("mail_attempts", sa.Integer(), nullable=False),
        sa.Column("mail_due_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["space_id"], ["space.id"], name=op.f("fk_notification_space_id")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_notification_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
    )
    op.create_index("ix_notification_mail", "notification", ["mail_state", "mail_due_at"], unique=False)
    op.create_index(op.f("ix_notification_username"), "notification", ["username"], unique=False)
    connection = op.get_bind()
    for statement in _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL:
        connection.execute(sa.text(statement))
