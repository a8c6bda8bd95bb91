"""The stage: a user's temporary collection of objects from one state."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import stages
from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.spaces import get_instance
from nuvo_jupyter.delivery.take import rules_for
from nuvo_jupyter.engine.call import Call
from nuvo_jupyter.engine.lookup import find_snapshot, parse_state
from nuvo_jupyter.model.changes import ObjectKind
from nuvo_jupyter.model.errors import InvalidInput, NotFound
from nuvo_jupyter.model.objects import kind_of, name_of, paths_of
from nuvo_jupyter.model.paths import is_inside, parse_path
from nuvo_jupyter.model.requests import Nothing, StageAdd, StageRemove
from nuvo_jupyter.model.tasks import Stage, StagedObject
from nuvo_jupyter.store import tree
from nuvo_jupyter.workspace.live import left_out, live_node
from nuvo_jupyter.workspace.safe import Root


def stage_show(call: Call, _request: Nothing) -> Stage:
    """The caller's stage."""
    with call.read() as connection:
        return _shown(connection, stages.get_stage(connection, call.who))


def stage_add(call: Call, request: StageAdd) -> Stage:
    """Stage objects of a state; objects of another state are dropped (the stage holds ONE state's).

    Raises:
        NotFound: the state holds no such object; nothing is staged then.
        InvalidPath: a path is absolute or leaves the instance.
    """
    assert call.instance is not None
    reference = parse_state(request.state)
    if reference.path:
        raise InvalidInput(
            f"{request.state!r} names a path.", hint="Give the state, and the paths as objects."
        )
    objects = checked_objects(request.objects)
    with call.read() as connection:
        snapshot = (
            None if reference.is_current else find_snapshot(connection, call.instance, reference.snapshot)
        )
    require_objects(call, call.instance, snapshot, objects)
    snapshot_id = None if snapshot is None else snapshot.id
    with call.write() as connection:
        row = stages.get_stage(connection, call.who)
        kept: tuple[StagedObject, ...] = ()
        if row is not None and (row.instance_id, row.snapshot_id) == (call.instance.id, snapshot_id):
            kept = stages.objects_of(row)
        stages.put_stage(connection, call.who, call.instance.id, snapshot_id, _merged(kept, objects))
        return _shown(connection, stages.get_stage(connection, call.who))


def stage_remove(call: Call, request: StageRemove) -> Stage:
    """Take objects off the stage.

    Raises:
        NotFound: one of them is not staged; nothing is removed then.
    """
    objects = checked_objects(request.objects)
    with call.write() as connection:
        row = stages.get_stage(connection, call.who)
        held = () if row is None else stages.objects_of(row)
        for item in objects:
            if item not in held:
                raise NotFound(
                    f"{item.path!r} is not staged.", hint="Look at the stage with `nuvo stage show`."
                )
        left = tuple(item for item in held if item not in objects)
        if row is not None:
            if left:
                stages.put_stage(connection, call.who, row.instance_id, row.snapshot_id, left)
            else:
                stages.clear_stage(connection, call.who)
        return _shown(connection, stages.get_stage(connection, call.who))


def stage_clear(call: Call, _request: Nothing) -> Stage:
    """Empty the caller's stage."""
    with call.write() as connection:
        stages.clear_stage(connection, call.who)
    return Stage(None)


def checked_objects(objects: tuple[StagedObject, ...]) -> tuple[StagedObject, ...]:
    """Objects by where they lie, each once: tables and applications, given by name, are files of the state too.

    Raises:
        InvalidPath: as :func:`parse_path`.
        InvalidInput: the whole state as an object.
    """
    checked: dict[StagedObject, None] = {}
    for item in objects:
        path = parse_path(item.path if item.kind is kind_of(item.path) else paths_of(item.kind, item.path)[0])
        if not path:
            raise InvalidInput("The whole state is no object.", hint="Distribute it with 'whole' (--whole).")
        checked[StagedObject(path, kind_of(path))] = None
    return tuple(checked)


def require_objects(
    call: Call, instance: Row[Any], snapshot: Row[Any] | None, objects: tuple[StagedObject, ...]
) -> None:
    """Raise unless a state holds every one of the objects.

    Raises:
        NotFound: naming the first one it does not hold.
    """
    paths = [item.path for item in objects]
    label = f"{instance.space}/{instance.name}" + (f"@{snapshot.number}" if snapshot is not None else "")
    if snapshot is not None:
        missing = [path for path in paths if tree.find(call.engine.store, snapshot.root, path) is None]
    else:
        rules = rules_for(call.engine.context, instance.id, instance.workspace)
        with Root(instance.workspace) as root:
            missing = [path for path in paths if live_node(root, path) is None]
            for path in paths:
                reason = left_out(root, rules, path)
                if reason is not None:
                    raise NotFound(
                        f"{path!r} of {label} is left out of snapshots ({reason}), so it cannot be distributed.",
                        hint="Move or rename it, or change .nuvoignore.",
                    )
    if missing:
        kind = kind_of(missing[0])
        if kind is not ObjectKind.FILE:
            raise NotFound(f"{label} has no {kind.value} {name_of(missing[0])!r}.", hint="Check its name.")
        raise NotFound(
            f"{label} holds no {missing[0]!r}.", hint="Check the path; it starts at the instance's folder."
        )


def staged_source(connection: Connection, row: Row[Any]) -> tuple[Row[Any], Row[Any] | None]:
    """The instance and snapshot (``None``: current state) that a stage's objects are of, deleted or not."""
    instance = get_instance(connection, row.instance_id)
    if row.snapshot_id is None:
        return instance, None
    return instance, connection.execute(sa.select(t.snapshot).where(t.snapshot.c.id == row.snapshot_id)).one()


def _merged(kept: tuple[StagedObject, ...], added: tuple[StagedObject, ...]) -> tuple[StagedObject, ...]:
    # A file inside a staged folder is staged with it.
    every = dict.fromkeys((*kept, *added))
    folders = {item.path for item in every if item.kind is ObjectKind.FILE}
    return tuple(
        item
        for item in every
        if item.kind is not ObjectKind.FILE
        or not any(other != item.path and is_inside(item.path, other) for other in folders)
    )


def _shown(connection: Connection, row: Row[Any] | None) -> Stage:
    if row is None:
        return Stage(None)
    instance, snapshot = staged_source(connection, row)
    state = f"{instance.space}/{instance.name}" + (f"@{snapshot.number}" if snapshot is not None else "")
    return Stage(state, stages.objects_of(row))
