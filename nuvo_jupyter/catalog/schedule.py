"""Which instances are looked at by the clock, and what else is due."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.database import read_clock
from nuvo_jupyter.catalog.queue import UNFINISHED
from nuvo_jupyter.model.spaces import InstanceKind


class Due(NamedTuple):
    """An instance to be looked at."""

    instance_id: int
    space_id: int
    name: str


def minutes_of(connection: Connection, instance_id: int) -> int | None:
    """An instance's own setting; ``None`` where it has none."""
    query = sa.select(t.schedule.c.minutes).where(t.schedule.c.instance_id == instance_id)
    return connection.scalar(query)


def set_minutes(connection: Connection, instance_id: int, minutes: int | None) -> None:
    """Give an instance a setting of its own, or take it away."""
    _upsert(connection, instance_id, minutes=minutes)


def take_due(connection: Connection, default: int) -> list[Due]:
    """The instances whose time has come; they are not due again until it comes again.

    Instances of which there is no snapshot yet are left alone: the first one is their owner's decision.

    Args:
        default: minutes of instances without a setting of their own; 0 never looks.
    """
    moment = read_clock(connection)
    instance, space, schedule = t.instance.c, t.space.c, t.schedule.c
    minutes = sa.func.coalesce(schedule.minutes, default)
    busy = sa.exists().where(t.task.c.instance_id == instance.id, t.task.c.state.in_(UNFINISHED))
    query = (
        sa.select(instance.id, instance.space_id, space.name.label("space"), instance.name)
        .join_from(t.instance, t.space, instance.space_id == space.id)
        .join(t.schedule, schedule.instance_id == instance.id, isouter=True)
        .where(
            instance.deleted_at.is_(None),
            space.deleted_at.is_(None),
            ~instance.archived,
            ~space.archived,
            instance.kind != InstanceKind.DISTRIBUTED.value,
            instance.next_number > 1,
            minutes > 0,
            sa.or_(schedule.looked_at.is_(None), schedule.looked_at <= moment - minutes * 60),
            ~busy,
        )
    )
    found = [Due(row.id, row.space_id, f"{row.space}/{row.name}") for row in connection.execute(query)]
    for one in found:
        _upsert(connection, one.instance_id, looked_at=moment)
    return found


def is_due(connection: Connection, key: str, seconds: float) -> bool:
    """Whether something that is done every so often is due; if so, it is taken for done."""
    moment = read_clock(connection)
    c = t.setting.c
    last = connection.scalar(sa.select(c.value).where(c.key == key))
    if last is not None and float(last) > moment - seconds:
        return False
    connection.execute(sa.delete(t.setting).where(c.key == key))
    connection.execute(sa.insert(t.setting).values(key=key, value=str(moment)))
    return last is not None


def _upsert(connection: Connection, instance_id: int, **values: float | None) -> None:
    where = t.schedule.c.instance_id == instance_id
    if connection.execute(sa.update(t.schedule).where(where).values(**values)).rowcount == 0:
        connection.execute(sa.insert(t.schedule).values(instance_id=instance_id, **values))
