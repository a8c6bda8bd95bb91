"""Pull: an editor takes objects from Distributed, or where permitted from Master, into their own state."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import queue
from nuvo_jupyter.catalog.spaces import of_kind
from nuvo_jupyter.delivery.orders import DistributionOrder, PreviewOrder
from nuvo_jupyter.engine.call import Call
from nuvo_jupyter.engine.distribute import check_strategies
from nuvo_jupyter.engine.lookup import find_instance, find_snapshot, parse_state
from nuvo_jupyter.engine.sending import send
from nuvo_jupyter.engine.stage import checked_objects, require_objects
from nuvo_jupyter.engine.tasks import answer
from nuvo_jupyter.engine.writable import require_writable
from nuvo_jupyter.model.errors import Refused, SameState
from nuvo_jupyter.model.reference import LATEST
from nuvo_jupyter.model.requests import Pull
from nuvo_jupyter.model.roles import Need
from nuvo_jupyter.model.tasks import DistributionKind, StagedObject, Task, TaskKind


class _Plan(NamedTuple):
    target: Row[Any]
    source: Row[Any]
    snapshot: Row[Any]
    order: DistributionOrder

    @property
    def label(self) -> str:
        """What is pulled from, as a reference."""
        return f"{self.source.space}/{self.source.name}@{self.snapshot.number}"


def pull(call: Call, request: Pull) -> Task:
    """Queue a pull; a backup snapshot of the caller's state is taken first.

    From Distributed always its latest snapshot, unless another one is named.

    Raises:
        Refused: the source is neither Distributed nor one the caller may view, or Master where the space forbids it.
        InvalidInput: the strategies skip everything.
        NotFound: there is no snapshot yet, or it does not hold one of the paths.
    """
    plan = _plan(call, request)
    with call.write() as connection:
        _still_allowed(call, connection, plan)
        task_id = send(
            call,
            connection,
            order=plan.order,
            title=f"Pull from {plan.label} into {plan.target.space}/{plan.target.name}",
            space_id=plan.target.space_id,
            source_instance=plan.source.id,
            source_snapshot=plan.snapshot.id,
            targets=[plan.target],
        )
        call.concerns(plan.target, plan.label)
    return answer(call, task_id, request.wait)


def pull_preview(call: Call, request: Pull) -> Task:
    """Queue a preview of a pull: the same plan without applying it; read it with ``preview_show`` once it is done.

    Raises:
        As :func:`pull`.
    """
    plan = _plan(call, request)
    with call.write() as connection:
        _still_allowed(call, connection, plan)
        task_id = queue.insert_task(
            connection,
            kind=TaskKind.PREVIEW,
            title=f"Preview of a pull from {plan.label} into {plan.target.space}/{plan.target.name}",
            order=PreviewOrder(plan.order, plan.source.id, plan.snapshot.id, (plan.target.id,)),
            created_by=call.who,
            space_id=plan.target.space_id,
        )
        call.concerns(plan.target, plan.label)
        call.detail["task"] = task_id
    return answer(call, task_id, request.wait)


def _plan(call: Call, request: Pull) -> _Plan:
    """What is asked for, while nobody has to wait for the catalog."""
    assert call.instance is not None
    target = call.instance
    require_writable(target)
    with call.read() as connection:
        access = call.access(connection)
        if request.source:
            reference = parse_state(request.source)
            source = find_instance(connection, access, reference)
            path = reference.path
            wanted = LATEST if reference.is_current else reference.snapshot
        else:
            source, path, wanted = of_kind(connection, target.space_id, "distributed"), "", LATEST
        if source.id == target.id:
            raise SameState("An instance cannot pull from itself.", hint="To get files back, restore them.")
        _require_pullable(call, connection, source, target)
        snapshot = find_snapshot(connection, source, wanted)
        asked = (path, *request.paths) if path else request.paths
        objects = checked_objects(tuple(StagedObject(one) for one in asked)) if asked else None
    check_strategies(request.strategies, objects, only_files=request.only_files)
    if objects is not None:
        require_objects(call, source, snapshot, objects)
    order = DistributionOrder(DistributionKind.PULL, objects, request.strategies, request.only_files)
    return _Plan(target, source, snapshot, order)


def _still_allowed(call: Call, connection: Connection, plan: _Plan) -> None:
    find_snapshot(connection, plan.source, str(plan.snapshot.number))
    _require_pullable(call, connection, plan.source, plan.target)


def _require_pullable(call: Call, connection: Connection, source: Row[Any], target: Row[Any]) -> None:
    """Raise unless the caller may pull from an instance.

    Raises:
        Refused: they may not.
    """
    allowed = Need.VIEWER in call.access(connection).instance(source)
    # A permitted Master needs no role in it: that is what the permission is for.
    if not allowed and not (
        source.kind == "master" and source.space_id == target.space_id and source.pull_from_master
    ):
        raise Refused(
            f"{call.who} may not pull from {source.space}/{source.name}.",
            hint="Pull from Distributed, or ask an admin of the space to allow pulling from Master.",
        )
