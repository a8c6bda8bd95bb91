"""Memory that large tasks needed, given back to the system when they are done: a server runs for weeks.

The C library keeps what was freed for later, and fragments of it all the more where several threads took it.
"""

from __future__ import annotations

import ctypes
import functools
import os
import threading
from collections.abc import Callable

WORTH_BYTES = 32 << 20
"""So much more than after the last time has to be in use before it is worth looking."""


class GivingBack:
    """Looks at the end of each task whether the process has grown. Safe to use from several threads."""

    def __init__(self) -> None:
        self._least = _resident()
        self._lock = threading.Lock()

    def look(self) -> bool:
        """Give back what is not in use if the process has grown much; whether it did."""
        with self._lock:
            now = _resident()
            if now - self._least < WORTH_BYTES:
                self._least = min(self._least, now)
                return False
            trim = _trim()
            if trim is not None:
                trim(0)
            # What is still there is in use.
            self._least = _resident()
            return trim is not None


def _resident() -> int:
    """Bytes of this process that are in memory; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


@functools.cache
def _trim() -> Callable[[int], int] | None:
    try:
        found = ctypes.CDLL(None)["malloc_trim"]
    except (OSError, AttributeError):
        # Only the C library of GNU offers it.
        return None
    found.argtypes = (ctypes.c_size_t,)
    return found  # type: ignore[no-any-return, unused-ignore]
