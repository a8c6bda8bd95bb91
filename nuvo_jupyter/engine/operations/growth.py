"""Operations on what grows: usage, collecting, retention rules, snapshots by the clock."""

from __future__ import annotations

from nuvo_jupyter.engine.operations.declaration import Operation, declare, of
from nuvo_jupyter.model import growth as g
from nuvo_jupyter.model import requests as r
from nuvo_jupyter.model.roles import Need
from nuvo_jupyter.model.store import CollectReport
from nuvo_jupyter.model.tasks import Task

OPERATIONS: tuple[Operation, ...] = (
    *of(
        "usage",
        declare(
            "usage",
            "POST /usage",
            r.UsageMeasure,
            Task,
            Need.ANYONE,
            "Measure who holds how much of the store.",
        ),
        declare(
            "usage_show", "GET /usages/{id}", r.OfTask, g.Usage, Need.ANYONE, "Read what a measurement found."
        ),
        declare("collect", "POST /collect", r.Collect, Task, Need.MANAGER, "Free what nothing holds."),
        declare(
            "collect_show",
            "GET /collections/{id}",
            r.OfTask,
            CollectReport,
            Need.MANAGER,
            "Read what a collection freed.",
        ),
    ),
    *of(
        "retention",
        declare(
            "retention_show",
            "GET /retention",
            r.OfSpace,
            g.Retention,
            (Need.ADMIN, "space"),
            "Show which automatic snapshots a space keeps.",
        ),
        declare(
            "retention_set",
            "POST /retention",
            r.RetentionSet,
            g.Retention,
            (Need.ADMIN, "space"),
            "Say which automatic snapshots a space keeps.",
        ),
        declare(
            "forget",
            "POST /forget",
            r.Forget,
            Task,
            (Need.ADMIN, "space"),
            "Delete the snapshots that a space's rule does not keep.",
        ),
        declare(
            "forget_show",
            "GET /forgets/{id}",
            r.OfTask,
            g.ForgetReport,
            Need.ANYONE,
            "Read which snapshots a rule keeps, and why.",
        ),
    ),
    *of(
        "schedule",
        declare(
            "schedule_show",
            "GET /schedule",
            r.OfInstance,
            g.Schedule,
            (Need.VIEWER, "instance"),
            "Show how often an instance's state is kept by the clock.",
        ),
        declare(
            "schedule_set",
            "POST /schedule",
            r.ScheduleSet,
            g.Schedule,
            (Need.EDITOR, "instance"),
            "Say how often an instance's state is kept by the clock.",
        ),
    ),
)
