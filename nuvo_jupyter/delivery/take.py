"""Taking a snapshot: capture, make durable, then one transaction that makes it exist."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from nuvo_jupyter.catalog import blobs, snapshots
from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.spaces import get_instance, workspaces_inside
from nuvo_jupyter.delivery.applications import refresh
from nuvo_jupyter.delivery.context import Context
from nuvo_jupyter.delivery.locks import instance_lock
from nuvo_jupyter.delivery.orders import SnapshotOrder
from nuvo_jupyter.delivery.turns import turn
from nuvo_jupyter.model.errors import Cancelled, ContentGone, NotFound
from nuvo_jupyter.model.inspected import inspected
from nuvo_jupyter.model.nodes import BlobId
from nuvo_jupyter.model.objects import APPLICATIONS, TABLES
from nuvo_jupyter.model.paths import from_name
from nuvo_jupyter.model.snapshots import Reason
from nuvo_jupyter.workspace.capture import capture, look_at
from nuvo_jupyter.workspace.captured import Captured
from nuvo_jupyter.workspace.memory import Memory
from nuvo_jupyter.workspace.rules import Rules
from nuvo_jupyter.workspace.safe import Root
from nuvo_jupyter.workspace.tables.lock import capturing as at_one_point

T = TypeVar("T")

AGAIN = 3
"""Times a capture is begun again, should collecting remove what it found; once is nearly always enough."""

Record = Callable[[Connection, int], None]
"""Called with the snapshot's id in the transaction that makes it exist; raises to undo it."""


class Taken(msgspec.Struct, frozen=True):
    """A snapshot that was taken.

    Args:
        id: the snapshot row's.
        captured: what it holds.
    """

    id: int
    captured: Captured


