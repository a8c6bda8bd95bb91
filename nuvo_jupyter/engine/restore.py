"""Restore: a delivery of a snapshot, or some of its paths, into a current state; and what that would do."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import queue
from nuvo_jupyter.delivery.orders import DistributionOrder, PreviewOrder
from nuvo_jupyter.engine.call import Call
from nuvo_jupyter.engine.lookup import find_snapshot, instance_of, parse_state
from nuvo_jupyter.engine.sending import send
from nuvo_jupyter.engine.stage import checked_objects, require_objects
from nuvo_jupyter.engine.tasks import answer
from nuvo_jupyter.engine.writable import require_writable
from nuvo_jupyter.model.changes import Strategies, Strategy
from nuvo_jupyter.model.errors import InvalidInput
from nuvo_jupyter.model.requests import Restore
from nuvo_jupyter.model.roles import Need
from nuvo_jupyter.model.tasks import DistributionKind, StagedObject, Task, TaskKind


class _Plan(NamedTuple):
    source: Row[Any]
    snapshot: Row[Any]
    target: Row[Any]
    order: DistributionOrder

    @property
    def label(self) -> str:
        """The snapshot as a reference."""
        return f"{self.source.space}/{self.source.name}@{self.snapshot.number}"

    @property
    def what(self) -> str:
        """What is restored, in the words of a title."""
        objects = self.order.objects
        if objects is None:
            return "everything"
        return objects[0].path if len(objects) == 1 else f"{len(objects)} objects"


def restore(call: Call, request: Restore) -> Task:
    """Queue a restore; a snapshot of the current state is taken first, so it can be undone the same way.

    Raises:
        InvalidInput: the source is a current state, or the strategy would restore nothing.
        NotFound: the snapshot does not hold one of the paths.
        Refused: not an editor of the instance that is restored into.
    """
    number = _looked(call, request)
    with call.write() as connection:
        plan = _plan(call, connection, request, number)
        task_id = send(
            call,
            connection,
            order=plan.order,
            title=f"Restore {plan.what} from {plan.label}",
            space_id=plan.target.space_id,
            source_instance=plan.source.id,
            source_snapshot=plan.snapshot.id,
            targets=[plan.target],
        )
        call.concerns(plan.target, plan.label)
    return answer(call, task_id, request.wait)


def restore_preview(call: Call, request: Restore) -> Task:
    """Queue a preview of a restore: the same plan without applying it; read it with ``preview_show`` once it is done.

    Raises:
        As :func:`restore`.
    """
    number = _looked(call, request)
    with call.write() as connection:
        plan = _plan(call, connection, request, number)
        task_id = queue.insert_task(
            connection,
            kind=TaskKind.PREVIEW,
            title=f"Preview of restoring {plan.what} from {plan.label}",
            order=PreviewOrder(plan.order, plan.source.id, plan.snapshot.id, (plan.target.id,)),
            created_by=call.who,
            space_id=plan.target.space_id,
        )
        call.concerns(plan.target, plan.label)
        call.detail["task"] = task_id
    return answer(call, task_id, request.wait)


def _looked(call: Call, request: Restore) -> str:
    """See that the snapshot holds what is asked for, while nobody waits for the catalog; the snapshot's number."""
    with call.read() as connection:
        plan = _plan(call, connection, request, "")
    if plan.order.objects is not None:
        require_objects(call, plan.source, plan.snapshot, plan.order.objects)
    return str(plan.snapshot.number)


def _plan(call: Call, connection: Connection, request: Restore, number: str) -> _Plan:
    """What is asked for, by somebody who may.

    Args:
        number: of the snapshot, where it was looked at already.
    """
    assert call.instance is not None
    source = call.instance
    reference = parse_state(request.source)
    if reference.is_current:
        raise InvalidInput(
            f"{request.source!r} is a current state; only snapshots can be restored.",
            hint="Add @NUMBER, @NAME or @latest.",
        )
    if request.strategy is Strategy.SKIP:
        raise InvalidInput(
            "The strategy 'skip' would restore nothing.",
            hint="Choose overwrite, replace, rename, extra or merge.",
        )
    asked = (reference.path, *request.paths) if reference.path else request.paths
    objects = checked_objects(tuple(StagedObject(path) for path in asked)) if asked else None
    strategy = request.strategy or (Strategy.REPLACE if objects is None else Strategy.OVERWRITE)
    snapshot = find_snapshot(connection, source, number or reference.snapshot)
    access = call.access(connection)
    target = instance_of(connection, access, request.instance) if request.instance else source
    access.require_instance(target, Need.EDITOR, "restore into it")
    require_writable(target)
    order = DistributionOrder(DistributionKind.RESTORE, objects, Strategies.every(strategy))
    return _Plan(source, snapshot, target, order)
