"""Work whose result is a report: queue it, read it."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from sqlalchemy.engine import Row

from nuvo_jupyter.catalog import queue
from nuvo_jupyter.delivery.results import read_details
from nuvo_jupyter.engine.call import Call
from nuvo_jupyter.engine.tasks import answer, visible_task
from nuvo_jupyter.model.errors import NotFound, NotNow
from nuvo_jupyter.model.tasks import Task, TaskKind

T = TypeVar("T")


def queue_report(
    call: Call, kind: TaskKind, title: str, order: msgspec.Struct, wait: float, space_id: int | None = None
) -> Task:
    """Queue a task and answer with it."""
    with call.write() as connection:
        task_id = queue.insert_task(
            connection, kind=kind, title=title, order=order, created_by=call.who, space_id=space_id
        )
        call.detail["task"] = task_id
    return answer(call, task_id, wait)


def read_report(call: Call, task_id: int, kind: TaskKind, type_: type[T], noun: str) -> T:
    """The report a finished task made.

    Raises:
        NotFound: there is no such task, or of another kind.
        NotNow: it is not finished.
    """
    with call.read() as connection:
        row: Row[tuple[object, ...]] = visible_task(call, connection, task_id)
    if row.kind != kind:
        raise NotFound(f"Task {task_id} is no {noun}.")
    report = read_details(row.result, type_)
    if report is None:
        raise NotNow(f"The {noun} {task_id} is {row.state}.", hint="Wait for it with `nuvo tasks watch`.")
    return report
