"""Instances: create, list, rename, archive, delete and recover."""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.database import now
from nuvo_jupyter.catalog.people import holders
from nuvo_jupyter.catalog.queue import is_busy
from nuvo_jupyter.catalog.snapshots import count_snapshots
from nuvo_jupyter.catalog.spaces import (
    add_instance,
    change_instance,
    find_instances,
    get_instance,
    list_instances,
)
from nuvo_jupyter.engine import present
from nuvo_jupyter.engine.authorise import Access
from nuvo_jupyter.engine.call import Call
from nuvo_jupyter.engine.first_state import start_instances
from nuvo_jupyter.engine.folders import claim_folder, folder_from_template
from nuvo_jupyter.engine.lookup import find_space, still_recoverable
from nuvo_jupyter.engine.people import invite
from nuvo_jupyter.engine.targets import ALL
from nuvo_jupyter.engine.tasks import answer
from nuvo_jupyter.model.errors import AlreadyExists, InvalidInput, NotNow
from nuvo_jupyter.model.reference import check_name
from nuvo_jupyter.model.requests import InstanceCreate, InstanceList, InstanceUpdate, OfInstance
from nuvo_jupyter.model.roles import Need, Scope
from nuvo_jupyter.model.spaces import Instance, InstanceKind, Member, Person
from nuvo_jupyter.model.tasks import Task

_FIXED = ("master", "distributed")


def instance_create(call: Call, request: InstanceCreate) -> Task:
    """Create an instance for some people, starting from a snapshot (by default Distributed's latest).

    Raises:
        AlreadyExists: its name or folder is taken.
    """
    assert call.space is not None
    with call.write() as connection:
        people = [
            Person(name) for name in dict.fromkeys(check_name(name, "user name") for name in request.people)
        ]
        instance_id = make_instance(
            call,
            connection,
            call.space,
            name=request.name,
            people=people,
            description=request.description,
            workspace=request.workspace,
        )
        task_id = start_instances(call, connection, call.space, [instance_id], request.source)
    return answer(call, task_id, request.wait)


def make_instance(
    call: Call,
    connection: Connection,
    space: Row[Any],
    *,
    name: str,
    people: list[Person],
    description: str = "",
    workspace: str = "",
) -> int:
    """Insert an instance with its people as editors; its id.

    Raises:
        AlreadyExists: its name or folder is taken.
        NotNow: the space is archived.
    """
    name = _checked_name(name)
    if space.archived:
        raise NotNow(f"The space {space.name!r} is archived.", hint="Take it out of the archive first.")
    if any(row.deleted_at is None for row in find_instances(connection, space.id, name)):
        raise AlreadyExists(
            f"The space {space.name!r} has an instance {name!r} already.", hint="Choose another name."
        )
    access = call.access(connection)
    username = people[0].username if len(people) == 1 else name
    folder = (
        claim_folder(connection, access, workspace, call.engine.home)
        if workspace
        else folder_from_template(
            connection,
            access,
            space,
            call.engine.settings.workspace_template,
            call.engine.home,
            username=username,
            instance=name,
        )
    )
    instance_id = add_instance(
        connection,
        space_id=space.id,
        name=name,
        kind=(InstanceKind.GROUP if len(people) > 1 else InstanceKind.PERSONAL).value,
        description=description,
        workspace=folder,
        created_by=call.who,
    )
    invite(call, connection, instance_id, people)
    return instance_id


def instance_list(call: Call, request: InstanceList) -> tuple[Instance, ...]:
    """The instances the caller can see, of one space or of all."""
    with call.read() as connection:
        access = call.access(connection)
        space_id = None
        if request.space:
            space = find_space(connection, access, request.space)
            access.require_in_space(space, Need.ANYONE)
            space_id = space.id
        rows = [
            row
            for row in list_instances(connection, space_id, deleted=request.deleted)
            if Need.OBSERVER in access.instance(row)
        ]
        return _present_all(connection, access, rows)


def instance_show(call: Call, _request: OfInstance) -> Instance:
    """One instance."""
    assert call.instance is not None
    return _again(call, call.instance.id)


