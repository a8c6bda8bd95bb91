"""Every operation, declared once: routes, clients and openapi.json are derived from this list.

A new operation is one declaration here and one function of the same name in the module it names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from nuvo_jupyter.model import requests as r
from nuvo_jupyter.model import snapshots, spaces, tasks
from nuvo_jupyter.model.roles import Need
from nuvo_jupyter.model.store import VerifyReport


class Raw(msgspec.Struct, frozen=True):
    """An answer that is no JSON: a file's content or JSON lines.

    Args:
        body: chunks of bytes.
        media_type: for the ``Content-Type``.
        filename: suggested to browsers.
        size: bytes in all, if known.
    """

    body: Iterator[bytes]
    media_type: str = "application/octet-stream"
    filename: str = ""
    size: int | None = None


class Operation(msgspec.Struct, frozen=True):
    """One thing the product can do.

    Args:
        name: of the function, of the client's method, and the operationId.
        method: HTTP method; GET and DELETE take the request from the query, the others from a JSON body.
        path: below ``/nuvo/api``; ``{id}`` is a field of the request.
        request: struct it takes.
        response: struct it answers, a tuple of structs, or :class:`Raw`.
        need: what the caller must be, checked before the function runs.
        subject: field of the request that names the space, instance or state the need refers to;
            ``""`` for the organization. Checks beyond it (each target of a distribution, say) are the function's.
        module: of ``nuvo_jupyter.engine`` that holds the function.
        changes: whether it changes anything, and so is written to the audit trail.
        help: one line.
    """

    name: str
    method: str
    path: str
    request: type[msgspec.Struct]
    response: Any
    need: Need
    subject: str
    module: str
    help: str

    @property
    def changes(self) -> bool:
        """Whether it changes anything, and so is written to the audit trail."""
        return self.method != "GET"


def _declare(
    name: str,
    method: str,
    path: str,
    request: type[msgspec.Struct],
    response: Any,
    need: Need,
    subject: str,
    module: str,
    help: str,
) -> Operation:
    return Operation(name, method, path, request, response, need, subject, module, help)


_N = Need
OPERATIONS: tuple[Operation, ...] = (
    _declare(
        "status", "GET", "/status", r.Nothing, r.Status, _N.ANYONE, "", "status", "Who and where you are."
    ),
    _declare(
        "locate",
        "GET",
        "/locate",
        r.OfFolder,
        r.Located,
        _N.ANYONE,
        "",
        "status",
        "Which instance a folder belongs to.",
    ),
    # spaces and people
    _declare(
        "space_create",
        "POST",
        "/spaces",
        r.SpaceCreate,
        spaces.Space,
        _N.MEMBER,
        "",
        "spaces",
        "Create a space with Master and Distributed.",
    ),
    _declare(
        "space_list",
        "GET",
        "/spaces",
        r.SpaceList,
        tuple[spaces.Space, ...],
        _N.ANYONE,
        "",
        "spaces",
        "List the spaces you can see.",
    ),
    _declare(
        "space_show",
        "GET",
        "/space",
        r.OfSpace,
        spaces.Space,
        _N.ANYONE,
        "space",
        "spaces",
        "Show one space.",
    ),
    _declare(
        "space_update",
        "PATCH",
        "/space",
        r.SpaceUpdate,
        spaces.Space,
        _N.ADMIN,
        "space",
        "spaces",
        "Rename, describe, archive or set up a space.",
    ),
    _declare(
        "space_delete",
        "DELETE",
        "/space",
        r.OfSpace,
        spaces.Space,
        _N.ADMIN,
        "space",
        "spaces",
        "Delete a space; recoverable for 24 hours.",
    ),
    _declare(
        "space_recover",
        "POST",
        "/space/recover",
        r.OfSpace,
        spaces.Space,
        _N.ADMIN,
        "space",
        "spaces",
        "Bring a deleted space back.",
    ),
    _declare(
        "member_list",
        "GET",
        "/members",
        r.MemberList,
        tuple[spaces.Member, ...],
        _N.ANYONE,
        "space",
        "people",
        "List roles in a space, or in the organization.",
    ),
    _declare(
        "role_grant",
        "PUT",
        "/members",
        r.RoleGrant,
        spaces.Member,
        _N.ANYONE,
        "",
        "people",
        "Give somebody a role.",
    ),
    _declare(
        "role_revoke",
        "DELETE",
        "/members",
        r.RoleRevoke,
        r.Empty,
        _N.ANYONE,
        "",
        "people",
        "Take somebody's role away.",
    ),
    _declare(
        "access_ask",
        "POST",
        "/access",
        r.AccessAsk,
        r.Empty,
        _N.OBSERVER,
        "instance",
        "people",
        "Ask for access to an instance.",
    ),
    _declare(
        "access_list",
        "GET",
        "/access",
        r.OfSpace,
        tuple[spaces.AccessRequest, ...],
        _N.ADMIN,
        "space",
        "people",
        "List requests for access.",
    ),
    _declare(
        "roster_add",
        "POST",
        "/roster",
        r.RosterAdd,
        tasks.Task,
        _N.ADMIN,
        "space",
        "roster",
        "Create instances for people: separate ones, or a joint one.",
    ),
    # instances
    _declare(
        "instance_create",
        "POST",
        "/instances",
        r.InstanceCreate,
        tasks.Task,
        _N.ADMIN,
        "space",
        "instances",
        "Create one instance.",
    ),
    _declare(
        "instance_list",
        "GET",
        "/instances",
        r.InstanceList,
        tuple[spaces.Instance, ...],
        _N.ANYONE,
        "",
        "instances",
        "List the instances you can see.",
    ),
    _declare(
        "instance_show",
        "GET",
        "/instance",
        r.OfInstance,
        spaces.Instance,
        _N.OBSERVER,
        "instance",
        "instances",
        "Show one instance.",
    ),
    _declare(
        "instance_update",
        "PATCH",
        "/instance",
        r.InstanceUpdate,
        spaces.Instance,
        _N.EDITOR,
        "instance",
        "instances",
        "Rename, describe or archive an instance.",
    ),
    _declare(
        "instance_delete",
        "DELETE",
        "/instance",
        r.OfInstance,
        spaces.Instance,
        _N.ADMIN,
        "instance",
        "instances",
        "Delete an instance; recoverable for 24 hours.",
    ),
    _declare(
        "instance_recover",
        "POST",
        "/instance/recover",
        r.OfInstance,
        spaces.Instance,
        _N.ADMIN,
        "instance",
        "instances",
        "Bring a deleted instance back.",
    ),
    # snapshots
    _declare(
        "snapshot_create",
        "POST",
        "/snapshots",
        r.SnapshotCreate,
        tasks.Task,
        _N.ANYONE,
        "",
        "snapshots",
        "Take a snapshot of the current state.",
    ),
    _declare(
        "snapshot_list",
        "GET",
        "/snapshots",
        r.SnapshotList,
        tuple[snapshots.Snapshot, ...],
        _N.VIEWER,
        "instance",
        "snapshots",
        "List an instance's snapshots, newest first.",
    ),
    _declare(
        "snapshot_show",
        "GET",
        "/snapshot",
        r.OfState,
        snapshots.SnapshotDetail,
        _N.VIEWER,
        "state",
        "snapshots",
        "Show one snapshot and what it left out.",
    ),
    _declare(
        "snapshot_update",
        "PATCH",
        "/snapshot",
        r.SnapshotUpdate,
        snapshots.Snapshot,
        _N.EDITOR,
        "state",
        "snapshots",
        "Rename or describe a snapshot.",
    ),
    _declare(
        "snapshot_delete",
        "DELETE",
        "/snapshot",
        r.OfState,
        snapshots.Snapshot,
        _N.EDITOR,
        "state",
        "snapshots",
        "Delete a snapshot; recoverable for 24 hours.",
    ),
    _declare(
        "snapshot_recover",
        "POST",
        "/snapshot/recover",
        r.OfState,
        snapshots.Snapshot,
        _N.EDITOR,
        "state",
        "snapshots",
        "Bring a deleted snapshot back.",
    ),
    # looking into states
    _declare(
        "browse",
        "GET",
        "/browse",
        r.OfState,
        tuple[snapshots.Entry, ...],
        _N.OBSERVER,
        "state",
        "browse",
        "List a folder of any state.",
    ),
    _declare(
        "read", "GET", "/content", r.OfState, Raw, _N.OBSERVER, "state", "browse", "Read a file of any state."
    ),
    _declare(
        "history",
        "GET",
        "/history",
        r.History,
        tuple[snapshots.FileVersion, ...],
        _N.VIEWER,
        "instance",
        "browse",
        "List the versions of one file.",
    ),
    _declare(
        "compare",
        "GET",
        "/compare",
        r.Compare,
        snapshots.Comparison,
        _N.VIEWER,
        "left",
        "compare",
        "List what differs between two states.",
    ),
    _declare(
        "diff",
        "GET",
        "/diff",
        r.DiffFile,
        snapshots.FileDiff,
        _N.VIEWER,
        "left",
        "compare",
        "Show how one file differs between two states.",
    ),
    _declare(
        "restore",
        "POST",
        "/restore",
        r.Restore,
        tasks.Task,
        _N.VIEWER,
        "source",
        "restore",
        "Restore some paths or everything, after a snapshot of what is there.",
    ),
    # stage and distribution
    _declare(
        "stage_show", "GET", "/stage", r.Nothing, tasks.Stage, _N.ANYONE, "", "stage", "Show your stage."
    ),
    _declare(
        "stage_add",
        "POST",
        "/stage",
        r.StageAdd,
        tasks.Stage,
        _N.VIEWER,
        "state",
        "stage",
        "Stage objects of one state.",
    ),
    _declare(
        "stage_remove",
        "POST",
        "/stage/remove",
        r.StageRemove,
        tasks.Stage,
        _N.ANYONE,
        "",
        "stage",
        "Take objects off your stage.",
    ),
    _declare(
        "stage_clear", "DELETE", "/stage", r.Nothing, tasks.Stage, _N.ANYONE, "", "stage", "Empty your stage."
    ),
    _declare(
        "distribute_preview",
        "POST",
        "/distributions/preview",
        r.Distribute,
        tasks.Task,
        _N.ANYONE,
        "",
        "distribute",
        "See what a distribution would do, per target and object.",
    ),
    _declare(
        "preview_show",
        "GET",
        "/previews/{id}",
        r.TaskShow,
        tasks.Preview,
        _N.ANYONE,
        "",
        "distribute",
        "Read a preview that was asked for.",
    ),
    _declare(
        "distribute",
        "POST",
        "/distributions",
        r.Distribute,
        tasks.Task,
        _N.ANYONE,
        "",
        "distribute",
        "Distribute objects or a whole state to instances.",
    ),
    _declare(
        "distribution_list",
        "GET",
        "/distributions",
        r.DistributionList,
        tuple[tasks.Distribution, ...],
        _N.ANYONE,
        "",
        "distributions",
        "List past distributions, newest first.",
    ),
    _declare(
        "distribution_show",
        "GET",
        "/distributions/{id}",
        r.OfTask,
        tasks.Distribution,
        _N.ANYONE,
        "",
        "distributions",
        "Show a distribution and its deliveries.",
    ),
    _declare(
        "distribution_retry",
        "POST",
        "/distributions/{id}/retry",
        r.TaskShow,
        tasks.Task,
        _N.ANYONE,
        "",
        "distributions",
        "Deliver again to the targets that failed or were cancelled.",
    ),
    _declare(
        "delivery_show",
        "GET",
        "/deliveries/{id}",
        r.OfTask,
        tasks.Delivery,
        _N.ANYONE,
        "",
        "distributions",
        "Show what a delivery did to each object.",
    ),
    _declare(
        "pull",
        "POST",
        "/pull",
        r.Pull,
        tasks.Task,
        _N.EDITOR,
        "instance",
        "pull",
        "Take objects from Distributed into your own state.",
    ),
    _declare(
        "recall",
        "POST",
        "/recall",
        r.Recall,
        tasks.Task,
        _N.ADMIN,
        "space",
        "recall",
        "Delete distributed objects again where nobody changed them.",
    ),
    # tasks, notifications, audit, store
    _declare(
        "task_list",
        "GET",
        "/tasks",
        r.TaskList,
        tuple[tasks.Task, ...],
        _N.ANYONE,
        "",
        "tasks",
        "List tasks, newest first.",
    ),
    _declare(
        "task_show",
        "GET",
        "/tasks/{id}",
        r.TaskShow,
        tasks.Task,
        _N.ANYONE,
        "",
        "tasks",
        "Show one task; can wait for it to finish.",
    ),
    _declare(
        "task_cancel",
        "POST",
        "/tasks/{id}/cancel",
        r.OfTask,
        tasks.Task,
        _N.ANYONE,
        "",
        "tasks",
        "Cancel a task.",
    ),
    _declare(
        "notification_list",
        "GET",
        "/notifications",
        r.NotificationList,
        tuple[tasks.Notification, ...],
        _N.ANYONE,
        "",
        "notifications",
        "List your notifications.",
    ),
    _declare(
        "notification_read",
        "POST",
        "/notifications/read",
        r.NotificationRead,
        r.Empty,
        _N.ANYONE,
        "",
        "notifications",
        "Mark notifications as read.",
    ),
    _declare(
        "audit_list",
        "GET",
        "/audit",
        r.AuditList,
        tuple[tasks.AuditEntry, ...],
        _N.ANYONE,
        "",
        "audit",
        "Read the audit trail.",
    ),
    _declare(
        "audit_export",
        "GET",
        "/audit.jsonl",
        r.AuditList,
        Raw,
        _N.ANYONE,
        "",
        "audit",
        "Export the audit trail as JSON lines.",
    ),
    _declare(
        "verify",
        "POST",
        "/verify",
        r.Verify,
        tasks.Task,
        _N.MANAGER,
        "",
        "storage",
        "Re-hash everything in the store.",
    ),
    _declare(
        "verify_show",
        "GET",
        "/verifications/{id}",
        r.OfTask,
        VerifyReport,
        _N.MANAGER,
        "",
        "storage",
        "Read what a verification found.",
    ),
)

BY_NAME: dict[str, Operation] = {operation.name: operation for operation in OPERATIONS}
