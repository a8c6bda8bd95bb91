"""Snapshot rows: insert and find."""

from __future__ import annotations

import functools
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.database import clock
from nuvo_jupyter.model.errors import AlreadyExists, NotFound
from nuvo_jupyter.model.nodes import Manifest
from nuvo_jupyter.model.snapshots import Reason


def insert_snapshot(
    connection: Connection,
    *,
    instance_id: int,
    manifest_id: bytes,
    manifest: Manifest,
    reason: Reason,
    created_by: str,
    name: str | None = None,
    description: str = "",
) -> int:
    """Insert a snapshot with the next number of its instance and return its id.

    What was last distributed to the instance is noted with it, so that restoring it brings that back, too.

    Raises:
        AlreadyExists: another one of the instance has that name.
    """
    if name is not None:
        refuse_taken(connection, instance_id, name)
    instance = connection.execute(_NUMBERING, {"of_id": instance_id}).one()
    values = {
        "instance_id": instance_id,
        "number": instance.next_number - 1,
        "manifest": manifest_id,
        "root": manifest.root,
        "base_root": instance.base_root,
        "name": name,
        "description": description,
        "reason": Reason(reason).value,
        "files": manifest.files,
        "size": manifest.size,
        "excluded": len(manifest.excluded),
        "inconsistent": len(manifest.inconsistent),
        "created_by": created_by,
    }
    done = connection.execute(_insert(connection.dialect.name == "sqlite"), values)
    return int(done.inserted_primary_key[0])  # type: ignore[index]


def refuse_taken(connection: Connection, instance_id: int, name: str) -> None:
    """Raise where a snapshot of an instance has a name already.

    Raises:
        AlreadyExists: it has.
    """
    c = t.snapshot.c
    query = (
        sa.select(c.number, t.instance.c.name.label("instance"), t.space.c.name.label("space"))
        .join(t.instance, t.instance.c.id == c.instance_id)
        .join(t.space, t.space.c.id == t.instance.c.space_id)
        .where(c.instance_id == instance_id, c.name == name, c.deleted_at.is_(None))
    )
    row = connection.execute(query).first()
    if row is not None:
        raise AlreadyExists(
            f"Snapshot {row.number} of {row.space}/{row.instance} is called {name!r} already.",
            hint="Choose another name, or rename that snapshot first.",
        )


_NUMBERING = (
    sa.update(t.instance)
    .where(t.instance.c.id == sa.bindparam("of_id"))
    .values(next_number=t.instance.c.next_number + 1)
    .returning(t.instance.c.next_number, t.instance.c.base_root)
)
_GET = sa.select(t.snapshot).where(t.snapshot.c.id == sa.bindparam("of_id"))


@functools.cache
def _insert(is_sqlite: bool) -> sa.Insert:
    return sa.insert(t.snapshot).values(created_at=clock(is_sqlite))


def get_snapshot(connection: Connection, snapshot_id: int) -> Row[Any]:
    """One snapshot by id, deleted or not.

    Raises:
        NotFound: there is none.
    """
    row = connection.execute(_GET, {"of_id": snapshot_id}).first()
    if row is None:
        raise NotFound(f"There is no snapshot with the id {snapshot_id}.")
    return row


def latest_snapshot(connection: Connection, instance_id: int) -> Row[Any] | None:
    """An instance's newest snapshot that is not deleted."""
    query = sa.select(t.snapshot).where(
        t.snapshot.c.instance_id == instance_id, t.snapshot.c.deleted_at.is_(None)
    )
    return connection.execute(query.order_by(t.snapshot.c.number.desc()).limit(1)).first()


def count_snapshots(connection: Connection, instance_ids: list[int]) -> dict[int, int]:
    """How many snapshots instances have that are not deleted; those without any are left out."""
    c = t.snapshot.c
    query = sa.select(c.instance_id, sa.func.count()).where(
        c.instance_id.in_(instance_ids), c.deleted_at.is_(None)
    )
    return {row[0]: int(row[1]) for row in connection.execute(query.group_by(c.instance_id))}


def change_snapshot(connection: Connection, snapshot_id: int, **values: Any) -> None:
    """Update what may change of a snapshot: name, description, base_root, deleted_at; never what it holds."""
    connection.execute(sa.update(t.snapshot).where(t.snapshot.c.id == snapshot_id).values(**values))
