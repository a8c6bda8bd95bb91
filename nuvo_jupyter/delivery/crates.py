"""Importing a crate as a task: its snapshot becomes one of an instance's, to be looked into, compared and restored."""

from __future__ import annotations

import os

import msgspec

from nuvo_jupyter.catalog import blobs, snapshots
from nuvo_jupyter.delivery.execution import Execution
from nuvo_jupyter.delivery.orders import CrateImportOrder
from nuvo_jupyter.delivery.results import pack_result
from nuvo_jupyter.delivery.take import begun_again, open_workspace
from nuvo_jupyter.interop.importing import import_crate
from nuvo_jupyter.model.paths import basename, parent, to_name
from nuvo_jupyter.model.snapshots import Reason
from nuvo_jupyter.model.tasks import TaskState
from nuvo_jupyter.workspace.safe import open_file


def import_snapshot(execution: Execution) -> None:
    """Import a crate; the current state is not touched.

    Raises:
        InvalidCrate: it is none, or anything in it is not as it says; nothing was imported.
        AlreadyExists: a snapshot took its name meanwhile.
        Cancelled
        LeaseLost: somebody else has taken over.
    """
    begun_again(lambda: _import(execution))
    execution.announce()


def _import(execution: Execution) -> None:
    context, row = execution.context, execution.row
    order = msgspec.msgpack.decode(row.request, type=CrateImportOrder)
    with open_workspace(context, row.instance_id) as root:
        folder = root.folder(parent(order.path))
        try:
            fd = open_file(folder, to_name(basename(order.path)))
        finally:
            os.close(folder)
    with context.catalog.read() as connection:
        generation = blobs.generation(connection)
    with os.fdopen(fd, "rb") as file, context.store.writer(generation) as writer:
        imported = import_crate(
            file,
            writer,
            progress=lambda done, total: execution.progress("import", done, total),
            cancelled=execution.cancelled,
        )
        writer.flush()
        with context.catalog.write(durable=True) as connection:
            writer.commit(connection)
            metadata = imported.metadata
            snapshot_id = snapshots.insert_snapshot(
                connection,
                instance_id=row.instance_id,
                manifest_id=imported.id,
                manifest=imported.manifest,
                # Somebody asked for it, so that no rule takes it away.
                reason=Reason.MANUAL,
                created_by=row.created_by,
                name=order.name,
                description=f"{metadata.name}: {metadata.description}"
                if metadata.description
                else metadata.name,
            )
            execution.finish(connection, TaskState.DONE, result=pack_result({}, snapshot_id=snapshot_id))
