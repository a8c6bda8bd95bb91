"""One process and thread at a time works on an instance's folder."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nuvo_jupyter.model.errors import ServiceUnavailable, StorageFull

_POLL_SECONDS = 0.05


@contextmanager
def instance_lock(home: Path, instance_id: int, check: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the lock of an instance; the operating system drops it when a process dies.

    Leases order the work of all executors; this lock also keeps out one that was stopped, lost its lease and
    woke up again on this machine.

    Args:
        home: Nuvo's home folder.
        check: called while waiting; raises to give up.

    Raises:
        StorageFull, ServiceUnavailable: no lock can be made.
    """
    folder = home / "locks"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(folder / str(instance_id), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(f"The disk that holds {home} is full.") from error
        raise ServiceUnavailable(
            f"The home folder {home} cannot be written: {error.strerror}.",
            hint="Check that its disk is mounted and writable, and that its owner runs this.",
        ) from error
    try:
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if check is not None:
                    check()
                time.sleep(_POLL_SECONDS)
        yield
    finally:
        os.close(fd)
