"""Applications as tasks: capture an environment, build one, bring definitions up to date before a snapshot."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import queue
from nuvo_jupyter.catalog.spaces import get_instance
from nuvo_jupyter.delivery.context import Context
from nuvo_jupyter.delivery.execution import Execution
from nuvo_jupyter.delivery.locks import instance_lock
from nuvo_jupyter.delivery.orders import ApplicationAddOrder, ApplicationBuildOrder
from nuvo_jupyter.delivery.results import pack_result
from nuvo_jupyter.model.changes import ObjectKind, ObjectOutcome, Outcome
from nuvo_jupyter.model.objects import APPLICATIONS, name_of
from nuvo_jupyter.model.tasks import TaskKind, TaskState

_CHANGED = (Outcome.CREATED, Outcome.REPLACED, Outcome.RENAMED, Outcome.CONFLICT)


def add_application(execution: Execution) -> None:
    """Capture an environment as a new application.

    Raises:
        AlreadyExists, InvalidInput, EnvironmentFailed: it cannot be; nothing was changed.
        Cancelled
        LeaseLost: somebody else has taken over.
    """
    order = msgspec.msgpack.decode(execution.row.request, type=ApplicationAddOrder)
    _applications(execution).add(
        order.name,
        Path(order.prefix),
        spec=Path(order.spec) if order.spec else None,
        variables=order.variables,
        seal=order.seal,
        offline=order.offline,
        check=execution.check,
        progress=_progress(execution),
    )
    _finish(execution)


def build_application(execution: Execution) -> None:
    """Build the environment of an application beside the old one, which stays in use until it is complete.

    Its settings are put in the place of JupyterLab's afterwards, if that was asked for.

    Raises:
        NotFound, ApplicationDamaged, PythonUnsuitable, PackageUnavailable, EnvironmentFailed: the old one is still there.
        Cancelled
        LeaseLost: somebody else has taken over.
    """
    order = msgspec.msgpack.decode(execution.row.request, type=ApplicationBuildOrder)
    done = _applications(execution).realise(
        order.name,
        offline=order.offline,
        any_python=order.any_python,
        confirmed=order.confirmed,
        check=execution.check,
        progress=_progress(execution),
    )
    notes = _applications(execution).apply_settings(order.name) if order.settings else ()
    _finish(execution, done, notes)


def refresh(
    context: Context,
    instance: Row[Any],
    check: Callable[[], None] | None = None,
    prints: dict[str, str] | None = None,
) -> None:
    """Bring the definitions of an instance's applications up to date with their environments, before a snapshot.

    The network is asked only about packages that are new; without it they are packed into the definition.

    Args:
        check: called often; raises to cancel.
        prints: how environments look that were looked at just now; added to.
    """
    if os.path.isdir(os.path.join(instance.workspace, APPLICATIONS)):
        _of(context, instance).refresh_all(check=check, prints=prints)


def refresh_before_looking(
    context: Context,
    instance: Row[Any],
    check: Callable[[], None] | None = None,
    prints: dict[str, str] | None = None,
) -> None:
    """:func:`refresh` for who only looks at an instance, so that it is seen as a snapshot of it would hold it.

    Args:
        check: called often, also while another executor works on the instance; raises to cancel.
        prints: as for :func:`refresh`, for who looks at many instances: most share one environment.
    """
    if os.path.isdir(os.path.join(instance.workspace, APPLICATIONS)):
        with instance_lock(context.home, instance.id, check):
            refresh(context, instance, check, prints)


def build_what_came(connection: Connection, row: Row[Any], outcomes: Sequence[ObjectOutcome]) -> None:
    """Queue the building of every application that a delivery changed, in the transaction of its end."""
    names = {
        name_of(outcome.at or outcome.path)
        for outcome in outcomes
        if outcome.kind is ObjectKind.APPLICATION
        and outcome.outcome in _CHANGED
        and name_of(outcome.at or outcome.path) != (outcome.at or outcome.path)
    }
    if not names:
        return
    instance = get_instance(connection, row.instance_id)
    for name in sorted(names):
        queue_build(connection, instance, ApplicationBuildOrder(name), by=row.created_by)


def queue_build(connection: Connection, instance: Row[Any], order: ApplicationBuildOrder, *, by: str) -> int:
    """Queue the building of an application; returns the task's id."""
    return queue.insert_task(
        connection,
        kind=TaskKind.APPLICATION_BUILD,
        title=f"Build the application {order.name} of {instance.space}/{instance.name}",
        order=order,
        created_by=by,
        space_id=instance.space_id,
        instance_id=instance.id,
    )


def _applications(execution: Execution) -> Any:
    with execution.context.catalog.read() as connection:
        instance = get_instance(connection, execution.row.instance_id)
    return _of(execution.context, instance)


def _of(context: Context, instance: Row[Any]) -> Any:
    from nuvo_jupyter.workspace.applications.applications import Applications

    return Applications(context.home, Path(instance.workspace), instance.space, instance.name)


def _progress(execution: Execution) -> Callable[[int, int, str], None]:
    return lambda done, total, step: execution.progress(step, done, total)


def _finish(execution: Execution, details: msgspec.Struct | None = None, notes: tuple[str, ...] = ()) -> None:
    with execution.context.catalog.write() as connection:
        execution.finish(connection, TaskState.DONE, result=pack_result({}, details=details, notes=notes))
    execution.announce()
