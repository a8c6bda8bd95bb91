"""The audit trail: append and read. The database itself refuses to change or delete its rows."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.database import clock


def append(
    connection: Connection,
    *,
    who: str,
    action: str,
    outcome: str = "ok",
    space_id: int | None = None,
    instance_id: int | None = None,
    state: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add one entry, in the transaction of the change it tells of.

    Args:
        outcome: ``ok``, ``refused`` or ``failed``.
        state: reference text of the state concerned.
        detail: anything that can be JSON.
    """
    values = {
        "who": who,
        "action": action,
        "outcome": outcome,
        "space_id": space_id,
        "instance_id": instance_id,
        "state": state,
        # What is no text at all must not keep a refusal of it out of the trail.
        "detail": json.dumps(detail or {}, ensure_ascii=False, sort_keys=True)
        .encode(errors="replace")
        .decode(),
    }
    connection.execute(_insert(connection.dialect.name == "sqlite"), values)


@functools.cache
def _insert(is_sqlite: bool) -> sa.Insert:
    # Entries do not have to know their ids.
    return sa.insert(t.audit).values(at=clock(is_sqlite)).inline()


def entries(
    connection: Connection,
    *,
    after: int,
    limit: int,
    space_ids: set[int] | None,
    instance_ids: set[int],
    who: str | None,
    space_id: int | None = None,
    instance_id: int | None = None,
) -> list[Row[Any]]:
    """Entries with ids above ``after``, oldest first.

    Args:
        space_ids: spaces read in full; ``None`` for everything there is.
        instance_ids: instances whose entries may be read besides.
        who: whose own entries may be read besides.
        space_id, instance_id: only entries of this one.
    """
    query = (
        sa.select(t.audit, t.space.c.name.label("space"), t.instance.c.name.label("instance"))
        .select_from(
            t.audit.outerjoin(t.space, t.space.c.id == t.audit.c.space_id).outerjoin(
                t.instance, t.instance.c.id == t.audit.c.instance_id
            )
        )
        .where(t.audit.c.id > after)
        .order_by(t.audit.c.id)
        .limit(limit)
    )
    if space_ids is not None:
        allowed = t.audit.c.space_id.in_(space_ids) | t.audit.c.instance_id.in_(instance_ids)
        query = query.where(allowed if who is None else allowed | (t.audit.c.who == who))
    if space_id is not None:
        query = query.where(t.audit.c.space_id == space_id)
    if instance_id is not None:
        query = query.where(t.audit.c.instance_id == instance_id)
    return list(connection.execute(query))
