"""Applying a space's retention rule: by itself after the clock, or when somebody asks."""

from __future__ import annotations

import datetime
import zoneinfo
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import audit, retention
from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.delivery.execution import Execution
from nuvo_jupyter.delivery.measuring import Survey
from nuvo_jupyter.delivery.orders import ForgetOrder
from nuvo_jupyter.delivery.results import pack_result
from nuvo_jupyter.model.growth import ForgetReport, Ruled
from nuvo_jupyter.model.retention import Verdict, decide
from nuvo_jupyter.model.snapshots import Reason
from nuvo_jupyter.model.tasks import TaskState

CLOCK = "nuvo"
"""Who did what nobody asked for."""
_NAMED = 200


class Ruling(NamedTuple):
    """A snapshot's row, and what the rule of its space says of it."""

    row: Row[Any]
    verdict: Verdict


def forget_by_rule(execution: Execution) -> None:
    """Delete what a space's rule does not keep; what it says of every snapshot is the task's result.

    Raises:
        Cancelled: nothing was deleted.
        StoreDamaged: a snapshot cannot be followed; nothing was deleted.
        LeaseLost: somebody else has taken over.
    """
    context, by = execution.context, execution.row.created_by
    order = msgspec.msgpack.decode(execution.row.request, type=ForgetOrder)
    with context.catalog.read() as connection:
        foreseen = rulings(connection, order.space_id)
    execution.progress("measure")
    frees = Survey(context, execution.check).frees(_going(foreseen)) if _going(foreseen) else 0
    with context.catalog.write() as connection:
        # Again: what was named or distributed meanwhile stays.
        found = rulings(connection, order.space_id)
        if not order.dry_run:
            _forget(connection, order.space_id, found, by)
        space = connection.scalar(sa.select(t.space.c.name).where(t.space.c.id == order.space_id)) or ""
        report = ForgetReport(
            space=space,
            dry_run=order.dry_run,
            snapshots=tuple(_ruled(space, one) for one in found),
            forgotten=len(_going(found)),
            frees=frees,
        )
        execution.finish(connection, TaskState.DONE, result=pack_result({}, details=report))
    execution.announce()


def thin(connection: Connection, space_id: int, instance_id: int | None = None) -> int:
    """Delete what a space's rule does not keep, of one instance or of all; returns how many that were."""
    found = rulings(connection, space_id, instance_id)
    _forget(connection, space_id, found, CLOCK, instance_id)
    return len(_going(found))


def rulings(connection: Connection, space_id: int, instance_id: int | None = None) -> list[Ruling]:
    """What the rule of a space says of its snapshots, by instance, newest first."""
    keep = retention.read_keep(retention.rule_of(connection, space_id))
    name = connection.scalar(sa.select(t.space.c.timezone).where(t.space.c.id == space_id)) or "UTC"
    try:
        zone: datetime.tzinfo = zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        zone = datetime.UTC
    rows = retention.snapshots_of(connection, space_id)
    if instance_id is not None:
        rows = [row for row in rows if row.instance_id == instance_id]
    by_id = {row.id: row for row in rows}
    return [
        Ruling(by_id[verdict.id], verdict)
        for candidates in retention.candidates(connection, rows).values()
        for verdict in decide(candidates, keep, zone)
    ]


def _going(found: list[Ruling]) -> list[int]:
    return [one.row.id for one in found if not one.verdict.kept]


def _forget(
    connection: Connection, space_id: int, found: list[Ruling], by: str, instance_id: int | None = None
) -> None:
    going = [one.row for one in found if not one.verdict.kept]
    if not going:
        return
    retention.forget(connection, [row.id for row in going])
    audit.append(
        connection,
        who=by,
        action="forget",
        space_id=space_id,
        instance_id=instance_id,
        detail={
            "forgotten": len(going),
            "snapshots": [f"{row.instance}@{row.number}" for row in going[:_NAMED]],
        },
    )


def _ruled(space: str, one: Ruling) -> Ruled:
    row, verdict = one
    return Ruled(
        reference=f"{space}/{row.instance}@{row.number}",
        name=row.name,
        reason=Reason(row.reason),
        created_at=datetime.datetime.fromtimestamp(row.created_at, datetime.UTC),
        kept=verdict.kept,
        why=verdict.why,
    )
