"""Work on the store as tasks: re-hash it, rebuild its index."""

from __future__ import annotations

import msgspec

from nuvo_jupyter.delivery.execution import Execution
from nuvo_jupyter.delivery.orders import RepairOrder
from nuvo_jupyter.delivery.results import pack_result
from nuvo_jupyter.delivery.salvage import workspaces
from nuvo_jupyter.model.store import RepairReport, VerifyReport
from nuvo_jupyter.model.tasks import TaskState
from nuvo_jupyter.store.repair import repair
from nuvo_jupyter.store.salvage import copy_of_a_store
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
    """Rebuild the catalog's index from the packs, and look for what is lost in workspaces and, if one is named, in a copy
    of the store. What stays lost is the task's result.

    Raises:
        Cancelled: what was repaired until then stays.
        NotFound, StoreDamaged, ServiceUnavailable: the copy cannot be used; nothing was done.
        LeaseLost: somebody else has taken over.
    """
    order = msgspec.msgpack.decode(execution.row.request, type=RepairOrder)
    sources = [workspaces(execution.context, execution.cancelled)]
    if order.source:
        sources.insert(0, copy_of_a_store(order.source, execution.check))
    report = repair(
        execution.context.store,
        sources=sources,
        progress=lambda done, total: execution.progress("repair", done, total),
        cancelled=execution.cancelled,
    )
    _finish(execution, report)


def _finish(execution: Execution, report: VerifyReport | RepairReport) -> None:
    with execution.context.catalog.write() as connection:
        execution.finish(connection, TaskState.DONE, result=pack_result({}, details=report))
    execution.announce()
