"""The catalog's tables. Times are seconds since 1970 UTC by the database's clock."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite makes only INTEGER PRIMARY KEY an alias of its row id.
Id = BigInteger().with_variant(Integer, "sqlite")
Time = Float(53)

setting = Table(
    "setting",
    metadata,
    Column("key", String(100), primary_key=True),
    Column("value", Text, nullable=False),
)

organization = Table(
    "organization",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("created_at", Time, nullable=False),
)

person = Table(
    "person",
    metadata,
    Column("id", Id, primary_key=True),
    Column("username", String(200), nullable=False, unique=True),
    Column("name", String(200), nullable=False, default=""),
    Column("email", String(320), nullable=False, default=""),
    Column("created_at", Time, nullable=False),
)

space = Table(
    "space",
    metadata,
    Column("id", Id, primary_key=True),
    Column("organization_id", ForeignKey("organization.id"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("description", Text, nullable=False, default=""),
    Column("visibility", String(20), nullable=False, default="private"),
    Column("timezone", String(64), nullable=False, default="UTC"),
    # Where new instances' workspaces lie: {username}, {space} and {instance} are filled in.
    Column("template", Text, nullable=False, default=""),
    Column("pull_from_master", Boolean, nullable=False, default=False),
    Column("archived", Boolean, nullable=False, default=False),
    Column("deleted_at", Time),
    Column("created_at", Time, nullable=False),
    Column("created_by", String(200), nullable=False),
    Index(
        "uq_space_name",
        "organization_id",
        "name",
        unique=True,
        sqlite_where=Column("deleted_at").is_(None),
    ),
)

instance = Table(
    "instance",
    metadata,
    Column("id", Id, primary_key=True),
    Column("space_id", ForeignKey("space.id"), nullable=False, index=True),
    Column("name", String(200), nullable=False),
    # master, distributed, personal, group
    Column("kind", String(20), nullable=False),
    Column("description", Text, nullable=False, default=""),
    # What the current state is about: the description a described snapshot suggests.
    Column("state_description", Text, nullable=False, default=""),
    Column("final", Boolean, nullable=False, default=False),
    Column("workspace", Text, nullable=False, index=True),
    # Root tree of what was last distributed to this instance, path by path: the B of the merge contract.
    Column("base_root", LargeBinary(32)),
    Column("next_number", Integer, nullable=False, default=1),
    Column("archived", Boolean, nullable=False, default=False),
    Column("deleted_at", Time),
    Column("created_at", Time, nullable=False),
    Column("created_by", String(200), nullable=False),
    Index(
        "uq_instance_name",
        "space_id",
        "name",
        unique=True,
        sqlite_where=Column("deleted_at").is_(None),
    ),
)

# One row per role held. scope is 'organization', 'space' or 'instance'; scope_id the row's id there.
role_grant = Table(
    "role_grant",
    metadata,
    Column("id", Id, primary_key=True),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    Column("scope", String(20), nullable=False),
    Column("scope_id", Id, nullable=False),
    Column("role", String(20), nullable=False),
    Column("granted_at", Time, nullable=False),
    Column("granted_by", String(200), nullable=False),
    UniqueConstraint("person_id", "scope", "scope_id"),
    Index("ix_role_grant_scope", "scope", "scope_id"),
)

access_request = Table(
    "access_request",
    metadata,
    Column("id", Id, primary_key=True),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    Column("instance_id", ForeignKey("instance.id"), nullable=False),
    Column("message", Text, nullable=False, default=""),
    Column("created_at", Time, nullable=False),
    UniqueConstraint("person_id", "instance_id"),
)

snapshot = Table(
    "snapshot",
    metadata,
    Column("id", Id, primary_key=True),
    Column("instance_id", ForeignKey("instance.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("manifest", LargeBinary(32), nullable=False, index=True),
    Column("root", LargeBinary(32), nullable=False),
    # instance.base_root when it was taken: restoring the whole state brings it back.
    Column("base_root", LargeBinary(32)),
    Column("name", String(200)),
    Column("description", Text, nullable=False, default=""),
    # manual, before_distribution, before_restore, distributed
    Column("reason", String(30), nullable=False),
    Column("files", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("excluded", Integer, nullable=False, default=0),
    Column("inconsistent", Integer, nullable=False, default=0),
    Column("created_at", Time, nullable=False),
    Column("created_by", String(200), nullable=False),
    Column("deleted_at", Time),
    UniqueConstraint("instance_id", "number"),
    # For looking one up by time or name, and for listing and counting, however many there are.
    Index("ix_snapshot_time", "instance_id", "created_at"),
    Index("ix_snapshot_name", "instance_id", "name"),
    Index("ix_snapshot_living", "instance_id", "number", sqlite_where=Column("deleted_at").is_(None)),
    Index(
        "uq_snapshot_name",
        "instance_id",
        "name",
        unique=True,
        sqlite_where=Column("deleted_at").is_(None) & Column("name").is_not(None),
    ),
)

# The packs of the store and where each blob lies in them; `nuvo repair` rebuilds both from the packs.
pack = Table(
    "pack",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", LargeBinary(32), nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    Column("created_at", Time, nullable=False),
)

blob = Table(
    "blob",
    metadata,
    Column("id", LargeBinary(32), primary_key=True),
    Column("pack_id", ForeignKey("pack.id"), nullable=False, index=True),
    Column("offset", BigInteger, nullable=False),
    Column("length", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    # 0 stored as is, 1 zstd
    Column("codec", Integer, nullable=False),
    # 0 content, 1 tree, 2 manifest
    Column("kind", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# Blobs that nothing held when the store was last marked. Whoever refers to one again takes it off this list;
# what is still on it after the grace period leaves the index.
condemned = Table(
    "condemned",
    metadata,
    Column("id", LargeBinary(32), primary_key=True),
    Column("at", Time, nullable=False, index=True),
    sqlite_with_rowid=False,
)

# Packs of which nothing is in the index any more, or that it never knew.
doomed = Table(
    "doomed",
    metadata,
    Column("name", LargeBinary(32), primary_key=True),
    Column("size", BigInteger, nullable=False),
    # Since when, and since when it is being deleted (then no writer may enter it) or has been.
    Column("at", Time, nullable=False),
    Column("deleting_at", Time),
    # Never entered: it may belong to a writer that is not done yet.
    Column("orphan", Boolean, nullable=False, default=False),
    sqlite_with_rowid=False,
)

# Which automatic snapshots a space keeps.
retention = Table(
    "retention",
    metadata,
    Column("space_id", ForeignKey("space.id"), primary_key=True),
    # msgpack of Keep
    Column("keep", LargeBinary, nullable=False),
    Column("changed_at", Time, nullable=False),
    Column("changed_by", String(200), nullable=False),
)

# Instances of which snapshots are taken by the clock. minutes 0: never, whatever the server's default says.
schedule = Table(
    "schedule",
    metadata,
    Column("instance_id", ForeignKey("instance.id"), primary_key=True),
    Column("minutes", Integer),
    # When it was last looked at, and by which snapshot task.
    Column("looked_at", Time),
)

stage = Table(
    "stage",
    metadata,
    Column("username", String(200), primary_key=True),
    Column("instance_id", ForeignKey("instance.id"), nullable=False),
    # NULL: the current state
    Column("snapshot_id", ForeignKey("snapshot.id")),
    # msgpack list of StagedObject
    Column("objects", LargeBinary, nullable=False),
    Column("changed_at", Time, nullable=False),
)

distribution = Table(
    "distribution",
    metadata,
    Column("id", Id, primary_key=True),
    Column("space_id", ForeignKey("space.id"), nullable=False, index=True),
    # distribute, pull, restore, recall, create (a new instance's first state)
    Column("kind", String(20), nullable=False),
    Column("source_instance_id", ForeignKey("instance.id")),
    Column("source_snapshot_id", ForeignKey("snapshot.id")),
    # The snapshot of Distributed after it got everything: what the other targets get.
    Column("through_snapshot_id", ForeignKey("snapshot.id")),
    # msgpack of DistributionPlan: objects, strategies, targets asked for, message, notify
    Column("request", LargeBinary, nullable=False),
    Column("message", Text, nullable=False, default=""),
    Column("notify", Boolean, nullable=False, default=False),
    Column("created_at", Time, nullable=False),
    Column("created_by", String(200), nullable=False),
)

# Everything that runs in the background; a delivery is a task of kind 'delivery' with a target instance.
task = Table(
    "task",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("title", Text, nullable=False),
    Column("parent_id", ForeignKey("task.id")),
    Column("distribution_id", ForeignKey("distribution.id"), index=True),
    Column("space_id", ForeignKey("space.id"), index=True),
    Column("instance_id", ForeignKey("instance.id")),
    # waiting, queued, running, done, failed, cancelled
    Column("state", String(20), nullable=False),
    # Deliveries to one instance run one after the other, in the order of their ids.
    Column("step", String(20), nullable=False, default=""),
    Column("done", BigInteger, nullable=False, default=0),
    Column("total", BigInteger, nullable=False, default=0),
    Column("attempts", Integer, nullable=False, default=0),
    Column("lease_id", String(32)),
    Column("lease_until", Time),
    Column("cancel_requested", Boolean, nullable=False, default=False),
    # msgpack: what to do, and what came of it
    Column("request", LargeBinary, nullable=False),
    Column("result", LargeBinary),
    Column("error", LargeBinary),
    # A delivery's backup of its target, and the state it left.
    Column("backup_id", ForeignKey("snapshot.id")),
    Column("created_at", Time, nullable=False),
    Column("created_by", String(200), nullable=False),
    Column("started_at", Time),
    Column("finished_at", Time),
    # For claiming: what waits in the order of ids, leases that ran out, what an instance is busy with, siblings.
    Index("ix_task_state", "state", "id"),
    Index("ix_task_lease", "state", "lease_until"),
    Index("ix_task_instance_state", "instance_id", "state", "id"),
    Index("ix_task_parent_state", "parent_id", "state"),
)

# What a preview found, target by target.
preview_target = Table(
    "preview_target",
    metadata,
    Column("task_id", ForeignKey("task.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("instance", String(500), nullable=False),
    Column("result", LargeBinary, nullable=False),
)

notification = Table(
    "notification",
    metadata,
    Column("id", Id, primary_key=True),
    Column("username", String(200), nullable=False, index=True),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("space_id", ForeignKey("space.id")),
    Column("task_id", ForeignKey("task.id")),
    Column("created_at", Time, nullable=False),
    Column("read_at", Time),
    # '' (no e-mail wanted or no address), queued, sent, failed
    Column("mail_state", String(20), nullable=False, default=""),
    Column("mail_error", Text, nullable=False, default=""),
    Column("mail_attempts", Integer, nullable=False, default=0),
    # When to try (again); moved ahead while somebody tries, so that nobody else does.
    Column("mail_due_at", Time),
    Index("ix_notification_mail", "mail_state", "mail_due_at"),
)

# Append-only: database triggers refuse UPDATE and DELETE.
audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Time, nullable=False),
    Column("who", String(200), nullable=False),
    Column("action", String(60), nullable=False),
    Column("space_id", Id),
    Column("instance_id", Id),
    # Reference text of the state concerned
    Column("state", Text, nullable=False, default=""),
    # ok, refused, failed
    Column("outcome", String(20), nullable=False),
    # JSON object
    Column("detail", Text, nullable=False, default="{}"),
    Index("ix_audit_space", "space_id", "id"),
)


def for_postgresql() -> None:
    """Give the partial indexes their conditions on PostgreSQL.

    Not above, because naming them loads SQLAlchemy's whole support of that database: 20 ms that
    every command on SQLite would pay.
    """
    for table in metadata.tables.values():
        for index in table.indexes:
            condition = index.dialect_kwargs.get("sqlite_where")
            if condition is not None:
                index.dialect_kwargs["postgresql_where"] = condition
