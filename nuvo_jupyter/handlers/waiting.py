"""Waiting for tasks on the event loop, so that a wait of a minute costs no thread."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict

LOOK_AGAIN_SECONDS = 1.0
"""Another server on the same home may do the work, and its announcements are not heard here."""
_REMEMBERED = 1024
"""Ends that are remembered for whoever is just about to wait."""


class Waiting:
    """Who waits for which task; used on the event loop only."""

    def __init__(self) -> None:
        self._waiters: defaultdict[int, set[asyncio.Event]] = defaultdict(set)
        self._ends: OrderedDict[int, int] = OrderedDict()
        self._count = 0

    def ended(self, task_id: int) -> None:
        """Wake who waits for the task."""
        self._count += 1
        self._ends[task_id] = self._count
        self._ends.move_to_end(task_id)
        if len(self._ends) > _REMEMBERED:
            self._ends.popitem(last=False)
        for event in self._waiters.get(task_id, ()):
            event.set()

    def mark(self) -> int:
        """What :meth:`until_end` is to know, taken before one looks at a task: no end after it is missed."""
        return self._count

    async def until_end(self, task_id: int, seconds: float, mark: int) -> None:
        """Return when the task has ended since a :meth:`mark`, or it is time to look again."""
        if self._ends.get(task_id, 0) > mark:
            return
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
