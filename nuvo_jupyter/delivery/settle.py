"""What the end of a child means for its parent: go on, fail, or be finished."""

from __future__ import annotations

import functools
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import families, queue
from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.delivery import notify
from nuvo_jupyter.delivery.context import Context
from nuvo_jupyter.delivery.orders import DistributionOrder
from nuvo_jupyter.delivery.results import pack_result
from nuvo_jupyter.model.tasks import Problem, TaskKind, TaskState

CANCELLED = Problem(
    "cancelled", "It was cancelled.", "Retry the distribution to deliver to these targets after all."
)


_WENT_THROUGH = sa.select(t.distribution.c.through_snapshot_id).where(
    t.distribution.c.id == sa.bindparam("of_id")
)


def settle(context: Context, connection: Connection, parent_id: int, parent: Row[Any] | None = None) -> bool:
    """Move a distribution on after one of its deliveries ended; in that end's transaction.

    When Distributed did not get it, nobody does. When it did, the parent is queued to go on. When all
    deliveries ended, the parent ends, and those concerned are notified.

    Args:
        parent: its row, where the caller has it locked already.

    Returns:
        Whether it ended.
    """
    if parent is None:
        parent = queue.lock(connection, parent_id)
    # A running parent looks at its children itself before it lets go.
    if parent.kind != TaskKind.DISTRIBUTION.value or parent.state not in ("waiting", "queued"):
        return False
    through = _through(bytes(parent.request))
    first = None
    if through is not None and not went_through(connection, parent.distribution_id):
        first = families.child_for(connection, parent_id, through)
    if first is not None and first.state in ("failed", "cancelled"):
        families.cancel_waiting(connection, parent_id, why_not_first(first.error))
    elif first is not None and first.state == "done" and not parent.cancel_requested:
        families.requeue(connection, parent_id)
        return False
    elif parent.done < parent.total:
        return False
    if families.has_unfinished_children(connection, parent_id):
        return False
    state, counts, problem = verdict(connection, parent_id, None if first is None else first.error)
    queue.close(connection, parent_id, state, result=pack_result(counts), problem=problem)
    notify.on_finish(context, connection, parent_id)
    return True


@functools.lru_cache(16)
def _through(request: bytes) -> int | None:
    return msgspec.msgpack.decode(request, type=DistributionOrder).through


def verdict(
    connection: Connection, parent_id: int, first_error: bytes | None = None
) -> tuple[TaskState, dict[str, int], Problem | None]:
    """How a distribution ended, by its deliveries: state, targets by state, and what is wrong."""
    counts = families.child_states(connection, parent_id)
    failed, total = counts.get("failed", 0), sum(counts.values())
    if failed and first_error is not None:
        return TaskState.FAILED, counts, why_not_first(first_error)
    if failed:
        return (
            TaskState.FAILED,
            counts,
            Problem(
                "some_deliveries_failed",
                f"{failed} of {total} deliveries failed.",
                "See what each of them says, put it right, then retry: only the failed ones are delivered again.",
            ),
        )
    if counts.get("cancelled"):
        return TaskState.CANCELLED, counts, CANCELLED
    return TaskState.DONE, counts, None


def why_not_first(error: bytes | None) -> Problem:
    """What the other targets are told when Distributed did not get it."""
    if error is None:
        return CANCELLED
    problem = msgspec.msgpack.decode(error, type=Problem)
    return problem if problem.code == CANCELLED.code else because_of_first(problem)


def because_of_first(problem: Problem) -> Problem:
    """Why nobody gets what Distributed could not get."""
    return Problem(
        problem.code,
        f"Nothing was delivered, because the delivery into Distributed, which comes first, failed: {problem.message}",
        problem.hint,
    )


def went_through(connection: Connection, distribution_id: int) -> bool:
    """Whether Distributed's snapshot for this distribution was taken."""
    return connection.scalar(_WENT_THROUGH, {"of_id": distribution_id}) is not None


def request_cancel(context: Context, task_id: int) -> None:
    """Cancel a task and its deliveries: those not begun at once, the others before they change anything.

    Raises:
        NotFound: there is no such task.
    """
    with context.catalog.write() as connection:
        row = queue.get(connection, task_id)
        changed = families.request_cancel(connection, task_id, CANCELLED)
        if changed:
            settle(context, connection, task_id)
        if changed and row.parent_id is not None:
            settle(context, connection, row.parent_id)
            changed.append(row.parent_id)
    for changed_id in changed:
        context.announce(changed_id)
        context.ended(changed_id)
    context.wake.set()


def retry(context: Context, connection: Connection, parent_id: int) -> int:
    """Deliver again where it failed or was cancelled, in the caller's transaction; returns to how many targets."""
    again = families.retry_failed(connection, parent_id)
    context.wake.set()
    return len(again)
