"""Letting go of what was deleted: after the time in which it can be brought back, nothing keeps its content."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.database import read_clock
from nuvo_jupyter.catalog.roots import GONE, kept
from nuvo_jupyter.model.inspected import inspected
from nuvo_jupyter.model.spaces import RECOVERABLE_SECONDS

_UNFINISHED = ("waiting", "queued", "running")


class Released(NamedTuple):
    """Row ids of what was, or is to be, let go of; the snapshots include those of the instances."""

    snapshots: frozenset[int]
    instances: frozenset[int]
    spaces: frozenset[int]


class Held(NamedTuple):
    """What one snapshot, or one instance's last distribution, keeps in the store.

    Args:
        space, instance, snapshot: row ids; no snapshot for what was last distributed to an instance.
        manifest: of the snapshot.
        trees: further trees: what had been distributed when it was taken, or last.
        sure: whether all of it must be there; not so for what was let go of, though something still works with it.
    """

    space: int
    instance: int
    snapshot: int | None
    manifest: bytes | None
    trees: tuple[bytes, ...]
    sure: bool = True


def held(connection: Connection) -> list[Held]:
    """Everything that keeps content, oldest snapshots first."""
    busy = in_use(connection)
    c = t.snapshot.c
    query = sa.select(
        t.instance.c.space_id, c.instance_id, c.id, c.manifest, c.base_root, c.deleted_at
    ).join_from(t.snapshot, t.instance)
    found = []
    for space, instance, snapshot, manifest, base, deleted_at in connection.execute(
        query.where(sa.or_(kept(t.snapshot), c.id.in_(busy))).order_by(c.id)
    ):
        trees = () if base is None else (bytes(base),)
        found.append(Held(space, instance, snapshot, bytes(manifest), trees, deleted_at != GONE))
    bases = sa.select(t.instance.c.space_id, t.instance.c.id, t.instance.c.base_root)
    for space, instance, base in connection.execute(bases.where(t.instance.c.base_root.is_not(None))):
        found.append(Held(space, instance, None, None, (bytes(base),)))
    return found


def in_use(connection: Connection) -> set[int]:
    """Ids of snapshots that unfinished work reads: what it delivers, or the way back."""
    task, distribution = t.task.c, t.distribution
    query = (
        sa.select(distribution, task.backup_id)
        .join_from(t.task, distribution, task.distribution_id == distribution.c.id, isouter=True)
        .where(task.state.in_(_UNFINISHED))
    )
    ids: set[int | None] = set()
    recalled: set[int] = set()
    for row in connection.execute(query):
        ids.update((row.source_snapshot_id, row.through_snapshot_id, row.backup_id))
        if row.kind == "recall" and (number := _Recalled.of(row)) is not None:
            recalled.add(number)
    if recalled:
        ids.update(
            connection.scalars(
                sa.select(distribution.c.source_snapshot_id).where(distribution.c.id.in_(recalled))
            )
        )
    return {id_ for id_ in ids if id_ is not None}


@inspected
class _Recalled(msgspec.Struct):
    """The part of a distribution's order that says which one is taken back."""

    recalled: int | None = None

    @staticmethod
    def of(row: Any) -> int | None:
        return msgspec.msgpack.decode(row.request, type=_Recalled).recalled


def due(connection: Connection, *, early: bool = False) -> Released:
    """What is to be let go of now.

    Args:
        early: also what could still be brought back.
    """
    limit = read_clock(connection) - (0 if early else RECOVERABLE_SECONDS)
    spaces = frozenset(connection.scalars(sa.select(t.space.c.id).where(_past(t.space, limit))))
    busy = sa.select(t.task.c.instance_id).where(
        t.task.c.state.in_(_UNFINISHED), t.task.c.instance_id.is_not(None)
    )
    instance = t.instance.c
    # Of what was let go of before, too: something was still working with it then.
    of_spaces = instance.space_id.in_(spaces) | instance.space_id.in_(_gone(t.space))
    instances = frozenset(
        connection.scalars(
            sa.select(instance.id).where(
                sa.or_(_past(t.instance, limit), of_spaces & kept(t.instance)),
                instance.id.not_in(busy),
            )
        )
    )
    snapshot = t.snapshot.c
    of_instances = snapshot.instance_id.in_(instances) | snapshot.instance_id.in_(_gone(t.instance))
    query = sa.select(snapshot.id).where(sa.or_(_past(t.snapshot, limit), of_instances & kept(t.snapshot)))
    return Released(frozenset(connection.scalars(query)) - in_use(connection), instances, spaces)


def release(connection: Connection, released: Released) -> None:
    """Let go of it: it cannot be brought back from now on."""
    for table, ids in (
        (t.snapshot, released.snapshots),
        (t.instance, released.instances),
        (t.space, released.spaces),
    ):
        for batch in _some(sorted(ids)):
            connection.execute(sa.update(table).where(table.c.id.in_(batch)).values(deleted_at=GONE))
    for batch in _some(sorted(released.instances)):
        connection.execute(sa.update(t.instance).where(t.instance.c.id.in_(batch)).values(base_root=None))


def _past(table: sa.Table, limit: float) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.deleted_at > GONE, table.c.deleted_at <= limit)


def _gone(table: sa.Table) -> sa.Select[tuple[int]]:
    return sa.select(table.c.id).where(table.c.deleted_at == GONE)


def _some(ids: list[int], size: int = 1000) -> list[list[int]]:
    return [ids[start : start + size] for start in range(0, len(ids), size)]
