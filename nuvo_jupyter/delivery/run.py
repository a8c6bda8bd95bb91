"""Executing one claimed task to its end, whatever happens."""

from __future__ import annotations

import errno
import importlib
import logging
from collections.abc import Callable

import msgspec
from sqlalchemy.engine import Connection

from nuvo_jupyter.delivery.distribution import abandon, distribute
from nuvo_jupyter.delivery.execution import Execution
from nuvo_jupyter.delivery.orders import SnapshotOrder
from nuvo_jupyter.delivery.results import pack_result
from nuvo_jupyter.delivery.settle import CANCELLED
from nuvo_jupyter.delivery.take import take_snapshot
from nuvo_jupyter.model.errors import (
    Cancelled,
    LeaseLost,
    NuvoError,
    ServiceUnavailable,
    StorageFull,
    WorkspaceUnavailable,
)
from nuvo_jupyter.model.tasks import Problem, TaskKind, TaskState

MAX_ATTEMPTS = 20
"""Executors that may die over one task before it is given up: what kills each of them would kill all."""
PATIENCE_ATTEMPTS = 5
"""Times a task is begun while the store or the database does not answer, a lease's length apart; then it says why."""

log = logging.getLogger(__name__)


def snapshot(execution: Execution) -> None:
    """Take the snapshot a task asks for."""

    def record(connection: Connection, snapshot_id: int) -> None:
        execution.finish(connection, TaskState.DONE, result=pack_result({}, snapshot_id=snapshot_id))

    order = msgspec.msgpack.decode(execution.row.request, type=SnapshotOrder)
    if order.unless_same:
        _later("scheduling", "take_if_changed")(execution)
        return
    execution.progress("capture")
    take_snapshot(
        execution.context,
        execution.row.instance_id,
        order=order,
        by=execution.row.created_by,
        record=record,
        progress=lambda done, total: execution.progress("capture", done, total),
        check=execution.check,
        cancelled=execution.cancelled,
    )
    execution.announce()


def _later(module: str, name: str) -> Callable[[Execution], None]:
    """Work whose module is loaded when it comes: a command that takes a snapshot needs no merging."""

    def work(execution: Execution) -> None:
        getattr(importlib.import_module(f"nuvo_jupyter.delivery.{module}"), name)(execution)

    return work


WORK = {
    TaskKind.SNAPSHOT: snapshot,
    TaskKind.DISTRIBUTION: distribute,
    TaskKind.DELIVERY: _later("deliver", "deliver"),
    TaskKind.PREVIEW: _later("preview", "preview"),
    TaskKind.VERIFY: _later("upkeep", "verify_store"),
    TaskKind.REPAIR: _later("upkeep", "repair_store"),
    TaskKind.COLLECT: _later("collecting", "collect_store"),
    TaskKind.USAGE: _later("measuring", "measure_usage"),
    TaskKind.FORGET: _later("retaining", "forget_by_rule"),
    TaskKind.APPLICATION_ADD: _later("applications", "add_application"),
    TaskKind.APPLICATION_BUILD: _later("applications", "build_application"),
    TaskKind.CRATE_IMPORT: _later("crates", "import_snapshot"),
}


def execute(execution: Execution) -> None:
    """Do a task's work and note its end; never raises what the work raises."""
    try:
        if execution.row.attempts > MAX_ATTEMPTS:
            _end(
                execution,
                TaskState.FAILED,
                Problem(
                    "gave_up",
                    f"It was begun {MAX_ATTEMPTS} times, and each time the process ended before it did.",
                ),
            )
            return
        _work(execution)
    except LeaseLost:
        log.info("Task %d was taken over by another executor.", execution.id)
    except Exception:
        # Its lease runs out, and somebody tries again.
        log.exception("The end of task %d could not be noted.", execution.id)


def _work(execution: Execution) -> None:
    try:
        WORK[execution.kind](execution)
    except LeaseLost:
        raise
    except Cancelled:
        if execution.lost:
            raise LeaseLost(f"Task {execution.id} was taken over.") from None
        if execution.cancel:
            _end(execution, TaskState.CANCELLED, CANCELLED)
        else:
            with execution.context.catalog.write() as connection:
                execution.suspend(connection, TaskState.QUEUED)
            execution.announce()
    except ServiceUnavailable as error:
        if execution.row.attempts >= PATIENCE_ATTEMPTS:
            _end(execution, TaskState.FAILED, Problem(error.code, error.message, error.hint))
        else:
            # Not the task's fault: its lease runs out, and it is tried again.
            log.warning("Task %d waits for a service.", execution.id, exc_info=True)
    except NuvoError as error:
        _end(execution, TaskState.FAILED, Problem(error.code, error.message, error.hint))
    except OSError as error:
        # What no part has a word for: mostly a disk that fails under a workspace.
        log.exception("Task %d was refused by the system.", execution.id)
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        named = (StorageFull if full else WorkspaceUnavailable)(f"The system refused: {error}.")
        _end(execution, TaskState.FAILED, Problem(named.code, named.message, named.hint))
    except Exception as error:
        log.exception("Task %d failed unexpectedly.", execution.id)
        reason = f"{type(error).__name__}: {error}"
        _end(
            execution,
            TaskState.FAILED,
            Problem("error", f"It failed unexpectedly ({reason}).", "See the server's log."),
        )


def _end(execution: Execution, state: TaskState, problem: Problem) -> None:
    with execution.context.catalog.write() as connection:
        if execution.kind is TaskKind.DISTRIBUTION:
            abandon(execution, connection, state, problem)
        else:
            execution.finish(connection, state, problem=problem)
    execution.announce()
