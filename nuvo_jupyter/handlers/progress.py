"""Progress of tasks as events for whoever watches this server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from jupyter_events import EventLogger

from nuvo_jupyter.handlers.events import PROGRESS, PROGRESS_FILE
from nuvo_jupyter.model.errors import NuvoError
from nuvo_jupyter.model.tasks import Task

if TYPE_CHECKING:
    from nuvo_jupyter.handlers.background import Background

EVERY_SECONDS = 0.25
"""At most one event per task in this time; the last change is always told."""


class Progress:
    """Collects changed tasks and emits one event for each, throttled; used on the event loop only."""

    def __init__(self, logger: EventLogger, background: Background) -> None:
        self._logger = logger
        self._background = background
        self._changed: set[int] = set()
        self._running: asyncio.Task[None] | None = None

    def changed(self, task_id: int) -> None:
        """Have the task's progress told soon."""
        self._changed.add(task_id)
        if self._running is None or self._running.done():
            self._running = asyncio.get_running_loop().create_task(self._tell())

    async def stop(self) -> None:
        """Tell nothing more."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def _tell(self) -> None:
        if PROGRESS not in self._logger.schemas:
            self._logger.register_event_schema(PROGRESS_FILE)
        while self._changed:
            ids, self._changed = self._changed, set()
            try:
                for task in await self._background.tasks(ids):
                    self._emit(task)
            except NuvoError:
                pass
            await asyncio.sleep(EVERY_SECONDS)

    def _emit(self, task: Task) -> None:
        data = {
            "id": task.id,
            "kind": task.kind.value,
            "state": task.state.value,
            "done": task.done,
            "total": task.total,
            "instance": task.instance,
        }
        self._logger.emit(schema_id=PROGRESS, data=data)
