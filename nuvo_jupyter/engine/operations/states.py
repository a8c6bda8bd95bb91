"""Operations on snapshots and the states they hold."""

from __future__ import annotations

from nuvo_jupyter.engine.operations.declaration import Operation, Raw, declare, of
from nuvo_jupyter.model import requests as r
from nuvo_jupyter.model import snapshots as n
from nuvo_jupyter.model import tasks as t
from nuvo_jupyter.model.roles import Need

OPERATIONS: tuple[Operation, ...] = (
    *of(
        "snapshots",
        declare(
            "snapshot_create",
            "POST /snapshots",
            r.SnapshotCreate,
            t.Task,
            Need.ANYONE,
            "Take a snapshot of the current state.",
        ),
        declare(
            "snapshot_list",
            "GET /snapshots",
            r.SnapshotList,
            tuple[n.Snapshot, ...],
            (Need.VIEWER, "instance"),
            "List an instance's snapshots, newest first.",
        ),
        declare(
            "snapshot_show",
            "GET /snapshot",
            r.OfState,
            n.SnapshotDetail,
            (Need.VIEWER, "state"),
            "Show one snapshot and what it left out.",
        ),
        declare(
            "snapshot_update",
            "PATCH /snapshot",
            r.SnapshotUpdate,
            n.Snapshot,
            (Need.EDITOR, "state"),
            "Rename or describe a snapshot.",
        ),
        declare(
            "snapshot_delete",
            "DELETE /snapshot",
            r.OfState,
            n.Snapshot,
            (Need.EDITOR, "state"),
            "Delete a snapshot; recoverable for 24 hours.",
        ),
        declare(
            "snapshot_recover",
            "POST /snapshot/recover",
            r.OfState,
            n.Snapshot,
            (Need.EDITOR, "state"),
            "Bring a deleted snapshot back.",
        ),
    ),
    *of(
        "browse",
        declare(
            "browse",
            "GET /browse",
            r.OfState,
            tuple[n.Entry, ...],
            (Need.OBSERVER, "state"),
            "List a folder of any state.",
        ),
        declare(
            "read", "GET /content", r.OfState, Raw, (Need.OBSERVER, "state"), "Read a file of any state."
        ),
        declare(
            "history",
            "GET /history",
            r.History,
            tuple[n.FileVersion, ...],
            (Need.VIEWER, "instance"),
            "List the versions of one file.",
            long=True,
        ),
    ),
    *of(
        "compare",
        declare(
            "compare",
            "GET /compare",
            r.Compare,
            n.Comparison,
            (Need.VIEWER, "left"),
            "List what differs between two states.",
            long=True,
        ),
        declare(
            "diff",
            "GET /diff",
            r.DiffFile,
            n.FileDiff,
            (Need.VIEWER, "left"),
            "Show how one file differs between two states.",
            long=True,
        ),
    ),
    *of(
        "restore",
        declare(
            "restore",
            "POST /restore",
            r.Restore,
            t.Task,
            (Need.VIEWER, "source"),
            "Restore some paths or everything, after a snapshot of what is there.",
        ),
        declare(
            "restore_preview",
            "POST /restore/preview",
            r.Restore,
            t.Task,
            (Need.VIEWER, "source"),
            "See what a restore would do to each object.",
        ),
    ),
)
