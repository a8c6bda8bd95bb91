"""The store: verify all of it, read what was found."""

from __future__ import annotations

from nuvo_jupyter.catalog import queue
from nuvo_jupyter.delivery.orders import VerifyOrder
from nuvo_jupyter.delivery.results import read_details
from nuvo_jupyter.engine.call import Call
from nuvo_jupyter.engine.tasks import answer, visible_task
from nuvo_jupyter.model.errors import NotFound, NotNow
from nuvo_jupyter.model.requests import OfTask, Verify
from nuvo_jupyter.model.store import VerifyReport
from nuvo_jupyter.model.tasks import Task, TaskKind


def verify(call: Call, request: Verify) -> Task:
    """Queue a verification of every pack and blob; read the report with ``verify_show`` once it is done."""
    with call.write() as connection:
        task_id = queue.insert_task(
            connection,
            kind=TaskKind.VERIFY,
            title="Verify the store",
            order=VerifyOrder(),
            created_by=call.who,
        )
        call.detail["task"] = task_id
    return answer(call, task_id, request.wait)


def verify_show(call: Call, request: OfTask) -> VerifyReport:
    """What a verification found.

    Raises:
        NotFound: there is no such verification.
        NotNow: it is not finished.
    """
    with call.read() as connection:
        row = visible_task(call, connection, request.id)
    if row.kind != TaskKind.VERIFY:
        raise NotFound(f"Task {request.id} is no verification.")
    report = read_details(row.result, VerifyReport)
    if report is None:
        raise NotNow(
            f"The verification {request.id} is {row.state}.", hint="Wait for it with `nuvo tasks watch`."
        )
    return report
