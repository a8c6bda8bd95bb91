"""Waiting for tasks on the event loop, so that a wait of a minute costs no thread."""

from __future__ import annotations

import asyncio
from collections import defaultdict

LOOK_AGAIN_SECONDS = 1.0
"""Another server on the same home may do the work, and its announcements are not heard here."""


class Waiting:
    """Who waits for which task; used on the event loop only."""

    def __init__(self) -> None:
        self._waiters: defaultdict[int, set[asyncio.Event]] = defaultdict(set)

    def changed(self, task_id: int) -> None:
        """Wake who waits for the task."""
        for event in self._waiters.get(task_id, ()):
            event.set()

    async def until_change(self, task_id: int, seconds: float) -> None:
        """Return when the task changed, or it is time to look again."""
        event = asyncio.Event()
        self._waiters[task_id].add(event)
        try:
            await asyncio.wait_for(event.wait(), min(seconds, LOOK_AGAIN_SECONDS))
        except TimeoutError:
            pass
        finally:
            self._waiters[task_id].discard(event)
            if not self._waiters[task_id]:
                del self._waiters[task_id]
