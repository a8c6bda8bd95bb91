"""What the exit code of `nuvo` says (docs/cli.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nuvo_jupyter.model.errors import Cancelled, ConfirmationNeeded, NuvoError, Refused

if TYPE_CHECKING:
    from nuvo_jupyter.model.tasks import Task

OK = 0
ERROR = 1
USAGE = 2
SOME_FAILED = 3
REFUSED = 4
CONFIRMATION_NEEDED = 5
CANCELLED = 130


def of_error(error: NuvoError) -> int:
    """The exit code for an error."""
    if isinstance(error, Refused):
        return REFUSED
    if isinstance(error, ConfirmationNeeded):
        return CONFIRMATION_NEEDED
    return CANCELLED if isinstance(error, Cancelled) else ERROR


def of_task(task: Task) -> int:
    """The exit code for what became of a task."""
    if task.state == "cancelled":
        return CANCELLED
    failed = task.counts.get("failed", 0)
    if task.state == "failed":
        return SOME_FAILED if any(n for name, n in task.counts.items() if name != "failed") else ERROR
    return SOME_FAILED if failed else OK
