"""Operations on the applications of instances."""

from __future__ import annotations

from nuvo_jupyter.engine.operations.declaration import Operation, declare, of
from nuvo_jupyter.model import applications as a
from nuvo_jupyter.model import requests as r
from nuvo_jupyter.model import tasks as t
from nuvo_jupyter.model.roles import Need

OPERATIONS: tuple[Operation, ...] = of(
    "applications",
    declare(
        "application_list",
        "GET /applications",
        r.OfInstance,
        tuple[a.Application, ...],
        (Need.VIEWER, "instance"),
        "List the applications of an instance.",
    ),
    declare(
        "application_show",
        "GET /application",
        r.OfApplication,
        a.Application,
        (Need.VIEWER, "instance"),
        "Show an application and its packages.",
    ),
    declare(
        "application_compare",
        "GET /application/compare",
        r.ApplicationCompare,
        a.ApplicationComparison,
        (Need.VIEWER, "left"),
        "Show how an application differs between two states.",
    ),
    declare(
        "application_add",
        "POST /applications",
        r.ApplicationAdd,
        t.Task,
        (Need.EDITOR, "instance"),
        "Capture an environment as an application.",
    ),
    declare(
        "application_build",
        "POST /application/build",
        r.ApplicationBuild,
        t.Task,
        (Need.EDITOR, "instance"),
        "Build an application's environment and install its kernel.",
    ),
    declare(
        "application_rename",
        "PATCH /application",
        r.ApplicationRename,
        a.Application,
        (Need.EDITOR, "instance"),
        "Rename an application.",
    ),
    declare(
        "application_delete",
        "DELETE /application",
        r.OfApplication,
        a.Application,
        (Need.EDITOR, "instance"),
        "Delete an application; snapshots keep theirs.",
    ),
)
