"""A distribution: fix its source, fill Distributed first if everything goes through it, then let all deliveries run.

Each step is noted in the catalog in the same transaction that makes it true, so whoever claims the
distribution again goes on where it stood.
"""

from __future__ import annotations

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from nuvo_jupyter.catalog import families
from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.delivery import notify
from nuvo_jupyter.delivery.execution import Execution
from nuvo_jupyter.delivery.orders import DELIVER, DistributionOrder, SnapshotOrder
from nuvo_jupyter.delivery.results import pack_result
from nuvo_jupyter.delivery.settle import settle
from nuvo_jupyter.delivery.take import take_snapshot
from nuvo_jupyter.model.snapshots import Reason
from nuvo_jupyter.model.tasks import DistributionKind, Problem, TaskState

CAPTURE, THROUGH = "capture", "through Distributed"


def distribute(execution: Execution) -> None:
    """Do the next step of a distribution, then wait for its deliveries.

    Raises:
        Cancelled, WorkspaceUnavailable, StorageFull: the source could not be captured.
        LeaseLost: somebody else has taken over.
    """
    context, row = execution.context, execution.row
    order = msgspec.msgpack.decode(row.request, type=DistributionOrder)
    execution.check()
    with context.catalog.write() as connection:
        execution.fence(connection, total=sum(families.child_states(connection, row.id).values()))
        source = connection.execute(
            sa.select(t.distribution).where(t.distribution.c.id == row.distribution_id)
        ).one()
    if order.kind is not DistributionKind.RECALL and source.source_snapshot_id is None:
        # One immutable state for all targets, whatever is changed in the source meanwhile.
        _snapshot(execution, source.source_instance_id, CAPTURE, "source_snapshot_id")
    if order.through is not None and source.through_snapshot_id is None:
        if not _first_is_done(execution, order.through):
            return
        _snapshot(execution, order.through, THROUGH, "through_snapshot_id")
    with context.catalog.write() as connection:
        families.release_waiting(connection, row.id)
        _wait(execution, connection, DELIVER)
    context.wake.set()
    execution.announce()


def _first_is_done(execution: Execution, distributed: int) -> bool:
    """Whether Distributed got it; if not, let it, and wait."""
    with execution.context.catalog.write() as connection:
        first = families.child_for(connection, execution.id, distributed)
        if first is None or first.state == TaskState.DONE.value:
            return True
        if first.state == TaskState.WAITING.value:
            families.release_waiting(connection, execution.id, distributed)
        _wait(execution, connection, THROUGH)
    execution.context.wake.set()
    execution.announce()
    return False


def _wait(execution: Execution, connection: Connection, step: str) -> None:
    execution.suspend(connection, TaskState.WAITING, step=step)
    # They may all have ended already: cancelled, or done before a crash.
    if settle(execution.context, connection, execution.id):
        execution.note_ended(execution.id)


def _snapshot(execution: Execution, instance_id: int, step: str, column: str) -> None:
    """Take a snapshot and note it as what this distribution hands out."""
    context = execution.context

    def record(connection: Connection, snapshot_id: int) -> None:
        execution.fence(connection)
        connection.execute(
            sa.update(t.distribution)
            .where(t.distribution.c.id == execution.row.distribution_id)
            .values({column: snapshot_id})
        )

    with context.catalog.write() as connection:
        execution.fence(connection, step=step)
    execution.announce()
    take_snapshot(
        context,
        instance_id,
        order=SnapshotOrder(reason=Reason.DISTRIBUTED),
        by=execution.row.created_by,
        record=record,
        check=execution.check,
        cancelled=execution.cancelled,
    )


def abandon(execution: Execution, connection: Connection, state: TaskState, problem: Problem) -> None:
    """End a distribution whose source could not be fixed; its deliveries are cancelled, with the reason."""
    reason = problem
    if state is TaskState.FAILED:
        reason = Problem(problem.code, f"Nothing was delivered: {problem.message}", problem.hint)
    families.cancel_waiting(connection, execution.id, reason, queued=True)
    counts = families.child_states(connection, execution.id)
    execution.finish(connection, state, result=pack_result(counts), problem=problem)
    notify.on_finish(execution.context, connection, execution.id)
