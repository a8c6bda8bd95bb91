"""Work on the store as tasks: re-hash it, rebuild its index."""

from __future__ import annotations

from nuvo_jupyter.delivery.execution import Execution
from nuvo_jupyter.delivery.results import pack_result
from nuvo_jupyter.model.store import RepairReport, VerifyReport
from nuvo_jupyter.model.tasks import TaskState
from nuvo_jupyter.store.repair import repair
from nuvo_jupyter.store.verify import verify


def verify_store(execution: Execution) -> None:
    """Verify the whole store; what is damaged is the task's result, not its failure.

    Raises:
        Cancelled
        LeaseLost: somebody else has taken over.
    """
    report = verify(
        execution.context.store,
        progress=lambda done, total: execution.progress("verify", done, total),
        cancelled=execution.cancelled,
    )
    _finish(execution, report)


def repair_store(execution: Execution) -> None:
    """Rebuild the catalog's index from the packs alone; what stays damaged is the task's result.

    Raises:
        Cancelled: the index is as it was.
        LeaseLost: somebody else has taken over.
    """
    report = repair(
        execution.context.store,
        progress=lambda done, total: execution.progress("repair", done, total),
        cancelled=execution.cancelled,
    )
    _finish(execution, report)


def _finish(execution: Execution, report: VerifyReport | RepairReport) -> None:
    with execution.context.catalog.write() as connection:
        execution.finish(connection, TaskState.DONE, result=pack_result({}, details=report))
    execution.announce()
