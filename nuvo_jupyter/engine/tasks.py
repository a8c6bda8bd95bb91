"""Tasks: list, show, wait for, cancel."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import families, queue
from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.delivery.results import TaskResult, read_result
from nuvo_jupyter.delivery.settle import request_cancel
from nuvo_jupyter.engine.authorise import Access
from nuvo_jupyter.engine.call import Call, deadline, remaining
from nuvo_jupyter.engine.lookup import find_space
from nuvo_jupyter.engine.present import moment, optional_moment
from nuvo_jupyter.model.errors import NotFound, Refused
from nuvo_jupyter.model.requests import OfTask, TaskList, TaskShow
from nuvo_jupyter.model.roles import Need
from nuvo_jupyter.model.tasks import Problem, Task, TaskKind, TaskState

_POLL_SECONDS = 0.5
"""How often a waiting call looks for what another process did; this process's executors wake it at once."""


def task_list(call: Call, request: TaskList) -> tuple[Task, ...]:
    """The caller's tasks, and those of spaces they administer, newest first; deliveries are shown with their distribution."""
    with call.read() as connection:
        access = call.access(connection)
        spaces = access.administered()
        mine: str | None = call.who
        if request.space:
            space = find_space(connection, access, request.space)
            access.require_in_space(space, Need.ANYONE)
            if Need.ADMIN in access.space(space.id):
                spaces, mine = {space.id}, None
            else:
                rows = queue.list_tasks(
                    connection,
                    created_by=call.who,
                    within=space.id,
                    active=request.active,
                    limit=request.limit,
                )
                return present_tasks(connection, rows)
        elif spaces is None:
            mine = None
        rows = queue.list_tasks(
            connection, space_ids=spaces, created_by=mine, active=request.active, limit=request.limit
        )
        return present_tasks(connection, rows)


def task_show(call: Call, request: TaskShow) -> Task:
    """One task; with ``wait``, as soon as it is finished or that many seconds later.

    Raises:
        NotFound: there is none, or it is none of the caller's business.
    """
    with call.read() as connection:
        visible_task(call, connection, request.id)
    return wait_for(call, request.id, request.wait)


def task_cancel(call: Call, request: OfTask) -> Task:
    """Cancel a task and everything that belongs to it; what is being applied to a target is completed first.

    Raises:
        NotFound: there is no such task.
        Refused: it is neither the caller's nor in a space they administer.
    """
    with call.read() as connection:
        row = visible_task(call, connection, request.id)
        call.concerns_task(connection, row)
        if row.created_by != call.who and not _administers(call.access(connection), row):
            raise Refused(
                f"Task {row.id} was started by {row.created_by}.",
                hint="Ask them or an admin of the space to cancel it.",
            )
    request_cancel(call.engine.context, request.id)
    return wait_for(call, request.id, 0)


def answer(call: Call, task_id: int, seconds: float) -> Task:
    """Wake the executors, wait up to ``seconds`` for a task, and tell where it stands."""
    call.queued()
    return wait_for(call, task_id, seconds)


def wait_for(call: Call, task_id: int, seconds: float) -> Task:
    """A task as soon as it is finished, or as it is after ``seconds``."""
    until = deadline(seconds)
    while True:
        with call.read() as connection:
            task = present_tasks(connection, [queue.get(connection, task_id)])[0]
        left = remaining(until)
        if task.state.finished or left <= 0:
            return task
        with call.engine.finished:
            call.engine.finished.wait(min(left, _POLL_SECONDS))


def visible_task(call: Call, connection: Connection, task_id: int) -> Row[Any]:
    """A task's row, if the caller may know of it: their own, in a space they administer, or on an instance they edit.

    Raises:
        NotFound: otherwise.
    """
    row = queue.get(connection, task_id)
    access = call.access(connection)
    if row.created_by == call.who or _administers(access, row):
        return row
    concerned = {row.instance_id} | {child.instance_id for child in families.children(connection, row.id)}
    if concerned & access.edited():
        return row
    raise NotFound(f"There is no task {task_id}.")


def present_tasks(connection: Connection, rows: list[Row[Any]]) -> tuple[Task, ...]:
    """Rows of tasks as faces show them, with one query for all names they refer to."""
    instances = {row.instance_id for row in rows if row.instance_id is not None}
    names: dict[int, str] = {}
    if instances:
        query = sa.select(t.instance.c.id, t.instance.c.name, t.space.c.name.label("space")).join(
            t.space, t.space.c.id == t.instance.c.space_id
        )
        names = {
            row.id: f"{row.space}/{row.name}"
            for row in connection.execute(query.where(t.instance.c.id.in_(instances)))
        }
    results = {row.id: read_result(row.result) for row in rows}
    backups = {row.backup_id for row in rows if row.backup_id is not None}
    backups |= {result.snapshot_id for result in results.values() if result.snapshot_id is not None}
    taken: dict[int, str] = {}
    if backups:
        query = (
            sa.select(t.snapshot.c.id, t.snapshot.c.number, t.instance.c.name, t.space.c.name.label("space"))
            .join(t.instance, t.instance.c.id == t.snapshot.c.instance_id)
            .join(t.space, t.space.c.id == t.instance.c.space_id)
            .where(t.snapshot.c.id.in_(backups))
        )
        taken = {row.id: f"{row.space}/{row.name}@{row.number}" for row in connection.execute(query)}
    return tuple(_present(row, results[row.id], names, taken) for row in rows)


def _present(row: Row[Any], result: TaskResult, names: dict[int, str], taken: dict[int, str]) -> Task:
    return Task(
        id=row.id,
        kind=TaskKind(row.kind),
        title=row.title,
        state=TaskState(row.state),
        step=row.step,
        done=row.done,
        total=row.total,
        created_at=moment(row.created_at),
        created_by=row.created_by,
        started_at=optional_moment(row.started_at),
        finished_at=optional_moment(row.finished_at),
        instance=names.get(row.instance_id) if row.instance_id is not None else None,
        distribution=row.distribution_id,
        parent=row.parent_id,
        snapshot=taken.get(result.snapshot_id) if result.snapshot_id is not None else None,
        backup=taken.get(row.backup_id) if row.backup_id is not None else None,
        counts=result.counts,
        notes=result.notes,
        problem=None if row.error is None else msgspec.msgpack.decode(row.error, type=Problem),
    )


def _administers(access: Access, row: Row[Any]) -> bool:
    administered = access.administered()
    return administered is None or row.space_id in administered
