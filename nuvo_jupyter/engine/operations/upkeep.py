"""Operations on tasks, notifications, the audit trail and the store."""

from __future__ import annotations

from nuvo_jupyter.engine.operations.declaration import Operation, Raw, declare, of
from nuvo_jupyter.model import requests as r
from nuvo_jupyter.model import tasks as t
from nuvo_jupyter.model.roles import Need
from nuvo_jupyter.model.status import Empty
from nuvo_jupyter.model.store import RepairReport, VerifyReport

OPERATIONS: tuple[Operation, ...] = (
    *of(
        "tasks",
        declare(
            "task_list",
            "GET /tasks",
            r.TaskList,
            tuple[t.Task, ...],
            Need.ANYONE,
            "List tasks, newest first.",
        ),
        declare(
            "task_show",
            "GET /tasks/{id}",
            r.TaskShow,
            t.Task,
            Need.ANYONE,
            "Show one task; can wait for it to finish.",
        ),
        declare("task_cancel", "POST /tasks/{id}/cancel", r.OfTask, t.Task, Need.ANYONE, "Cancel a task."),
    ),
    *of(
        "notifications",
        declare(
            "notification_list",
            "GET /notifications",
            r.NotificationList,
            tuple[t.Notification, ...],
            Need.ANYONE,
            "List your notifications.",
        ),
        declare(
            "notification_read",
            "POST /notifications/read",
            r.NotificationRead,
            Empty,
            Need.ANYONE,
            "Mark notifications as read.",
        ),
    ),
    *of(
        "audit",
        declare(
            "audit_list",
            "GET /audit",
            r.AuditList,
            tuple[t.AuditEntry, ...],
            Need.ANYONE,
            "Read the audit trail.",
        ),
        declare(
            "audit_export",
            "GET /audit.jsonl",
            r.AuditList,
            Raw,
            Need.ANYONE,
            "Export the audit trail as JSON lines.",
        ),
    ),
    *of(
        "storage",
        declare("verify", "POST /verify", r.Verify, t.Task, Need.MANAGER, "Re-hash everything in the store."),
        declare(
            "verify_show",
            "GET /verifications/{id}",
            r.OfTask,
            VerifyReport,
            Need.MANAGER,
            "Read what a verification found.",
        ),
        declare(
            "repair",
            "POST /repair",
            r.Repair,
            t.Task,
            Need.MANAGER,
            "Rebuild the index of the store from its packs.",
        ),
        declare(
            "repair_show",
            "GET /repairs/{id}",
            r.OfTask,
            RepairReport,
            Need.MANAGER,
            "Read what a repair did.",
        ),
    ),
)
