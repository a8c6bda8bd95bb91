"""Tasks, distributions and deliveries, as every face shows them."""

from __future__ import annotations

import enum
from datetime import datetime

import msgspec

from nuvo_jupyter.model.applications import ApplicationChange
from nuvo_jupyter.model.changes import ObjectKind, ObjectOutcome, Strategies
from nuvo_jupyter.model.inspected import inspected


class TaskKind(enum.StrEnum):
    """What a task does."""

    SNAPSHOT = "snapshot"
    DISTRIBUTION = "distribution"
    DELIVERY = "delivery"
    PREVIEW = "preview"
    VERIFY = "verify"
    REPAIR = "repair"
    COLLECT = "collect"
    USAGE = "usage"
    FORGET = "forget"
    APPLICATION_ADD = "application_add"
    APPLICATION_BUILD = "application_build"
    CRATE_IMPORT = "crate_import"


class TaskState(enum.StrEnum):
    """Where a task stands. ``waiting``: for another task; ``queued``: for an executor."""

    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen."""
        return self in (TaskState.DONE, TaskState.FAILED, TaskState.CANCELLED)


@inspected
class Problem(msgspec.Struct, frozen=True):
    """An error as it is stored with a task and sent by the API."""

    code: str
    message: str
    hint: str | None = None


class DistributionKind(enum.StrEnum):
    """Which verb of the user a distribution stands for."""

    DISTRIBUTE = "distribute"
    PULL = "pull"
    RESTORE = "restore"
    RECALL = "recall"
    CREATE = "create"


@inspected
class StagedObject(msgspec.Struct, frozen=True, order=True):
    """One object on the stage: a path (file or folder), a table's or an application's name."""

    path: str
    kind: ObjectKind = ObjectKind.FILE


class Stage(msgspec.Struct, frozen=True):
    """A user's collection of objects from one state.

    Args:
        state: reference of that state; ``None`` when nothing was staged yet.
    """

    state: str | None
    objects: tuple[StagedObject, ...] = ()


class Task(msgspec.Struct, frozen=True):
    """Something that runs in the background.

    Args:
        done, total: progress in the task's own unit (files for a snapshot or delivery, targets for a distribution);
            total is 0 while it is unknown.
        step: what it is doing now (``capture``, ``back up``, ``plan``, ``apply``…).
        snapshot: reference of the snapshot it made, if any.
        backup: reference of the backup a delivery made of its target.
        counts: for finished deliveries, objects by outcome; for distributions, targets by state.
        problem: why it failed.
        notes: sentences about what was done, such as which files were written outside the instance.
        self_reported: the result comes from an executor the target's owner controls.
    """

    id: int
    kind: TaskKind
    title: str
    state: TaskState
    step: str
    done: int
    total: int
    created_at: datetime
    created_by: str
    started_at: datetime | None = None
    finished_at: datetime | None = None
    instance: str | None = None
    distribution: int | None = None
    parent: int | None = None
    snapshot: str | None = None
    backup: str | None = None
    counts: dict[str, int] = {}
    problem: Problem | None = None
    self_reported: bool = False
    notes: tuple[str, ...] = ()


class Delivery(msgspec.Struct, frozen=True):
    """One distribution's work on one target, with the outcome of every object.

    Args:
        review: reference of the target's state after the delivery: a snapshot of it if one was taken, else its current state.
    """

    task: Task
    outcomes: tuple[ObjectOutcome, ...]
    review: str


class Distribution(msgspec.Struct, frozen=True):
    """A push of objects, or of a whole state, from one snapshot to targets.

    Args:
        source: reference of the snapshot; ``None`` for a recall.
        objects: what was distributed; ``None`` for the whole state.
    """

    id: int
    kind: DistributionKind
    space: str
    source: str | None
    objects: tuple[StagedObject, ...] | None
    strategies: Strategies
    message: str
    task: Task
    deliveries: tuple[Task, ...] = ()


@inspected
class TargetPreview(msgspec.Struct, frozen=True):
    """What a distribution would do to one target.

    Args:
        counts: objects by outcome, all of them.
        outcomes: as many of the objects as were asked for.
        applications: those that would change, package by package, with warnings.
    """

    instance: str
    counts: dict[str, int]
    outcomes: tuple[ObjectOutcome, ...]
    problem: Problem | None = None
    applications: tuple[ApplicationChange, ...] = ()


class Preview(msgspec.Struct, frozen=True):
    """What a distribution would do to each target; ``task`` carries progress and errors.

    Args:
        targets: as many as were asked for, in their order; empty while the task runs.
        total: how many targets there are in all.
    """

    task: Task
    source: str
    targets: tuple[TargetPreview, ...] = ()
    total: int = 0


class Notification(msgspec.Struct, frozen=True):
    """A message to a user, readable in the product whether or not it was mailed."""

    id: int
    subject: str
    body: str
    created_at: datetime
    read_at: datetime | None
    mail_state: str
    task: int | None = None


class AuditEntry(msgspec.Struct, frozen=True):
    """Who did what, when, on which state, with what outcome (``ok``, ``refused``, ``failed``)."""

    id: int
    at: datetime
    who: str
    action: str
    space: str | None
    instance: str | None
    state: str
    outcome: str
    detail: dict[str, object]
