"""The store: verify all of it, rebuild its index, read what was found."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from nuvo_jupyter.catalog import queue
from nuvo_jupyter.delivery.orders import RepairOrder, VerifyOrder
from nuvo_jupyter.delivery.results import read_details
from nuvo_jupyter.engine.call import Call
from nuvo_jupyter.engine.tasks import answer, visible_task
from nuvo_jupyter.model.errors import NotFound, NotNow
from nuvo_jupyter.model.requests import OfTask, Repair, Verify
from nuvo_jupyter.model.store import RepairReport, VerifyReport
from nuvo_jupyter.model.tasks import Task, TaskKind

T = TypeVar("T")
NOUN = {TaskKind.VERIFY: "verification", TaskKind.REPAIR: "repair"}


def verify(call: Call, request: Verify) -> Task:
    """Queue a verification of every pack and blob; read the report with ``verify_show`` once it is done."""
    return _queue(call, TaskKind.VERIFY, "Verify the store", VerifyOrder(), request.wait)


def verify_show(call: Call, request: OfTask) -> VerifyReport:
    """What a verification found.

    Raises:
        NotFound: there is no such verification.
        NotNow: it is not finished.
    """
    return _report(call, request.id, TaskKind.VERIFY, VerifyReport)


def repair(call: Call, request: Repair) -> Task:
    """Queue a rebuild of the catalog's index of the store from its packs; read the report with ``repair_show``.

    What is lost is taken back from workspaces where it still lies, and from a copy of the store, if one is named.
    """
    return _queue(
        call, TaskKind.REPAIR, "Repair the store's index", RepairOrder(request.source), request.wait
    )


def repair_show(call: Call, request: OfTask) -> RepairReport:
    """What a repair did.

    Raises:
        NotFound: there is no such repair.
        NotNow: it is not finished.
    """
    return _report(call, request.id, TaskKind.REPAIR, RepairReport)


def _queue(call: Call, kind: TaskKind, title: str, order: msgspec.Struct, wait: float) -> Task:
    with call.write() as connection:
        task_id = queue.insert_task(connection, kind=kind, title=title, order=order, created_by=call.who)
        call.detail["task"] = task_id
    return answer(call, task_id, wait)


def _report(call: Call, task_id: int, kind: TaskKind, type_: type[T]) -> T:
    with call.read() as connection:
        row = visible_task(call, connection, task_id)
    if row.kind != kind:
        raise NotFound(f"Task {task_id} is no {NOUN[kind]}.")
    report = read_details(row.result, type_)
    if report is None:
        raise NotNow(
            f"The {NOUN[kind]} {task_id} is {row.state}.", hint="Wait for it with `nuvo tasks watch`."
        )
    return report
