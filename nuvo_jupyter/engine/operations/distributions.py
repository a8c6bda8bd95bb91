"""Operations that carry objects from one state into others."""

from __future__ import annotations

from nuvo_jupyter.engine.operations.declaration import Operation, declare, of
from nuvo_jupyter.model import requests as r
from nuvo_jupyter.model import tasks as t
from nuvo_jupyter.model.roles import Need

OPERATIONS: tuple[Operation, ...] = (
    *of(
        "stage",
        declare("stage_show", "GET /stage", r.Nothing, t.Stage, Need.ANYONE, "Show your stage."),
        declare(
            "stage_add",
            "POST /stage",
            r.StageAdd,
            t.Stage,
            (Need.VIEWER, "state"),
            "Stage objects of one state.",
        ),
        declare(
            "stage_remove",
            "POST /stage/remove",
            r.StageRemove,
            t.Stage,
            Need.ANYONE,
            "Take objects off your stage.",
        ),
        declare("stage_clear", "DELETE /stage", r.Nothing, t.Stage, Need.ANYONE, "Empty your stage."),
    ),
    *of(
        "distribute",
        declare(
            "distribute_preview",
            "POST /distributions/preview",
            r.Distribute,
            t.Task,
            Need.ANYONE,
            "See what a distribution would do, per target and object.",
        ),
        declare(
            "preview_show",
            "GET /previews/{id}",
            r.PreviewShow,
            t.Preview,
            Need.ANYONE,
            "Read a preview that was asked for, some targets at a time.",
        ),
        declare(
            "preview_target",
            "GET /previews/{id}/target",
            r.PreviewTarget,
            t.TargetPreview,
            Need.ANYONE,
            "Read what a preview found for one target, some objects at a time.",
        ),
        declare(
            "distribute",
            "POST /distributions",
            r.Distribute,
            t.Task,
            Need.ANYONE,
            "Distribute objects or a whole state to instances.",
        ),
    ),
    *of(
        "distributions",
        declare(
            "distribution_list",
            "GET /distributions",
            r.DistributionList,
            tuple[t.Distribution, ...],
            Need.ANYONE,
            "List past distributions, newest first.",
        ),
        declare(
            "distribution_show",
            "GET /distributions/{id}",
            r.OfTask,
            t.Distribution,
            Need.ANYONE,
            "Show a distribution and its deliveries.",
        ),
        declare(
            "distribution_retry",
            "POST /distributions/{id}/retry",
            r.TaskShow,
            t.Task,
            Need.ANYONE,
            "Deliver again to the targets that failed or were cancelled.",
        ),
        declare(
            "delivery_show",
            "GET /deliveries/{id}",
            r.OfTask,
            t.Delivery,
            Need.ANYONE,
            "Show what a delivery did to each object.",
        ),
    ),
    *of(
        "pull",
        declare(
            "pull",
            "POST /pull",
            r.Pull,
            t.Task,
            (Need.EDITOR, "instance"),
            "Take objects from Distributed into your own state.",
        ),
        declare(
            "pull_preview",
            "POST /pull/preview",
            r.Pull,
            t.Task,
            (Need.EDITOR, "instance"),
            "See what a pull would do to each object.",
        ),
    ),
    *of(
        "recall",
        declare(
            "recall",
            "POST /recall",
            r.Recall,
            t.Task,
            (Need.ADMIN, "space"),
            "Delete distributed objects again where nobody changed them.",
        ),
    ),
)
