"""Operations that share snapshots outside."""

from __future__ import annotations

from nuvo_jupyter.engine.operations.declaration import Operation, Raw, declare, of
from nuvo_jupyter.model import requests as r
from nuvo_jupyter.model import tasks as t
from nuvo_jupyter.model.roles import Need

OPERATIONS: tuple[Operation, ...] = of(
    "crates",
    declare(
        "crate_export",
        "GET /crate",
        r.CrateExport,
        Raw,
        (Need.VIEWER, "state"),
        "Export a snapshot as one file, an RO-Crate.",
    ),
    declare(
        "crate_import",
        "POST /crates",
        r.CrateImport,
        t.Task,
        (Need.EDITOR, "instance"),
        "Import a crate as a snapshot of an instance.",
    ),
)
