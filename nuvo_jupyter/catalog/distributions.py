"""Distributions: insert, find, list."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.database import now


def add_distribution(connection: Connection, **values: Any) -> int:
    """Insert a distribution; ``values`` are its columns but id and created_at."""
    done = connection.execute(sa.insert(t.distribution).values(created_at=now(connection), **values))
    return int(done.inserted_primary_key[0])  # type: ignore[index]


def get_distribution(connection: Connection, distribution_id: int) -> Row[Any] | None:
    """One distribution by id."""
    return connection.execute(sa.select(t.distribution).where(t.distribution.c.id == distribution_id)).first()


class Reader(NamedTuple):
    """Whose distributions are listed.

    Args:
        username: they see what they started.
        space_ids: they see all of these spaces; ``None`` for every space.
        instance_ids: they see what was delivered into these instances.
    """

    username: str
    space_ids: Collection[int] | None
    instance_ids: Collection[int]


def list_distributions(
    connection: Connection,
    *,
    space_id: int | None,
    instance_id: int | None,
    limit: int,
    reader: Reader | None = None,
) -> list[Row[Any]]:
    """Distributions, newest first: of a space, into or out of an instance, or all.

    Args:
        reader: only those that this one may know of.
    """
    query = sa.select(t.distribution).order_by(t.distribution.c.id.desc()).limit(limit)
    if reader is not None and reader.space_ids is not None:
        received = sa.select(t.task.c.distribution_id).where(t.task.c.instance_id.in_(reader.instance_ids))
        query = query.where(
            (t.distribution.c.created_by == reader.username)
            | t.distribution.c.space_id.in_(reader.space_ids)
            | t.distribution.c.id.in_(received)
        )
    if space_id is not None:
        query = query.where(t.distribution.c.space_id == space_id)
    if instance_id is not None:
        into = sa.select(t.task.c.distribution_id).where(
            t.task.c.instance_id == instance_id, t.task.c.kind == "delivery"
        )
        query = query.where(
            t.distribution.c.id.in_(into) | (t.distribution.c.source_instance_id == instance_id)
        )
    return list(connection.execute(query))


def preparing(connection: Connection, space_id: int) -> list[Row[Any]]:
    """Tasks of a space's distributions to targets that do not have what Distributed gets before them: their rows.

    They stay so until the transaction ends.
    """
    c = t.task.c
    query = (
        sa.select(t.task)
        .join(t.distribution, t.distribution.c.id == c.distribution_id)
        .where(
            t.distribution.c.space_id == space_id,
            t.distribution.c.kind == "distribute",
            t.distribution.c.through_snapshot_id.is_(None),
            c.kind == "distribution",
            c.state.in_(("waiting", "queued", "running")),
            c.cancel_requested.is_(False),
        )
        .order_by(c.id)
    )
    if connection.dialect.name != "sqlite":
        # Whoever notes Distributed's snapshot changes the row of the task before.
        query = query.with_for_update(of=t.task)
    return list(connection.execute(query))


def was_shared(connection: Connection, instance_id: int) -> bool:
    """Whether new instances were ever started from a full snapshot of this instance."""
    query = sa.select(t.distribution.c.id).where(
        t.distribution.c.kind == "create", t.distribution.c.source_instance_id == instance_id
    )
    return connection.execute(query.limit(1)).first() is not None
