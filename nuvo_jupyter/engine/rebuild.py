"""A catalog that is gone, made anew from what the store says by itself."""

from __future__ import annotations

import sqlalchemy as sa

from nuvo_jupyter.catalog import snapshots
from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.engine.engine import Engine
from nuvo_jupyter.engine.lost_catalog import is_empty, sqlite_file
from nuvo_jupyter.engine.settings import Nuvo
from nuvo_jupyter.model.errors import InvalidInput
from nuvo_jupyter.model.requests import SpaceCreate
from nuvo_jupyter.model.snapshots import Reason
from nuvo_jupyter.model.spaces import InstanceKind, SpaceKind
from nuvo_jupyter.model.store import RebuildReport
from nuvo_jupyter.store.manifests import described
from nuvo_jupyter.store.repair import repair

SPACE = "recovered"
"""The space whose Master gets the snapshots; nobody knows any more whose they were."""
FOUND, INCOMPLETE = "Found in the store", "Found in the store, but not all of it"
NAMED = 5
"""Names of a snapshot's top folder that its description lists."""


def rebuild(settings: Nuvo) -> RebuildReport:
    """Make a new catalog where the old one is lost, and give it every snapshot that the store still describes.

    They become snapshots of Master in a space ``recovered``, in the order of their newest files. What only the catalog knew
    does not come back: spaces, instances, people and their roles, names and descriptions of snapshots, distributions,
    the audit trail.

    Raises:
        InvalidInput: there is a catalog.
        NuvoError: as for opening a home.
    """
    path = sqlite_file(settings.catalog_url)
    if path is None:
        raise InvalidInput(
            "Only a catalog in a file of SQLite is made anew.", hint="Restore the database's last backup."
        )
    if not is_empty(path):
        raise InvalidInput(
            f"There is a catalog already: {path}.",
            hint="If it is damaged, move it away first, with the files beside it whose names begin like its own.",
        )
    engine = Engine.open(settings, rebuild=True)
    try:
        report = repair(engine.store)
        found = described(engine.store, (), lambda: None)
        if found:
            engine.call("space_create", SpaceCreate(name=SPACE, kind=SpaceKind.RESEARCH))
        with engine.catalog.write(durable=True) as connection:
            master = connection.scalar(
                sa.select(t.instance.c.id).where(t.instance.c.kind == InstanceKind.MASTER)
            )
            for item in found:
                top = ", ".join(item.names[:NAMED]) + (", …" if len(item.names) > NAMED else "")
                id_ = snapshots.insert_snapshot(
                    connection,
                    instance_id=int(master or 0),
                    manifest_id=item.id,
                    manifest=item.manifest,
                    reason=Reason.MANUAL,
                    created_by=engine.owner,
                    description=f"{FOUND if item.complete else INCOMPLETE}: {top or 'an empty folder'}",
                )
                snapshots.change_snapshot(connection, id_, created_at=item.changed)
        incomplete = sum(not item.complete for item in found)
        return RebuildReport(report.packs, report.blobs, len(found), SPACE if found else "", incomplete)
    finally:
        engine.close()
