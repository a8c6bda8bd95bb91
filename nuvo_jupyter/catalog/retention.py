"""Retention rules of spaces, and the snapshots they are about."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.database import now
from nuvo_jupyter.catalog.releasing import in_use
from nuvo_jupyter.model.retention import Candidate, Keep
from nuvo_jupyter.model.snapshots import Reason


def rule_of(connection: Connection, space_id: int) -> Row[Any] | None:
    """The row of a space's rule, if it has one; ``keep`` is to be read with :func:`read_keep`."""
    return connection.execute(sa.select(t.retention).where(t.retention.c.space_id == space_id)).first()


def read_keep(row: Row[Any] | None) -> Keep:
    """The rule a row holds; one that keeps all where there is none."""
    return Keep() if row is None else msgspec.msgpack.decode(row.keep, type=Keep)


def set_rule(connection: Connection, space_id: int, keep: Keep, by: str) -> None:
    """Give a space a rule in place of the one it has."""
    connection.execute(sa.delete(t.retention).where(t.retention.c.space_id == space_id))
    if keep.is_set:
        connection.execute(
            sa.insert(t.retention).values(
                space_id=space_id,
                keep=msgspec.msgpack.encode(keep),
                changed_at=now(connection),
                changed_by=by,
            )
        )


def ruled_spaces(connection: Connection) -> list[int]:
    """Ids of the spaces that have a rule and are not deleted."""
    query = sa.select(t.retention.c.space_id).join(t.space, t.space.c.id == t.retention.c.space_id)
    return list(connection.scalars(query.where(t.space.c.deleted_at.is_(None))))


def snapshots_of(connection: Connection, space_id: int) -> list[Row[Any]]:
    """A space's snapshots that are not deleted, with their instances' names, by instance, newest first."""
    query = (
        sa.select(t.snapshot, t.instance.c.name.label("instance"))
        .join(t.instance, t.instance.c.id == t.snapshot.c.instance_id)
        .where(
            t.instance.c.space_id == space_id,
            t.instance.c.deleted_at.is_(None),
            t.snapshot.c.deleted_at.is_(None),
        )
        .order_by(t.instance.c.name, t.snapshot.c.number.desc())
    )
    return list(connection.execute(query))


def candidates(connection: Connection, rows: Collection[Row[Any]]) -> dict[int, list[Candidate]]:
    """What a rule is to know of snapshots (rows as :func:`snapshots_of` gives them), by instance."""
    why = _why_held(connection)
    found: dict[int, list[Candidate]] = {}
    for row in rows:
        automatic = row.reason != Reason.MANUAL
        candidate = Candidate(row.id, row.created_at, automatic, row.name is not None, why.get(row.id, ""))
        found.setdefault(row.instance_id, []).append(candidate)
    return found


def _why_held(connection: Connection) -> dict[int, str]:
    """Why snapshots must not go, by id."""
    why = dict.fromkeys(in_use(connection), "in use")
    staged = sa.select(t.stage.c.snapshot_id).where(t.stage.c.snapshot_id.is_not(None))
    why |= dict.fromkeys(connection.scalars(staged), "on a stage")
    c = t.distribution.c
    for column in (c.through_snapshot_id, c.source_snapshot_id):
        for id_, snapshot_id in connection.execute(
            sa.select(c.id, column).where(column.is_not(None), c.kind != "restore").order_by(c.id)
        ):
            why[snapshot_id] = f"distribution {id_}"
    return why


def forget(connection: Connection, ids: Collection[int]) -> None:
    """Delete snapshots, as their owner would; recoverable for 24 hours."""
    wanted = sorted(ids)
    for start in range(0, len(wanted), 1000):
        connection.execute(
            sa.update(t.snapshot)
            .where(t.snapshot.c.id.in_(wanted[start : start + 1000]), t.snapshot.c.deleted_at.is_(None))
            .values(deleted_at=now(connection))
        )
