"""Snapshots: take, list, show, rename, delete and recover."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.database import now
from nuvo_jupyter.catalog.queue import insert_task
from nuvo_jupyter.catalog.snapshots import refuse_taken
from nuvo_jupyter.catalog.spaces import get_instance, get_space, of_kind
from nuvo_jupyter.delivery.orders import SnapshotOrder
from nuvo_jupyter.engine import present
from nuvo_jupyter.engine.call import Call
from nuvo_jupyter.engine.folders import instance_at, resolve_folder, suggested_space
from nuvo_jupyter.engine.lookup import find_snapshot, instance_of, parse_whole_state, still_recoverable
from nuvo_jupyter.engine.objects import applications_of, tables_of
from nuvo_jupyter.engine.spaces import make_space
from nuvo_jupyter.engine.tasks import answer
from nuvo_jupyter.model.errors import ConfirmationNeeded, InvalidInput, NotFound, NotNow
from nuvo_jupyter.model.reference import CURRENT, check_snapshot_name
from nuvo_jupyter.model.requests import OfState, SnapshotCreate, SnapshotList, SnapshotUpdate
from nuvo_jupyter.model.roles import Need
from nuvo_jupyter.model.snapshots import Reason, Snapshot, SnapshotDetail
from nuvo_jupyter.model.spaces import RECOVERABLE_SECONDS, SpaceKind
from nuvo_jupyter.model.tasks import Task, TaskKind


def snapshot_create(call: Call, request: SnapshotCreate) -> Task:
    """Queue a snapshot of an instance's current state.

    A folder that no instance holds becomes the Master of a research space named after it.
    An automatic one ends without a snapshot where the newest one holds the same.

    Raises:
        ConfirmationNeeded: the first capture of something huge, without ``confirmed``.
        InvalidInput: neither an instance nor a folder, or both.
        AlreadyExists: a snapshot has that name.
        NotNow: the instance or space is archived.
    """
    if bool(request.instance) == bool(request.folder):
        raise InvalidInput("Give either an instance or a folder.")
    name = check_snapshot_name(request.name) if request.name else None
    if not request.confirmed:
        _ask_before_first(call, request)
    with call.write() as connection:
        row = _authorised(call, connection, request)
        if row is None:
            row = _new_space(call, connection, resolve_folder(request.folder))
        call.concerns(row)
        if row.archived or row.space_archived:
            raise NotNow(f"{row.space}/{row.name} is archived.", hint="Take it out of the archive first.")
        if name is not None:
            refuse_taken(connection, row.id, name)
        task_id = insert_task(
            connection,
            kind=TaskKind.SNAPSHOT,
            title=f"Snapshot of {row.space}/{row.name}" + (f" “{name}”" if name else ""),
            order=SnapshotOrder(
                name,
                request.description,
                request.next_description,
                request.final,
                Reason.SCHEDULED if request.automatic else Reason.MANUAL,
                unless_same=request.automatic,
            ),
            created_by=call.who,
            space_id=row.space_id,
            instance_id=row.id,
        )
        call.detail["task"] = task_id
    return answer(call, task_id, request.wait)


def _authorised(call: Call, connection: Connection, request: SnapshotCreate) -> Row[Any] | None:
    """The instance to capture, of which the caller is an editor; ``None`` for a folder that no instance holds."""
    access = call.access(connection)
    if request.instance:
        row = instance_of(connection, access, request.instance)
    else:
        found = instance_at(connection, resolve_folder(request.folder))
        if found is None:
            access.require_organization(Need.MEMBER)
            return None
        row = get_instance(connection, found[0])
        if not access.sees_space_of(row):
            raise NotFound(
                f"{request.folder} belongs to no instance that you can see.", hint="Choose another folder."
            )
    call.concerns(row)
    access.require_instance(row, Need.EDITOR, "take a snapshot")
    return row


def _new_space(call: Call, connection: Connection, folder: Path) -> Row[Any]:
    if not folder.is_dir():
        raise InvalidInput(
            f"There is no folder {folder}.",
            hint="Give an existing folder. A name for the snapshot goes with --name.",
        )
    name = suggested_space(connection, folder)
    space_id = make_space(call, connection, name=name, kind=SpaceKind.RESEARCH, workspace=str(folder))
    call.space = get_space(connection, space_id)
    return of_kind(connection, space_id, "master")


def _ask_before_first(call: Call, request: SnapshotCreate) -> None:
    settings = call.engine.settings
    if not settings.confirm_bytes and not settings.confirm_files:
        return
    with call.read() as connection:
        row = _authorised(call, connection, request)
    resolved = resolve_folder(request.folder) if row is None else Path(row.workspace)
    if (row is not None and row.next_number > 1) or not resolved.is_dir():
        return
    from nuvo_jupyter.workspace.safe import Root
    from nuvo_jupyter.workspace.scan import measure

    with Root(str(resolved)) as root:
        # No limit means: never ask.
        measured = measure(
            root,
            limit_bytes=settings.confirm_bytes or sys.maxsize,
            limit_files=settings.confirm_files or sys.maxsize,
        )
    if measured.more:
        raise ConfirmationNeeded(
            f"{resolved} is large: {measured.size / 1e9:.1f} GB in {measured.files:,} files, and counting.",
            hint="Choose a smaller folder, exclude files in .nuvoignore, or confirm (--yes) to take the snapshot anyway.",
        )


def snapshot_list(call: Call, request: SnapshotList) -> tuple[Snapshot, ...]:
    """An instance's snapshots, newest first."""
    assert call.instance is not None
    c = t.snapshot.c
    query = (
        sa.select(t.snapshot)
        .where(c.instance_id == call.instance.id)
        .order_by(c.number.desc())
        .limit(request.limit)
    )
    if request.before is not None:
        query = query.where(c.number < request.before)
    reference = f"{call.instance.space}/{call.instance.name}"
    with call.read() as connection:
        there: sa.ColumnElement[bool] = c.deleted_at.is_(None)
        if request.deleted:
            there |= c.deleted_at > now(connection) - RECOVERABLE_SECONDS
        query = query.where(there)
        return tuple(present.snapshot(row, reference) for row in connection.execute(query))


