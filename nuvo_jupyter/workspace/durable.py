"""Making what was written durable: flushed while more is being written, so that little is left to wait for."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable

from nuvo_jupyter.model.errors import StorageFull, WorkspaceUnavailable
from nuvo_jupyter.workspace.problems import plain
from nuvo_jupyter.workspace.syscalls import sync_file_system

EARLY_BYTES = 32 << 20
"""So many bytes are written before the disk is set to work on them."""
EARLY_FILES = 4096
"""… or so many files."""


class Durability:
    """Sees to it that the new content of one target is on disk before anything becomes visible.

    Args:
        wanted: whether it has to be at all.
    """

    def __init__(self, *, wanted: bool = True) -> None:
        self._wanted = wanted
        self._devices: dict[int, int] = {}
        self._bytes = 0
        self._files = 0
        self._thread: threading.Thread | None = None
        self._due = threading.Event()
        self._ending = False
        self._failed: OSError | None = None

    def note(self, folder: int) -> None:
        """Something is going to be written in an open folder."""
        device = os.fstat(folder).st_dev
        if device not in self._devices:
            self._devices[device] = os.dup(folder)

    def written(self, size: int, files: int = 1) -> None:
        """Files of so many bytes together were written."""
        self._bytes += size
        self._files += files
        if self._bytes >= EARLY_BYTES or self._files >= EARLY_FILES:
            self._bytes = self._files = 0
            if self._wanted:
                self._start()

    def settle(self, one_by_one: Callable[[int], None]) -> None:
        """Return when everything written is durable.

        Args:
            one_by_one: syncs all files on a device, given by its number, where whole file systems cannot be synced.

        Raises:
            StorageFull: there was no room after all, as some file systems say only now.
            WorkspaceUnavailable: the disk failed.
        """
        if not self._wanted:
            return
        try:
            self._end()
            if self._failed is not None:
                raise self._failed
            for device, folder in self._devices.items():
                if not sync_file_system(folder):
                    one_by_one(device)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StorageFull(plain(error)) from error
            raise WorkspaceUnavailable(f"The new content could not be written: {plain(error)}") from error

    def close(self) -> None:
        """Close what is held open."""
        self._end()
        for fd in self._devices.values():
            os.close(fd)
        self._devices.clear()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._flush, name="nuvo-flush", daemon=True)
            self._thread.start()
        self._due.set()

    def _end(self) -> None:
        if self._thread is not None:
            self._ending = True
            self._due.set()
            self._thread.join()
            self._thread = None

    def _flush(self) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            if self._ending:
                return
            for folder in list(self._devices.values()):
                try:
                    sync_file_system(folder)
                except OSError as error:
                    # The system tells of it once; it must not be forgotten.
                    self._failed = self._failed or error
