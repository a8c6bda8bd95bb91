"""Restore: a delivery of a snapshot, or some of its paths, into a current state."""

from __future__ import annotations

from nuvo_jupyter.delivery.orders import DistributionOrder
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
from nuvo_jupyter.model.tasks import DistributionKind, StagedObject, Task


def restore(call: Call, request: Restore) -> Task:
    """Queue a restore; a snapshot of the current state is taken first, so it can be undone the same way.

    Raises:
        InvalidInput: the source is a current state, or the strategy would restore nothing.
        NotFound: the snapshot does not hold one of the paths.
        Refused: not an editor of the instance that is restored into.
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
    with call.read() as connection:
        snapshot = find_snapshot(connection, source, reference.snapshot)
        access = call.access(connection)
        target = instance_of(connection, access, request.instance) if request.instance else source
        access.require_instance(target, Need.EDITOR, "restore into it")
        require_writable(target)
    if objects is not None:
        # Before anybody has to wait for the catalog.
        require_objects(call, source, snapshot, objects)
    with call.write() as connection:
        snapshot = find_snapshot(connection, source, str(snapshot.number))
        access = call.access(connection)
        target = instance_of(connection, access, request.instance) if request.instance else source
        access.require_instance(target, Need.EDITOR, "restore into it")
        require_writable(target)
        label = f"{source.space}/{source.name}@{snapshot.number}"
        what = (
            "everything"
            if objects is None
            else objects[0].path
            if len(objects) == 1
            else f"{len(objects)} objects"
        )
        task_id = send(
            call,
            connection,
            order=DistributionOrder(DistributionKind.RESTORE, objects, Strategies.every(strategy)),
            title=f"Restore {what} from {label}",
            space_id=target.space_id,
            source_instance=source.id,
            source_snapshot=snapshot.id,
            targets=[target],
        )
        call.concerns(target, label)
    return answer(call, task_id, request.wait)