def snapshot_show(call: Call, request: OfState) -> SnapshotDetail:
    """One snapshot, with what it left out and why.

    Raises:
        InvalidInput: the reference names the current state.
    """
    instance, row = _subject(call, request.state)
    manifest = call.engine.store.manifest(row.manifest)
    return SnapshotDetail(
        snapshot=present.snapshot(row, f"{instance.space}/{instance.name}"),
        excluded=manifest.excluded,
        inconsistent=manifest.inconsistent,
        tables=tables_of(call, row.root),
        applications=applications_of(call, row.root),
    )


def snapshot_update(call: Call, request: SnapshotUpdate) -> Snapshot:
    """Rename or describe a snapshot; what it holds never changes.

    Raises:
        AlreadyExists: another snapshot of the instance has that name.
    """
    instance, row = _subject(call, request.state)
    changes: dict[str, Any] = {}
    with call.write() as connection:
        if request.name is not None:
            changes["name"] = check_snapshot_name(request.name) if request.name else None
            if request.name and changes["name"] != row.name:
                refuse_taken(connection, instance.id, changes["name"])
        if request.description is not None:
            changes["description"] = request.description
        return _changed(connection, instance, row, changes)


def snapshot_delete(call: Call, request: OfState) -> Snapshot:
    """Delete a snapshot; recoverable for 24 hours.

    Raises:
        NotNow: an unfinished distribution still delivers from it.
    """
    instance, row = _subject(call, request.state)
    with call.write() as connection:
        if _in_use(connection, row.id):
            raise NotNow(
                f"{instance.space}/{instance.name}@{row.number} is being delivered.",
                hint="Wait for the distribution to finish, or cancel it.",
            )
        return _changed(connection, instance, row, {"deleted_at": now(connection)})


def snapshot_recover(call: Call, request: OfState) -> Snapshot:
    """Bring a deleted snapshot back.

    Raises:
        NotNow: it is not deleted.
        AlreadyExists: another snapshot took its name.
    """
    instance, row = _subject(call, request.state, deleted=True)
    if row.deleted_at is None:
        raise NotNow(f"{instance.space}/{instance.name}@{row.number} is not deleted.")
    with call.write() as connection:
        still_recoverable(
            connection, t.snapshot, row, f"snapshot {instance.space}/{instance.name}@{row.number}"
        )
        if row.name:
            refuse_taken(connection, instance.id, row.name)
        return _changed(connection, instance, row, {"deleted_at": None})


def _subject(call: Call, text: str, *, deleted: bool = False) -> tuple[Row[Any], Row[Any]]:
    assert call.instance is not None
    reference = parse_whole_state(text)
    if reference.snapshot == CURRENT:
        raise InvalidInput(
            f"{text!r} is a current state, not a snapshot.", hint="Add @NUMBER, @NAME or @latest."
        )
    with call.read() as connection:
        row = find_snapshot(connection, call.instance, reference.snapshot, deleted=deleted)
    call.concerns(call.instance, f"{call.instance.space}/{call.instance.name}@{row.number}")
    return call.instance, row


def _changed(connection: Connection, instance: Row[Any], row: Row[Any], changes: dict[str, Any]) -> Snapshot:
    if changes:
        connection.execute(sa.update(t.snapshot).where(t.snapshot.c.id == row.id).values(**changes))
    again = connection.execute(sa.select(t.snapshot).where(t.snapshot.c.id == row.id)).one()
    return present.snapshot(again, f"{instance.space}/{instance.name}")


def _in_use(connection: Connection, snapshot_id: int) -> bool:
    query = (
        sa.select(t.task.c.id)
        .join(t.distribution, t.distribution.c.id == t.task.c.distribution_id)
        .where(
            sa.or_(
                t.distribution.c.source_snapshot_id == snapshot_id,
                t.distribution.c.through_snapshot_id == snapshot_id,
            ),
            t.task.c.state.in_(("waiting", "queued", "running")),
        )
    )
    return connection.execute(query.limit(1)).first() is not None
