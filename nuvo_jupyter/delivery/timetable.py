"""What is done by the clock in a server with nothing else to do: snapshots, thinning them, collecting."""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable

from nuvo_jupyter.delivery.context import Context

LOOK_SECONDS = 60.0
"""How often it is looked at what is due."""


class Timetable:
    """Looks now and then at what is due; safe to call from several threads.

    Args:
        seconds: between two looks.
    """

    def __init__(self, context: Context, seconds: float = LOOK_SECONDS) -> None:
        self._context = context
        self._seconds = seconds
        self._lock = threading.Lock()
        # Not before a server has been up for a while: its start-up is for its user.
        self._next = time.monotonic() + seconds

    def look(self, stopping: Callable[[], bool]) -> None:
        """Queue what is due, if it is time to look."""
        if time.monotonic() < self._next or not self._lock.acquire(blocking=False):
            return
        try:
            self._next = time.monotonic() + self._seconds
            # Loaded when it is needed: most processes end before.
            importlib.import_module("nuvo_jupyter.delivery.scheduling").queue_due(self._context, stopping)
        finally:
            self._lock.release()
