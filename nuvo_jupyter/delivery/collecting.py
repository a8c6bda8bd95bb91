"""Collecting as a task."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.database import now
from nuvo_jupyter.catalog.queue import ON_WORKSPACE
from nuvo_jupyter.delivery.execution import Execution
from nuvo_jupyter.delivery.orders import CollectOrder
from nuvo_jupyter.delivery.results import pack_result
from nuvo_jupyter.model.tasks import TaskState
from nuvo_jupyter.store.collect import collect


def collect_store(execution: Execution) -> None:
    """Free what nothing holds; what was freed is the task's result.

    Raises:
        Cancelled: what was freed until then is.
        StoreDamaged: nothing was freed.
        LeaseLost: somebody else has taken over.
    """
    context = execution.context
    order = msgspec.msgpack.decode(execution.row.request, type=CollectOrder)
    report = collect(
        context.store,
        memory=context.home / "graph",
        grace=0.0 if order.now else context.collect_grace,
        early=order.now,
        alone=_nobody_writes if order.now else lambda _: False,
        dry_run=order.dry_run,
        progress=execution.progress,
        cancelled=execution.cancelled,
        fence=execution.fence,
    )
    with context.catalog.write() as connection:
        execution.finish(connection, TaskState.DONE, result=pack_result({}, details=report))
    execution.announce()


def _nobody_writes(connection: Connection) -> bool:
    """Whether no executor is writing to the store."""
    c = t.task.c
    query = sa.select(c.id).where(
        c.state == TaskState.RUNNING.value,
        c.kind.in_((*ON_WORKSPACE, "distribution")),
        c.lease_until >= now(connection),
    )
    return connection.scalar(query.limit(1)) is None
