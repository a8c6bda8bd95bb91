"""Snapshots by the clock, only where something has changed; retention rules and collections by the clock."""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from nuvo_jupyter.catalog import queue, schedule, snapshots
from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.retention import ruled_spaces
from nuvo_jupyter.catalog.schedule import Due
from nuvo_jupyter.catalog.spaces import get_instance
from nuvo_jupyter.delivery.applications import refresh_before_looking
from nuvo_jupyter.delivery.context import Context
from nuvo_jupyter.delivery.execution import Execution
from nuvo_jupyter.delivery.locks import instance_lock
from nuvo_jupyter.delivery.orders import CollectOrder, SnapshotOrder
from nuvo_jupyter.delivery.results import pack_result
from nuvo_jupyter.delivery.retaining import CLOCK, thin
from nuvo_jupyter.delivery.take import look, open_workspace, take_locked
from nuvo_jupyter.model.errors import Cancelled, NuvoError
from nuvo_jupyter.model.snapshots import Reason
from nuvo_jupyter.model.tasks import TaskKind, TaskState

THIN_SECONDS = 24 * 3600.0
THINNED = "growth.thinned_at"
COLLECTED = "growth.collected_at"

log = logging.getLogger(__name__)


def queue_due(context: Context, stopping: Callable[[], bool] = lambda: False) -> None:
    """Queue snapshots of instances that are due and have changed; apply rules; queue a collection in idle time.

    Args:
        stopping: asked between files; whether to leave the rest.
    """
    with context.catalog.write() as connection:
        due = schedule.take_due(connection, context.snapshot_every)
    for one in due:
        if stopping():
            return
        try:
            if _has_changed(context, one, stopping):
                _queue_snapshot(context, one)
        except Cancelled:
            return
        except NuvoError as error:
            # A folder that is not mounted today may be tomorrow.
            log.info("%s is not looked at: %s", one.name, error.message)
    with context.catalog.write() as connection:
        if schedule.is_due(connection, THINNED, THIN_SECONDS):
            for space_id in ruled_spaces(connection):
                thin(connection, space_id)
        if (
            context.collect_every
            and _is_idle(connection)
            and schedule.is_due(connection, COLLECTED, context.collect_every)
        ):
            queue.insert_task(
                connection,
                kind=TaskKind.COLLECT,
                title="Collect what nothing holds",
                order=CollectOrder(),
                created_by=CLOCK,
            )
    context.wake.set()


def take_if_changed(execution: Execution) -> None:
    """Take the snapshot a task asks for unless the newest one holds the same; then thin the instance's."""
    context, row = execution.context, execution.row
    order = msgspec.msgpack.decode(row.request, type=SnapshotOrder)
    with context.catalog.read() as connection:
        latest = snapshots.latest_snapshot(connection, row.instance_id)

    def record(connection: Connection, snapshot_id: int) -> None:
        execution.finish(connection, TaskState.DONE, result=pack_result({}, snapshot_id=snapshot_id))
        thin(connection, row.space_id, row.instance_id)

    execution.progress("capture")
    with (
        instance_lock(context.home, row.instance_id, execution.check),
        open_workspace(context, row.instance_id) as root,
    ):
        taken = take_locked(
            context,
            root,
            row.instance_id,
            order=order,
            by=row.created_by,
            record=record,
            progress=lambda done, total: execution.progress("capture", done, total),
            cancelled=execution.cancelled,
            same_as=None if latest is None else (latest.id, bytes(latest.manifest)),
            durable=True,
        )
    if latest is not None and taken.id == latest.id:
        with context.catalog.write() as connection:
            execution.finish(connection, TaskState.DONE, result=pack_result({}))
    execution.announce()


def _has_changed(context: Context, one: Due, stopping: Callable[[], bool]) -> bool:
    def check() -> None:
        if stopping():
            raise Cancelled("The server stops.")

    with context.catalog.read() as connection:
        latest = snapshots.latest_snapshot(connection, one.instance_id)
        instance = get_instance(connection, one.instance_id)
    with open_workspace(context, one.instance_id) as root:
        # To install a package changes a state, too.
        refresh_before_looking(context, instance, check)
        seen = look(context, one.instance_id, root, stopping)
    return latest is None or bytes(latest.manifest) != seen.manifest_id


def _queue_snapshot(context: Context, one: Due) -> None:
    with context.catalog.write() as connection:
        queue.insert_task(
            connection,
            kind=TaskKind.SNAPSHOT,
            title=f"Snapshot of {one.name} by the clock",
            order=SnapshotOrder(reason=Reason.SCHEDULED, unless_same=True),
            created_by=CLOCK,
            space_id=one.space_id,
            instance_id=one.instance_id,
        )


def _is_idle(connection: Connection) -> bool:
    query = sa.select(t.task.c.id).where(t.task.c.state.in_(queue.UNFINISHED)).limit(1)
    return connection.scalar(query) is None
