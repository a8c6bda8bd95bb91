"""What the catalog refers to in the store: snapshots, and what was last distributed to instances."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from nuvo_jupyter.catalog.tables import instance, snapshot, space


class SnapshotRoot(NamedTuple):
    """A snapshot that can be reached or, for a while after its deletion, recovered."""

    space: str
    instance: str
    number: int
    manifest: bytes
    base_root: bytes | None


class InstanceRoot(NamedTuple):
    """The tree of what was last distributed to an instance."""

    space: str
    instance: str
    base_root: bytes


GONE = 0.0
"""``deleted_at`` of what can no longer be brought back: nothing keeps its content."""


def kept(table: sa.Table) -> sa.ColumnElement[bool]:
    """What is there or, for a while after its deletion, recoverable."""
    return sa.or_(table.c.deleted_at.is_(None), table.c.deleted_at > GONE)


def snapshot_roots(connection: Connection) -> list[SnapshotRoot]:
    """Every snapshot that is kept, by space, instance and number."""
    query = (
        sa.select(space.c.name, instance.c.name, snapshot.c.number, snapshot.c.manifest, snapshot.c.base_root)
        .join_from(snapshot, instance, snapshot.c.instance_id == instance.c.id)
        .join(space, instance.c.space_id == space.c.id)
        .where(kept(snapshot))
        .order_by(space.c.name, instance.c.name, snapshot.c.number)
    )
    return [
        SnapshotRoot(where, who, number, bytes(manifest), None if base is None else bytes(base))
        for where, who, number, manifest, base in connection.execute(query)
    ]


def instance_roots(connection: Connection) -> list[InstanceRoot]:
    """Every instance that anything was distributed to, by space and name."""
    query = (
        sa.select(space.c.name, instance.c.name, instance.c.base_root)
        .join_from(instance, space, instance.c.space_id == space.c.id)
        .where(instance.c.base_root.is_not(None))
        .order_by(space.c.name, instance.c.name)
    )
    return [InstanceRoot(where, who, bytes(base)) for where, who, base in connection.execute(query)]
