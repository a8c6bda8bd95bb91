"""Distribute objects or a whole state, and preview what that would do."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import previews, queue, stages
from nuvo_jupyter.catalog.spaces import get_space
from nuvo_jupyter.delivery.orders import DistributionOrder, PreviewOrder
from nuvo_jupyter.delivery.results import read_target
from nuvo_jupyter.engine.authorise import Access
from nuvo_jupyter.engine.call import Call
from nuvo_jupyter.engine.lookup import (
    find_instance,
    find_snapshot,
    find_space,
    instance_of,
    parse_state,
    state_text,
)
from nuvo_jupyter.engine.sending import send
from nuvo_jupyter.engine.stage import checked_objects, require_objects, staged_source
from nuvo_jupyter.engine.targets import find_targets
from nuvo_jupyter.engine.tasks import answer, visible_task, wait_for
from nuvo_jupyter.model.changes import ObjectKind, Strategies, Strategy
from nuvo_jupyter.model.errors import EmptyStage, Gone, InvalidInput, NotFound
from nuvo_jupyter.model.requests import Distribute, PreviewShow, PreviewTarget
from nuvo_jupyter.model.roles import Need
from nuvo_jupyter.model.tasks import (
    DistributionKind,
    Preview,
    StagedObject,
    TargetPreview,
    Task,
    TaskKind,
    TaskState,
)


class _Plan(NamedTuple):
    source: Row[Any]
    snapshot: Row[Any] | None
    space: Row[Any]
    targets: list[Row[Any]]
    order: DistributionOrder

    @property
    def label(self) -> str:
        """The source as a reference."""
        state = f"{self.source.space}/{self.source.name}"
        return state if self.snapshot is None else f"{state}@{self.snapshot.number}"


def distribute(call: Call, request: Distribute) -> Task:
    """Queue a distribution: a backup of each target is taken first, then the objects are merged by the strategy.

    Several targets of a current state all get one snapshot of it; ``all`` goes through Distributed.

    Raises:
        EmptyStage: nothing named, nothing staged.
        SameState: a target is the source.
        Refused: not viewer of the source, or not editor of a target.
        NotFound: the source does not hold an object, or there is no such target.
    """
    looked = _look(call, request)
    with call.write() as connection:
        plan = _plan(call, connection, request, looked)
        what = what_of(plan.order.objects)
        task_id = send(
            call,
            connection,
            order=plan.order,
            title=f"Distribute {what} from {plan.label} to {_whom(plan)}",
            space_id=plan.space.id,
            source_instance=plan.source.id,
            source_snapshot=None if plan.snapshot is None else plan.snapshot.id,
            targets=plan.targets,
            message=request.message,
            notify=request.notify,
        )
    return answer(call, task_id, request.wait)


def distribute_preview(call: Call, request: Distribute) -> Task:
    """Queue a preview: the same plan without applying it; read it with ``preview_show`` once it is done.

    Raises:
        As :func:`distribute`.
    """
    looked = _look(call, request)
    with call.write() as connection:
        plan = _plan(call, connection, request, looked)
        task_id = queue.insert_task(
            connection,
            kind=TaskKind.PREVIEW,
            title=f"Preview of {what_of(plan.order.objects)} from {plan.label} to {_whom(plan)}",
            order=PreviewOrder(
                plan.order,
                plan.source.id,
                None if plan.snapshot is None else plan.snapshot.id,
                tuple(row.id for row in plan.targets),
            ),
            created_by=call.who,
            space_id=plan.space.id,
        )
        call.detail["task"] = task_id
    return answer(call, task_id, request.wait)


def preview_show(call: Call, request: PreviewShow) -> Preview:
    """What a distribution would do to each target, page by page.

    Raises:
        NotFound: there is no such preview.
    """
    with call.read() as connection:
        row = _preview(call, connection, request.id)
    task = wait_for(call, request.id, request.wait)
    order = msgspec.msgpack.decode(row.request, type=PreviewOrder)
    with call.read() as connection:
        source = state_text(connection, order.source_instance, order.source_snapshot)
        if task.state is not TaskState.DONE:
            return Preview(task=task, source=source)
        total = previews.count_found(connection, request.id)
        found = previews.list_found(connection, request.id, after=request.after, limit=request.limit)
    targets = tuple(_cut(read_target(item.result), 0, request.objects) for item in found)
    return Preview(task=task, source=source, targets=targets, total=total)


def preview_target(call: Call, request: PreviewTarget) -> TargetPreview:
    """What a distribution would do to the objects of one target, page by page.

    Raises:
        NotFound: there is no such preview, or it found nothing of this target.
    """
    with call.read() as connection:
        _preview(call, connection, request.id)
        found = previews.get_found(connection, request.id, request.instance)
    if found is None:
        raise NotFound(f"The preview {request.id} has no target {request.instance!r}.")
    return _cut(read_target(found.result), request.after, request.limit)


def _preview(call: Call, connection: Connection, task_id: int) -> Row[Any]:
    row = visible_task(call, connection, task_id)
    if row.kind != TaskKind.PREVIEW:
        raise NotFound(f"Task {task_id} is no preview.")
    return row


def _cut(found: TargetPreview, after: int, limit: int) -> TargetPreview:
    return msgspec.structs.replace(found, outcomes=found.outcomes[after : after + limit])


_Looked = tuple[int, int | None, tuple[StagedObject, ...] | None]
"""Which state was looked at for which objects: ids of instance and snapshot, and the objects."""


def _look(call: Call, request: Distribute) -> _Looked:
    """See that the source holds what is asked for, while nobody waits for the catalog."""
    with call.read() as connection:
        source, snapshot, objects = _allowed_source(call, connection, request)
    if objects is not None:
        require_objects(call, source, snapshot, objects)
    return source.id, None if snapshot is None else snapshot.id, objects


def _allowed_source(
    call: Call, connection: Connection, request: Distribute
) -> tuple[Row[Any], Row[Any] | None, tuple[StagedObject, ...] | None]:
    access = call.access(connection)
    source, snapshot, objects = _source(call, connection, access, request)
    call.concerns(source)
    access.require_instance(source, Need.VIEWER, "distribute from it")
    return source, snapshot, objects


def _plan(call: Call, connection: Connection, request: Distribute, looked: _Looked) -> _Plan:
    access = call.access(connection)
    source, snapshot, objects = _allowed_source(call, connection, request)
    space = (
        find_space(connection, access, request.space)
        if request.space
        else get_space(connection, source.space_id)
    )
    targets, through = find_targets(connection, access, request.to, space, source)
    call.space = space
    if objects is not None and looked != (source.id, None if snapshot is None else snapshot.id, objects):
        # The stage was changed in this moment.
        require_objects(call, source, snapshot, objects)
    strategies = request.strategies
    check_strategies(request.strategies, objects, only_files=request.only_files)
    order = DistributionOrder(
        kind=DistributionKind.DISTRIBUTE,
        objects=objects,
        strategies=strategies,
        only_files=request.only_files,
        through=None if through is None else through.id,
    )
    return _Plan(source, snapshot, space, targets, order)


def check_strategies(
    chosen: Strategies, objects: tuple[StagedObject, ...] | None, *, only_files: bool
) -> None:
    """Raise if the strategies skip everything that is asked for, or ask for rows where no tables are merged.

    Raises:
        InvalidInput: they do.
    """
    if (chosen.append_rows or chosen.key) and (only_files or chosen.table is not Strategy.MERGE):
        raise InvalidInput(
            "Rows are appended only where tables are merged.",
            hint="Choose 'merge' as the strategy for tables.",
        )
    if chosen.key and not chosen.append_rows:
        raise InvalidInput(
            "A key is named, but not that rows are to be appended.",
            hint="Ask for that too, or leave the key out.",
        )
    kinds = set(ObjectKind) if objects is None else {item.kind for item in objects}
    if only_files:
        kinds &= {ObjectKind.FILE}
    strategies = {
        ObjectKind.FILE: chosen.file,
        ObjectKind.TABLE: chosen.table,
        ObjectKind.APPLICATION: chosen.application,
    }
    if all(strategies[kind] is Strategy.SKIP for kind in kinds):
        raise InvalidInput(
            "With these strategies nothing would be distributed.", hint="Choose one other than 'skip'."
        )


def _source(
    call: Call, connection: Connection, access: Access, request: Distribute
) -> tuple[Row[Any], Row[Any] | None, tuple[StagedObject, ...] | None]:
    row = stages.get_stage(connection, call.who)
    if not request.source:
        if row is None:
            raise EmptyStage("Nothing is staged.")
        source, snapshot = _still_there(*staged_source(connection, row))
        _refuse_elsewhere(connection, access, request, source)
        objects = stages.objects_of(row) if request.objects is None else checked_objects(request.objects)
        return source, snapshot, None if request.whole else _some(objects)
    reference = parse_state(request.source)
    source = find_instance(connection, access, reference)
    snapshot = None if reference.is_current else find_snapshot(connection, source, reference.snapshot)
    if request.whole:
        if reference.path or request.objects:
            raise InvalidInput(
                "The whole state and some of its objects were asked for.", hint="Choose one of them."
            )
        return source, snapshot, None
    named = (StagedObject(reference.path),) if reference.path else ()
    if request.objects is not None or named:
        return source, snapshot, _some(checked_objects((*named, *(request.objects or ()))))
    staged = (None, None) if row is None else (row.instance_id, row.snapshot_id)
    if row is None or staged != (source.id, None if snapshot is None else snapshot.id):
        raise EmptyStage(f"Nothing of {request.source} is staged.")
    return source, snapshot, _some(stages.objects_of(row))


def _refuse_elsewhere(connection: Connection, access: Access, request: Distribute, source: Row[Any]) -> None:
    """Raise if the caller is in another space than the one their stage is of, and has not named that space.

    Raises:
        EmptyStage: so that what was staged in one course is not sent to it from another by mistake.
    """
    if not request.here or request.space:
        return
    here = instance_of(connection, access, request.here)
    if here.space_id != source.space_id:
        raise EmptyStage(
            f"Nothing of {here.space} is staged: your stage holds objects of {source.space}/{source.name}.",
            hint=f"Distribute them from a folder of {source.space}, or name that space (--space).",
        )


def _still_there(source: Row[Any], snapshot: Row[Any] | None) -> tuple[Row[Any], Row[Any] | None]:
    deleted = source.deleted_at is not None or source.space_deleted_at is not None
    if deleted or (snapshot is not None and snapshot.deleted_at is not None):
        raise Gone(
            f"The state of which objects are staged was deleted ({source.space}/{source.name}).",
            hint="Recover it, or clear the stage and stage objects of another state.",
        )
    return source, snapshot


def _some(objects: tuple[StagedObject, ...]) -> tuple[StagedObject, ...]:
    if not objects:
        raise EmptyStage("Nothing is staged.")
    return objects


def what_of(objects: tuple[StagedObject, ...] | None) -> str:
    """What is distributed, in the words of a title; ``None`` is the whole state."""
    if objects is None:
        return "the whole state"
    return objects[0].path if len(objects) == 1 else f"{len(objects)} objects"


def _whom(plan: _Plan) -> str:
    if plan.order.through is not None:
        return f"all of {plan.space.name}"
    names = [f"{row.space}/{row.name}" for row in plan.targets]
    return names[0] if len(names) == 1 else f"{len(names)} instances"
