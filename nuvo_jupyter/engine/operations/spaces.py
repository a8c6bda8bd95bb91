"""Operations on spaces, people and instances."""

from __future__ import annotations

from nuvo_jupyter.engine.operations.declaration import Operation, declare, of
from nuvo_jupyter.model import requests as r
from nuvo_jupyter.model import spaces as s
from nuvo_jupyter.model import tasks as t
from nuvo_jupyter.model.roles import Need
from nuvo_jupyter.model.status import Empty, Located, Status

OPERATIONS: tuple[Operation, ...] = (
    *of(
        "status",
        declare("status", "GET /status", r.Nothing, Status, Need.ANYONE, "Who and where you are."),
        declare(
            "locate", "GET /locate", r.OfFolder, Located, Need.ANYONE, "Which instance a folder belongs to."
        ),
    ),
    *of(
        "spaces",
        declare(
            "space_create",
            "POST /spaces",
            r.SpaceCreate,
            s.Space,
            Need.MEMBER,
            "Create a space with Master and Distributed.",
        ),
        declare(
            "space_list",
            "GET /spaces",
            r.SpaceList,
            tuple[s.Space, ...],
            Need.ANYONE,
            "List the spaces you can see.",
        ),
        declare("space_show", "GET /space", r.OfSpace, s.Space, (Need.ANYONE, "space"), "Show one space."),
        declare(
            "space_update",
            "PATCH /space",
            r.SpaceUpdate,
            s.Space,
            (Need.ADMIN, "space"),
            "Rename, describe, archive or set up a space.",
        ),
        declare(
            "space_delete",
            "DELETE /space",
            r.OfSpace,
            s.Space,
            (Need.ADMIN, "space"),
            "Delete a space; recoverable for 24 hours.",
        ),
        declare(
            "space_recover",
            "POST /space/recover",
            r.OfSpace,
            s.Space,
            (Need.ADMIN, "space"),
            "Bring a deleted space back.",
        ),
    ),
    *of(
        "people",
        declare(
            "member_list",
            "GET /members",
            r.MemberList,
            tuple[s.Member, ...],
            (Need.ANYONE, "space"),
            "List roles in a space, or in the organization.",
        ),
        declare("role_grant", "PUT /members", r.RoleGrant, s.Member, Need.ANYONE, "Give somebody a role."),
        declare(
            "role_revoke", "DELETE /members", r.RoleRevoke, Empty, Need.ANYONE, "Take somebody's role away."
        ),
        declare(
            "access_ask",
            "POST /access",
            r.AccessAsk,
            Empty,
            (Need.ANYONE, "instance"),
            "Ask for access to an instance.",
        ),
        declare(
            "access_list",
            "GET /access",
            r.OfSpace,
            tuple[s.AccessRequest, ...],
            (Need.ADMIN, "space"),
            "List requests for access.",
        ),
    ),
    *of(
        "roster",
        declare(
            "roster_add",
            "POST /roster",
            r.RosterAdd,
            t.Task,
            (Need.ADMIN, "space"),
            "Create instances for people: separate ones, or a joint one.",
        ),
    ),
    *of(
        "instances",
        declare(
            "instance_create",
            "POST /instances",
            r.InstanceCreate,
            t.Task,
            (Need.ADMIN, "space"),
            "Create one instance.",
        ),
        declare(
            "instance_list",
            "GET /instances",
            r.InstanceList,
            tuple[s.Instance, ...],
            Need.ANYONE,
            "List the instances you can see.",
        ),
        declare(
            "instance_show",
            "GET /instance",
            r.OfInstance,
            s.Instance,
            (Need.OBSERVER, "instance"),
            "Show one instance.",
        ),
        declare(
            "instance_update",
            "PATCH /instance",
            r.InstanceUpdate,
            s.Instance,
            (Need.EDITOR, "instance"),
            "Rename, describe or archive an instance.",
        ),
        declare(
            "instance_delete",
            "DELETE /instance",
            r.OfInstance,
            s.Instance,
            (Need.ADMIN, "instance"),
            "Delete an instance; recoverable for 24 hours.",
        ),
        declare(
            "instance_recover",
            "POST /instance/recover",
            r.OfInstance,
            s.Instance,
            (Need.ADMIN, "instance"),
            "Bring a deleted instance back.",
        ),
    ),
)