def take_snapshot(
    context: Context,
    instance_id: int,
    *,
    order: SnapshotOrder,
    by: str,
    record: Record | None = None,
    progress: Callable[[int, int], None] | None = None,
    check: Callable[[], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> int:
    """Take a snapshot of an instance's current state and return its id.

    Args:
        by: user name.
        record: what else is to be written in the same transaction, fenced by the caller's lease.
        progress: called with (bytes read, bytes to read).
        check: called while another executor works on the instance; raises to give up.
        cancelled: asked between files.

    Raises:
        Cancelled: ``cancelled`` or ``check`` said so.
        WorkspaceUnavailable: the instance's folder is missing.
        AlreadyExists: the instance has a snapshot of that name.
        StorageFull: the store's disk is full.
    """
    with instance_lock(context.home, instance_id, check), open_workspace(context, instance_id) as root:
        return take_locked(
            context,
            root,
            instance_id,
            order=order,
            by=by,
            record=record,
            progress=progress,
            cancelled=cancelled,
            durable=True,
        ).id


def take_locked(
    context: Context,
    root: Root,
    instance_id: int,
    *,
    order: SnapshotOrder,
    by: str,
    record: Record | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    same_as: tuple[int, BlobId] | None = None,
    durable: bool = False,
) -> Taken:
    """:func:`take_snapshot` for callers that hold the instance's lock.

    Args:
        same_as: id and manifest id of a snapshot to use again if nothing has changed since.
        durable: whether it survives a power failure as soon as it exists; a delivery sees to that before it changes anything.
    """
    return begun_again(
        lambda: _take(context, root, instance_id, order, by, record, progress, cancelled, same_as, durable)
    )


def begun_again(act: Callable[[], T]) -> T:
    """Do something that writes to the store; once more where what it relied on was collected meanwhile."""
    for _ in range(AGAIN):
        with contextlib.suppress(ContentGone):
            return act()
    return act()


def _take(
    context: Context,
    root: Root,
    instance_id: int,
    order: SnapshotOrder,
    by: str,
    record: Record | None,
    progress: Callable[[int, int], None] | None,
    cancelled: Callable[[], bool] | None,
    same_as: tuple[int, BlobId] | None,
    durable: bool,
) -> Taken:
    _refresh_applications(context, root, instance_id, cancelled)
    memory, generation = _remembered(context, instance_id)
    with context.store.writer(generation) as writer:
        with at_one_point(Path(root.path) / TABLES), turn():
            captured = capture(
                root,
                context.store,
                memory,
                rules=rules_for(context, instance_id, root.path),
                progress=progress,
                cancelled=cancelled,
                writer=writer,
            )
        if same_as is not None and same_as[1] == captured.manifest_id:
            _remember(context, instance_id, memory, captured, _Proof(*same_as, generation))
            return Taken(same_as[0], captured)
        writer.flush()
        with context.catalog.write(durable=durable) as connection:
            writer.commit(connection, lambda: _held(captured))
            snapshot_id = _insert(connection, instance_id, captured, order, by)
            if record is not None:
                record(connection, snapshot_id)
    _remember(context, instance_id, memory, captured, _Proof(snapshot_id, captured.manifest_id, generation))
    return Taken(snapshot_id, captured)


def _refresh_applications(
    context: Context, root: Root, instance_id: int, cancelled: Callable[[], bool] | None
) -> None:
    def check() -> None:
        if cancelled is not None and cancelled():
            raise Cancelled("The snapshot was cancelled.")

    if os.path.isdir(os.path.join(root.path, APPLICATIONS)):
        with context.catalog.read() as connection:
            instance = get_instance(connection, instance_id)
        refresh(context, instance, check)


def _remember(context: Context, instance_id: int, before: Memory, captured: Captured, proof: _Proof) -> None:
    """Save what a capture found, unless that is what is on disk, vouched for by a snapshot of the same content."""
    if captured.unchanged and before.token:
        captured.remembered.token = before.token
    else:
        captured.remembered.token = proof.encoded()
        captured.remembered.save(_memory_file(context, instance_id))


def _held(captured: Captured) -> set[BlobId]:
    """What a state holds that its capture may have remembered rather than added."""
    return captured.remembered.held()


@inspected
class _Proof(msgspec.Struct, frozen=True, array_like=True):
    """Why what is remembered is in the store: the snapshot that holds it, and that no blob has left since."""

    snapshot_id: int
    manifest_id: BlobId
    generation: str

    def encoded(self) -> bytes:
        return msgspec.msgpack.encode(self)


def _memory_file(context: Context, instance_id: int) -> Path:
    return context.home / "memory" / str(instance_id)


_MANIFEST = sa.select(t.snapshot.c.manifest).where(
    t.snapshot.c.id == sa.bindparam("of_id"), t.snapshot.c.instance_id == sa.bindparam("of_instance")
)


def _remembered(context: Context, instance_id: int) -> tuple[Memory, str]:
    """An instance's memory, its token cleared unless it holds, and the store's generation now."""
    memory = Memory.load(_memory_file(context, instance_id))
    try:
        proof = msgspec.msgpack.decode(memory.token, type=_Proof) if memory.token else None
    except msgspec.MsgspecError:
        proof = None
    with context.catalog.read() as connection:
        generation = blobs.generation(connection)
        if proof is None or proof.generation != generation:
            holds = False
        else:
            # The catalog may have been brought back from a backup, or be another one.
            values = {"of_id": proof.snapshot_id, "of_instance": instance_id}
            holds = connection.scalar(_MANIFEST, values) == proof.manifest_id
    if not holds:
        memory.token = b""
    return memory, generation


def look(
    context: Context,
    instance_id: int,
    root: Root,
    cancelled: Callable[[], bool] | None = None,
    reads: Callable[[str], bool] | None = None,
) -> Captured:
    """What a snapshot of an instance's current state would hold, storing nothing.

    Args:
        reads: whether it matters what a file at a path holds; ``None`` where it does of all.
    """
    memory, _ = _remembered(context, instance_id)
    rules = rules_for(context, instance_id, root.path)
    with at_one_point(Path(root.path) / TABLES), turn():
        return look_at(root, context.store, memory, rules=rules, cancelled=cancelled, reads=reads)


def open_workspace(context: Context, instance_id: int) -> Root:
    """Open an instance's folder.

    Raises:
        NotFound: there is no such instance.
        WorkspaceUnavailable: its folder is missing or not accessible.
    """
    with context.catalog.read() as connection:
        path = connection.scalar(sa.select(t.instance.c.workspace).where(t.instance.c.id == instance_id))
    if path is None:
        raise NotFound(f"There is no instance {instance_id}.")
    return Root(path)


def rules_for(context: Context, instance_id: int, workspace: str) -> Rules:
    """What is left out of an instance: besides the defaults, our own store and other instances inside its folder."""
    with context.catalog.read() as connection:
        nested = workspaces_inside(connection, workspace, instance_id)
    workspace = os.path.realpath(workspace)
    ours = [str(context.home), context.store.backend.url.removeprefix("file://")]
    also = {_inside(workspace, path): "Nuvo's own store" for path in ours}
    also |= {_inside(workspace, path): "another instance" for path in nested}
    also.pop("", None)
    return Rules(also=also)


def _inside(workspace: str, path: str) -> str:
    """Path text of an absolute path inside a workspace; ``""`` where it is not inside."""
    if not os.path.isabs(path):
        return ""
    inside = workspace.rstrip("/") + "/"
    real = os.path.realpath(path)
    return "/".join(map(from_name, real[len(inside) :].split("/"))) if real.startswith(inside) else ""


_INSTANCE = sa.select(t.instance).where(t.instance.c.id == sa.bindparam("of_id"))


def _insert(
    connection: Connection, instance_id: int, captured: Captured, order: SnapshotOrder, by: str
) -> int:
    instance = connection.execute(_INSTANCE, {"of_id": instance_id}).one()
    snapshot_id = snapshots.insert_snapshot(
        connection,
        instance_id=instance_id,
        manifest_id=captured.manifest_id,
        manifest=captured.manifest,
        reason=order.reason,
        created_by=by,
        name=order.name,
        description=instance.state_description if order.description is None else order.description,
    )
    changes: dict[str, object] = {}
    if order.next_description is not None:
        changes["state_description"] = order.next_description
    if order.reason is Reason.MANUAL and instance.final != order.final:
        changes["final"] = order.final
    if changes:
        connection.execute(sa.update(t.instance).where(t.instance.c.id == instance_id).values(**changes))
    return snapshot_id
