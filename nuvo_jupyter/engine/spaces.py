"""Spaces: create, list, rename, archive, delete and recover."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.database import now
from nuvo_jupyter.catalog.people import ensure_person, grant
from nuvo_jupyter.catalog.queue import is_busy
from nuvo_jupyter.catalog.spaces import (
    add_instance,
    add_space,
    change_space,
    find_spaces,
    get_space,
    list_instances,
    list_spaces,
)
from nuvo_jupyter.engine import present
from nuvo_jupyter.engine.authorise import Access
from nuvo_jupyter.engine.call import Call
from nuvo_jupyter.engine.folders import check_template, claim_folder, fill_template
from nuvo_jupyter.engine.lookup import still_recoverable
from nuvo_jupyter.model.errors import AlreadyExists, InvalidInput, NotNow
from nuvo_jupyter.model.reference import check_name
from nuvo_jupyter.model.requests import OfSpace, SpaceCreate, SpaceList, SpaceUpdate
from nuvo_jupyter.model.roles import Need, Role, Scope
from nuvo_jupyter.model.spaces import Space, SpaceKind
from nuvo_jupyter.workspace.folder import make_folder


def space_create(call: Call, request: SpaceCreate) -> Space:
    """Create a space with its Master and Distributed; the caller becomes its admin.

    Courses need the organization role faculty; research and dataset spaces any member can make.
    """
    name = check_name(request.name, "space name")
    with call.write() as connection:
        access = call.access(connection)
        if request.kind is SpaceKind.COURSE:
            access.require_organization(Need.FACULTY)
        space_id = make_space(
            call,
            connection,
            name=name,
            kind=request.kind,
            description=request.description,
            visibility=request.visibility.value,
            timezone=_checked_timezone(request.timezone),
            template=check_template(request.template),
            workspace=request.workspace,
        )
        call.space = get_space(connection, space_id)
        return _present(connection, call.access(connection), call.space)


def make_space(
    call: Call,
    connection: Connection,
    *,
    name: str,
    kind: SpaceKind,
    workspace: str,
    description: str = "",
    visibility: str = "private",
    timezone: str = "UTC",
    template: str = "",
) -> int:
    """Insert a space with Master and Distributed, the caller as its admin; its id.

    Raises:
        AlreadyExists: the name or the folder is taken.
    """
    if any(
        row.deleted_at is None for row in find_spaces(connection, name, call.engine.settings.organization)
    ):
        raise AlreadyExists(f"There is a space {name!r} already.", hint="Choose another name.")
    space_id = add_space(
        connection,
        organization_id=call.organization_id,
        name=name,
        kind=kind.value,
        description=description,
        visibility=visibility,
        timezone=timezone,
        template=template,
        created_by=call.who,
    )
    home = call.engine.home
    folder = workspace or fill_template(
        template or call.engine.settings.workspace_template, username=call.who, space=name, instance="master"
    )
    common: dict[str, Any] = {"space_id": space_id, "created_by": call.who}
    master = claim_folder(connection, call.access(connection), folder, home)
    make_folder(master)
    add_instance(connection, name="master", kind="master", workspace=master, **common)
    # Nobody works in Distributed, so its folder lies in Nuvo's own home.
    distributed = home.resolve() / "distributed" / str(space_id)
    make_folder(str(distributed))
    add_instance(connection, name="distributed", kind="distributed", workspace=str(distributed), **common)
    grant(connection, ensure_person(connection, call.who), Scope.SPACE, space_id, Role.ADMIN, call.who)
    return space_id


def space_list(call: Call, request: SpaceList) -> tuple[Space, ...]:
    """The spaces the caller can see, by name."""
    with call.read() as connection:
        access = call.access(connection)
        rows = list_spaces(connection, deleted=request.deleted)
        return tuple(_present(connection, access, row) for row in rows if access.sees_space(row))


def space_show(call: Call, _request: OfSpace) -> Space:
    """One space."""
    assert call.space is not None
    with call.read() as connection:
        return _present(connection, call.access(connection), call.space)


def space_update(call: Call, request: SpaceUpdate) -> Space:
    """Change what is given of a space.

    Raises:
        AlreadyExists: the new name is taken.
        InvalidInput: unknown time zone, template without placeholders.
    """
    assert call.space is not None
    changes: dict[str, Any] = {}
    if request.description is not None:
        changes["description"] = request.description
    if request.visibility is not None:
        changes["visibility"] = request.visibility.value
    if request.timezone is not None:
        changes["timezone"] = _checked_timezone(request.timezone)
    if request.template is not None:
        changes["template"] = check_template(request.template)
    if request.pull_from_master is not None:
        changes["pull_from_master"] = request.pull_from_master
    if request.archived is not None:
        changes["archived"] = request.archived
    with call.write() as connection:
        if request.name is not None:
            changes["name"] = check_name(request.name, "space name")
            same = find_spaces(connection, changes["name"], call.space.organization)
            if any(row.deleted_at is None and row.id != call.space.id for row in same):
                raise AlreadyExists(
                    f"There is a space {request.name!r} already.", hint="Choose another name."
                )
        if changes:
            change_space(connection, call.space.id, **changes)
        return _present(connection, call.access(connection), get_space(connection, call.space.id))


def space_delete(call: Call, _request: OfSpace) -> Space:
    """Delete a space with all its instances; the folders stay, and it is recoverable for 24 hours.

    Raises:
        NotNow: something is still being done in it.
    """
    assert call.space is not None
    with call.write() as connection:
        if is_busy(connection, space_id=call.space.id):
            raise NotNow(
                f"Tasks are still running in the space {call.space.name!r}.",
                hint="Wait for them to finish, or cancel them.",
            )
        change_space(connection, call.space.id, deleted_at=now(connection))
        return _present(connection, call.access(connection), get_space(connection, call.space.id))


def space_recover(call: Call, _request: OfSpace) -> Space:
    """Bring a deleted space back.

    Raises:
        NotNow: it is not deleted.
        AlreadyExists: another space took its name.
    """
    assert call.space is not None
    if call.space.deleted_at is None:
        raise NotNow(f"The space {call.space.name!r} is not deleted.")
    with call.write() as connection:
        still_recoverable(connection, t.space, call.space, f"space {call.space.name!r}")
        if any(
            row.deleted_at is None
            for row in find_spaces(connection, call.space.name, call.space.organization)
        ):
            raise AlreadyExists(
                f"Another space is called {call.space.name!r} now.",
                hint="Rename that one first, then recover.",
            )
        for row in list_instances(connection, call.space.id, of_deleted_space=True):
            if row.kind != "distributed":
                claim_folder(connection, call.access(connection), row.workspace, call.engine.home)
        change_space(connection, call.space.id, deleted_at=None)
        return _present(connection, call.access(connection), get_space(connection, call.space.id))


def _checked_timezone(name: str) -> str:
    if name not in available_timezones():
        raise InvalidInput(
            f"There is no time zone {name!r}.", hint="Use an IANA name such as Europe/Zurich or UTC."
        )
    return ZoneInfo(name).key


def _present(connection: Connection, access: Access, row: Row[Any]) -> Space:
    met = access.space(row.id)
    visible = [one for one in list_instances(connection, row.id) if Need.OBSERVER in access.instance(one)]
    return present.space(row, len(visible), tuple(need.value for need in Need if need in met))
