"""Stages: one row per user."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.database import now
from nuvo_jupyter.model.tasks import StagedObject


def get_stage(connection: Connection, username: str) -> Row[Any] | None:
    """A user's stage."""
    return connection.execute(sa.select(t.stage).where(t.stage.c.username == username)).first()


def objects_of(stage: Row[Any]) -> tuple[StagedObject, ...]:
    """What a stage holds."""
    return msgspec.msgpack.decode(stage.objects, type=tuple[StagedObject, ...])


def put_stage(
    connection: Connection,
    username: str,
    instance_id: int,
    snapshot_id: int | None,
    objects: tuple[StagedObject, ...],
) -> None:
    """Replace a user's stage."""
    clear_stage(connection, username)
    connection.execute(
        sa.insert(t.stage).values(
            username=username,
            instance_id=instance_id,
            snapshot_id=snapshot_id,
            objects=msgspec.msgpack.encode(objects),
            changed_at=now(connection),
        )
    )


def clear_stage(connection: Connection, username: str) -> None:
    """Empty a user's stage."""
    connection.execute(sa.delete(t.stage).where(t.stage.c.username == username))
