"""Snapshots shared outside: exported as an RO-Crate, and imported from one."""

from __future__ import annotations

import datetime
import os
import tempfile
from collections.abc import Iterator

from nuvo_jupyter.catalog import queue
from nuvo_jupyter.catalog.roots import GONE
from nuvo_jupyter.catalog.snapshots import get_snapshot, refuse_taken
from nuvo_jupyter.delivery.orders import CrateImportOrder
from nuvo_jupyter.engine.call import Call
from nuvo_jupyter.engine.lookup import find_snapshot, parse_whole_state
from nuvo_jupyter.engine.operations import Raw
from nuvo_jupyter.engine.tasks import answer
from nuvo_jupyter.engine.writable import require_writable
from nuvo_jupyter.interop.crate import NO_LICENSE, Author, CrateMetadata
from nuvo_jupyter.model.errors import InvalidInput, NotFound, StoreDamaged
from nuvo_jupyter.model.nodes import NodeKind
from nuvo_jupyter.model.paths import parse_path
from nuvo_jupyter.model.reference import check_snapshot_name
from nuvo_jupyter.model.requests import CrateExport, CrateImport
from nuvo_jupyter.model.tasks import Task, TaskKind
from nuvo_jupyter.workspace.live import live_node
from nuvo_jupyter.workspace.safe import Root

_PIECE = 1 << 20


def crate_export(call: Call, request: CrateExport) -> Raw:
    """A snapshot as one zip file: an RO-Crate that Nuvo imports, and that repo2docker and Binder can start.

    Raises:
        InvalidInput: the current state; take a snapshot of it first.
        InvalidReference: a path in it.
        NotFound: there is no such snapshot, or none any more.
        StorageFull: there is no room to put it together.
    """
    from nuvo_jupyter.interop.export import export_crate

    assert call.instance is not None
    reference = parse_whole_state(request.state)
    if reference.is_current:
        raise InvalidInput(
            f"{request.state!r} is a current state; only snapshots can be exported.",
            hint="Take a snapshot first, then add @latest.",
        )
    with call.read() as connection:
        row = find_snapshot(connection, call.instance, reference.snapshot)
    title = f"{call.instance.space}/{call.instance.name}@{row.number}"
    metadata = CrateMetadata(
        name=request.title or title,
        description=request.description or row.description or f"Snapshot {title}",
        authors=tuple(Author(name=name) for name in request.authors),
        license=request.license or NO_LICENSE,
        published=datetime.datetime.fromtimestamp(row.created_at, datetime.UTC).isoformat(),
    )
    folder = call.engine.context.home / "exports"
    folder.mkdir(mode=0o700, exist_ok=True)
    # Put together before anything is sent, so that damage is an error and not a file that breaks off.
    file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
    try:
        export_crate(call.engine.store, row.manifest, file, metadata=metadata)
        size = file.tell()
        file.seek(0)
    except BaseException as error:
        file.close()
        if isinstance(error, StoreDamaged):
            _refuse_collected(call, row.id, title)
        raise

    def pieces() -> Iterator[bytes]:
        with file:
            while piece := file.read(_PIECE):
                yield piece

    name = f"{call.instance.space}-{call.instance.name}-{row.number}.crate.zip"
    return Raw(pieces(), "application/zip", name, size)


def _refuse_collected(call: Call, snapshot_id: int, title: str) -> None:
    """Raise where content is missing because the snapshot was deleted meanwhile, and not because of damage.

    Raises:
        NotFound: it was.
    """
    with call.read() as connection:
        if get_snapshot(connection, snapshot_id).deleted_at == GONE:
            raise NotFound(f"The snapshot {title} was deleted and its content collected meanwhile.") from None


def crate_import(call: Call, request: CrateImport) -> Task:
    """Queue the import of a crate that lies in the instance; its snapshot becomes one of the instance's.

    Raises:
        NotFound: there is no such file.
        AlreadyExists: a snapshot has that name.
    """
    assert call.instance is not None
    require_writable(call.instance)
    path = parse_path(request.path)
    with Root(call.instance.workspace) as root:
        node = live_node(root, path)
    if node is None or node.kind is not NodeKind.FILE:
        raise NotFound(
            f"{call.instance.space}/{call.instance.name} holds no file {path!r}.",
            hint="Copy or upload the crate into the folder of the instance first, then give its path.",
        )
    name = check_snapshot_name(request.name) if request.name else None
    with call.write() as connection:
        if name is not None:
            refuse_taken(connection, call.instance.id, name)
        task_id = queue.insert_task(
            connection,
            kind=TaskKind.CRATE_IMPORT,
            title=f"Import {os.path.basename(path)} into {call.instance.space}/{call.instance.name}",
            order=CrateImportOrder(path, name),
            created_by=call.who,
            space_id=call.instance.space_id,
            instance_id=call.instance.id,
        )
        call.detail["task"] = task_id
    return answer(call, task_id, request.wait)
