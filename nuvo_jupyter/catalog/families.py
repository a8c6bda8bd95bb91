"""Tasks that belong together: a distribution and its deliveries, released, cancelled and retried as one.

Whoever changes the state of a child calls :func:`nuvo_jupyter.delivery.settle.settle` in the same transaction.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.queue import UNFINISHED, close, ended_columns, get
from nuvo_jupyter.model.tasks import Problem, TaskState

_WAITING, _QUEUED, _RUNNING = UNFINISHED
_c = t.task.c

_COUNTING = (
    sa.update(t.task)
    .where(_c.id == sa.bindparam("of_id"))
    .values(done=_c.done + sa.bindparam("number", type_=sa.Integer))
    .returning(t.task)
)
_UNFINISHED_CHILD = (
    sa.select(_c.id).where(_c.parent_id == sa.bindparam("of_id"), _c.state.in_(UNFINISHED)).limit(1)
)


def release_waiting(connection: Connection, parent_id: int, only_instance: int | None = None) -> None:
    """Queue the waiting children of a task: all, or the one for an instance."""
    waiting = sa.update(t.task).where(_c.parent_id == parent_id, _c.state == _WAITING)
    if only_instance is not None:
        waiting = waiting.where(_c.instance_id == only_instance)
    connection.execute(waiting.values(state=_QUEUED))


def requeue(connection: Connection, task_id: int) -> bool:
    """Queue a task that waits; whether it did."""
    done = connection.execute(
        sa.update(t.task).where(_c.id == task_id, _c.state == _WAITING).values(state=_QUEUED)
    )
    return done.rowcount == 1


def cancel_waiting(
    connection: Connection, parent_id: int, problem: Problem, *, queued: bool = False
) -> list[int]:
    """End a task's children that wait (or are queued, too) as cancelled; returns their ids."""
    states = (_WAITING, _QUEUED) if queued else (_WAITING,)
    ended = ended_columns(connection, TaskState.CANCELLED, problem)
    ids = connection.scalars(
        sa.update(t.task)
        .where(_c.parent_id == parent_id, _c.state.in_(states))
        .values(**ended, cancel_requested=True)
        .returning(_c.id)
    ).all()
    if ids:
        count_finished(connection, parent_id, len(ids))
    return [int(i) for i in ids]


def count_finished(connection: Connection, parent_id: int, number: int) -> Row[Any]:
    """Note that so many more children of a task are finished; locks its row, and returns it."""
    return connection.execute(_COUNTING, {"of_id": parent_id, "number": number}).one()


def request_cancel(connection: Connection, task_id: int, problem: Problem) -> list[int]:
    """Cancel a task and its children: at once where nobody executes them, else at their next step.

    Returns:
        Ids of the rows that changed. A finished task is left alone.

    Raises:
        NotFound: there is no such task.
    """
    row = get(connection, task_id)
    if TaskState(row.state).finished:
        return []
    changed = cancel_waiting(connection, task_id, problem, queued=True)
    running = connection.scalars(
        sa.update(t.task)
        .where(_c.parent_id == task_id, _c.state == _RUNNING)
        .values(cancel_requested=True)
        .returning(_c.id)
    ).all()
    changed.extend(running)
    connection.execute(sa.update(t.task).where(_c.id == task_id).values(cancel_requested=True))
    has_children = bool(changed) or _count_children(connection, task_id) > 0
    if row.state != _RUNNING and not has_children:
        close(connection, task_id, TaskState.CANCELLED, problem=problem)
        if row.parent_id is not None:
            count_finished(connection, row.parent_id, 1)
    return [*changed, task_id]


def expect_more(connection: Connection, parent_id: int, number: int) -> None:
    """Note that a task has so many more children."""
    connection.execute(sa.update(t.task).where(_c.id == parent_id).values(total=_c.total + number))


def retry_failed(connection: Connection, parent_id: int) -> list[int]:
    """Let the failed and cancelled children of a task run again; the others stay as they are.

    Returns:
        Ids of those children; ``[]`` if there is nothing to repeat.
    """
    again = (TaskState.FAILED.value, TaskState.CANCELLED.value)
    fresh = {
        "step": "",
        "done": 0,
        "total": 0,
        "attempts": 0,
        "cancel_requested": False,
        "result": None,
        "error": None,
        "started_at": None,
        "finished_at": None,
    }
    ids = connection.scalars(
        sa.update(t.task)
        .where(_c.parent_id == parent_id, _c.state.in_(again))
        # A fresh backup: what its user did since is theirs.
        .values(state=_WAITING, backup_id=None, **fresh)
        .returning(_c.id)
    ).all()
    if ids:
        count_finished(connection, parent_id, -len(ids))
        # A running parent releases what waits when it is through; a waiting or finished one has to run again.
        connection.execute(
            sa.update(t.task)
            .where(_c.id == parent_id, _c.state.in_((_WAITING, TaskState.DONE.value, *again)))
            .values(
                state=_QUEUED,
                **{key: fresh[key] for key in fresh if key not in ("done", "total", "started_at")},
            )
        )
    return [int(i) for i in ids]


def children(connection: Connection, parent_id: int) -> list[Row[Any]]:
    """A task's children in the order of their ids."""
    return list(connection.execute(sa.select(t.task).where(_c.parent_id == parent_id).order_by(_c.id)))


def child_for(connection: Connection, parent_id: int, instance_id: int) -> Row[Any] | None:
    """A task's child for one instance."""
    query = sa.select(t.task).where(_c.parent_id == parent_id, _c.instance_id == instance_id)
    return connection.execute(query.order_by(_c.id)).first()


def _count_children(connection: Connection, parent_id: int) -> int:
    return int(connection.scalar(sa.select(sa.func.count()).where(_c.parent_id == parent_id)) or 0)


def child_states(connection: Connection, parent_id: int) -> dict[str, int]:
    """How many of a task's children are in which state."""
    query = sa.select(_c.state, sa.func.count()).where(_c.parent_id == parent_id).group_by(_c.state)
    return {state: int(number) for state, number in connection.execute(query)}


def has_unfinished_children(connection: Connection, parent_id: int) -> bool:
    """Whether any child of a task is not finished."""
    return connection.scalar(_UNFINISHED_CHILD, {"of_id": parent_id}) is not None
