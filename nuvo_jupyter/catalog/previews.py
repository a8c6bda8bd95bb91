"""What previews found, target by target, so that neither making nor reading one takes room for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from nuvo_jupyter.catalog import tables as t

_c = t.preview_target.c


class Found(NamedTuple):
    """What a preview found for one target.

    Args:
        position: among the preview's targets, from 0.
        instance: the target's reference.
        result: as :mod:`nuvo_jupyter.delivery.results` packs it.
    """

    position: int
    instance: str
    result: bytes


def add_found(connection: Connection, task_id: int, found: Sequence[Found]) -> None:
    """Note what was found for some targets."""
    if found:
        connection.execute(
            sa.insert(t.preview_target), [{"task_id": task_id, **item._asdict()} for item in found]
        )


def forget_found(connection: Connection, task_id: int) -> None:
    """Take back what a preview found, before it begins again."""
    connection.execute(sa.delete(t.preview_target).where(_c.task_id == task_id))


def count_found(connection: Connection, task_id: int) -> int:
    """For how many targets a preview has found something."""
    return int(connection.scalar(sa.select(sa.func.count()).where(_c.task_id == task_id)) or 0)


def list_found(connection: Connection, task_id: int, *, after: int = 0, limit: int = 100) -> list[Found]:
    """What a preview found, in its order.

    Args:
        after: targets to leave out at the beginning.
    """
    query = sa.select(_c.position, _c.instance, _c.result).where(
        _c.task_id == task_id, _c.position >= after, _c.position < after + limit
    )
    return [Found(*row) for row in connection.execute(query.order_by(_c.position))]


def get_found(connection: Connection, task_id: int, instance: str) -> Found | None:
    """What a preview found for one target."""
    query = sa.select(_c.position, _c.instance, _c.result).where(
        _c.task_id == task_id, _c.instance == instance
    )
    row = connection.execute(query).first()
    return None if row is None else Found(*row)
