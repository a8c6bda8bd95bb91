"""What carries operations from a client to an engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from nuvo_jupyter.engine.operations import Operation
from nuvo_jupyter.model.tasks import Task

OnProgress = Callable[[Task], None]


class Transport(Protocol):
    """One way to reach an engine."""

    where: str
    """For people: which engine this reaches."""

    def call(self, operation: Operation, request: msgspec.Struct) -> Any:
        """Run an operation and return its response struct.

        Raises:
            NuvoError: the error the engine raised.
        """
        ...

    def wait(self, task_id: int, on_progress: OnProgress | None) -> Task:
        """Return the task when it has finished; ``on_progress`` hears of it a few times per second."""
        ...

    def close(self) -> None:
        """Let go of connections and files."""
        ...
