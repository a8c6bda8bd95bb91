"""Short stretches of work that keep Python busy, done one after the other.

Two threads that look at a thousand files each ask for Python's lock after every call, and each time wait for the other: both
take half as long again. Where one waits for a disk or a file server meanwhile, the other does not wait for it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_SECONDS = 0.05
"""Looking at a thousand files that are in memory takes a tenth of this. Whoever takes longer waits for something else."""

_turn = threading.Lock()


@contextmanager
def turn() -> Iterator[None]:
    """Wait a moment until no other thread of this process is at it; then go on in any case."""
    held = _turn.acquire(timeout=PATIENCE_SECONDS)
    try:
        yield
    finally:
        if held:
            _turn.release()