def instance_update(call: Call, request: InstanceUpdate) -> Instance:
    """Change what is given of an instance; renaming and archiving need an admin of the space.

    Raises:
        AlreadyExists: the new name is taken.
        NotNow: Master and Distributed keep their names and cannot be archived alone.
    """
    assert call.instance is not None
    row = call.instance
    changes: dict[str, Any] = {}
    with call.write() as connection:
        if request.name is not None or request.archived is not None:
            call.access(connection).require_instance(row, Need.ADMIN, "rename or archive it")
            _refuse_fixed(row, "renamed or archived alone")
        if request.name is not None:
            changes["name"] = _checked_name(request.name)
            same = find_instances(connection, row.space_id, changes["name"])
            if any(other.deleted_at is None and other.id != row.id for other in same):
                raise AlreadyExists(f"The space {row.space!r} has an instance {request.name!r} already.")
        if request.archived is not None:
            changes["archived"] = request.archived
        if request.description is not None:
            changes["description"] = request.description
        if request.state_description is not None:
            changes["state_description"] = request.state_description
        if changes:
            change_instance(connection, row.id, **changes)
    return _again(call, row.id)


def instance_delete(call: Call, _request: OfInstance) -> Instance:
    """Delete an instance; its folder stays, and it is recoverable for 24 hours.

    Raises:
        NotNow: Master and Distributed go only with their space; or something is still being done with it.
    """
    assert call.instance is not None
    _refuse_fixed(call.instance, "deleted alone")
    with call.write() as connection:
        if is_busy(connection, instance_id=call.instance.id):
            raise NotNow(
                f"A snapshot of or delivery into {call.instance.space}/{call.instance.name} is not finished.",
                hint="Wait for it to finish, or cancel it.",
            )
        change_instance(connection, call.instance.id, deleted_at=now(connection))
    return _again(call, call.instance.id)


def instance_recover(call: Call, _request: OfInstance) -> Instance:
    """Bring a deleted instance back.

    Raises:
        NotNow: it is not deleted.
        AlreadyExists: its name or folder was taken meanwhile.
    """
    assert call.instance is not None
    row = call.instance
    if row.deleted_at is None:
        raise NotNow(f"The instance {row.space}/{row.name} is not deleted.")
    with call.write() as connection:
        still_recoverable(connection, t.instance, row, f"instance {row.space}/{row.name}")
        if any(other.deleted_at is None for other in find_instances(connection, row.space_id, row.name)):
            raise AlreadyExists(
                f"Another instance is called {row.name!r} now.", hint="Rename that one first."
            )
        claim_folder(connection, call.access(connection), row.workspace, call.engine.home)
        change_instance(connection, row.id, deleted_at=None)
    return _again(call, row.id)


def _checked_name(name: str) -> str:
    name = check_name(name, "instance name")
    if name == ALL:
        raise InvalidInput(
            f"An instance cannot be called {ALL!r}: as a target that means all of them.",
            hint="Choose another name.",
        )
    return name


def _refuse_fixed(row: Row[Any], what: str) -> None:
    if row.kind in _FIXED:
        raise NotNow(
            f"{row.space}/{row.name} is the space's {row.kind} instance and cannot be {what}.",
            hint="Change the whole space instead.",
        )


def _again(call: Call, instance_id: int) -> Instance:
    with call.read() as connection:
        return _present_all(connection, call.access(connection), [get_instance(connection, instance_id)])[0]


def _present_all(connection: Connection, access: Access, rows: list[Row[Any]]) -> tuple[Instance, ...]:
    people: dict[int, list[Member]] = {row.id: [] for row in rows}
    names = {row.id: row.name for row in rows}
    for held in holders(connection, Scope.INSTANCE, list(people)):
        people[held.scope_id].append(present.member(held, names[held.scope_id]))
    taken = count_snapshots(connection, list(people))
    found = []
    for row in rows:
        met = access.instance(row)
        shown = tuple(people[row.id]) if Need.VIEWER in met else ()
        found.append(
            present.instance(
                row, shown, tuple(need.value for need in Need if need in met), taken.get(row.id, 0)
            )
        )
    return tuple(found)
