"""System calls that fail: every place in the program that makes one, in turn."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple
from unittest import mock

import nuvo_jupyter.workspace.syscalls as syscalls
from nuvo_jupyter.native import plain
from nuvo_jupyter.workspace import making

WRITING = (
    "write", "writev", "pwrite", "fsync", "fdatasync", "ftruncate", "truncate", "mkdir", "rename", "replace", "link", "symlink",
    "unlink", "rmdir", "fchmod", "chmod", "utime", "copy_file_range", "sendfile", "posix_fallocate",
)  # fmt: skip
READING = ("read", "pread", "readv", "preadv", "scandir", "listdir", "readlink", "stat", "lstat", "fstat")
OUTSIDE = ("renameat2", "syncfs")
"""Those that Python does not offer, and ``open`` for writing are among those that write."""
DEPTH = 3
"""Calls are made at the same place if so many of the innermost functions of ours are at the same lines."""

Where = tuple[str, ...]


class Site(NamedTuple):
    """A place that makes a system call: the call's name, and file and line of the innermost functions of ours."""

    call: str
    where: Where


class Injector:
    """Sees every system call that is made from the program's own code.

    Args:
        reading: whether those that only read count, too.
    """

    def __init__(self, *, reading: bool = False) -> None:
        self._reading = reading
        self._lock = threading.Lock()
        self.seen: dict[Site, int] = {}
        self._site: Site | None = None
        self._number = 0
        self._error = 0
        self._always = False
        self.failed = 0

    def fail(self, site: Site, number: int, error: int, *, always: bool = False) -> None:
        """Let one call fail.

        Args:
            number: which of those at this place, from 1.
            error: what it fails with.
            always: whether all later ones there fail, too.
        """
        self._site, self._number, self._error, self._always = site, number, error, always

    @property
    def call(self) -> str:
        """The name of the call that fails."""
        return "" if self._site is None else self._site.call

    @contextmanager
    def active(self) -> Iterator[None]:
        """Watch, and let fail what is to fail."""
        self.seen.clear()
        self.failed = 0
        names = WRITING + (READING if self._reading else ())
        with ExitStack() as stack:
            for name in names:
                if hasattr(os, name):
                    stack.enter_context(mock.patch.object(os, name, self._watched(name, getattr(os, name))))
            stack.enter_context(mock.patch.object(os, "open", self._opening(os.open)))
            stack.enter_context(mock.patch.object(syscalls, "_function", self._outside(syscalls._function)))
            # What is compiled cannot be seen into; test_compiled_errors.py has the kernel refuse its calls.
            stack.enter_context(mock.patch.object(making, "make_files", plain.make_files))
            yield

    def _watched(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            error = self._look(name)
            if error:
                raise OSError(error, os.strerror(error))
            return real(*args, **kwargs)

        return call

    def _opening(self, real: Callable[..., int]) -> Callable[..., int]:
        def call(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
            writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            error = self._look("open to write" if writes else "open") if writes or self._reading else 0
            if error:
                raise OSError(error, os.strerror(error))
            return real(path, flags, *args, **kwargs)

        return call

    def _outside(self, real: Callable[[str], Any]) -> Callable[[str], Any]:
        def function(name: str) -> Any:
            found = real(name)
            if found is None:
                return None

            def call(*args: Any) -> int:
                error = self._look(name)
                if error:
                    ctypes.set_errno(error)
                    return -1
                return int(found(*args))

            return call

        return function

    def _look(self, name: str) -> int:
        site = Site(name, _where())
        if not site.where:
            return 0
        with self._lock:
            number = self.seen[site] = self.seen.get(site, 0) + 1
            if site != self._site or not (number == self._number or (self._always and number > self._number)):
                return 0
            self.failed += 1
            return self._error


def _where() -> Where:
    found: list[str] = []
    frame = sys._getframe(3)
    while frame is not None and len(found) < DEPTH:  # type: ignore[redundant-expr]
        file = frame.f_code.co_filename
        if "/nuvo_jupyter/" in file:
            found.append(f"{file.rpartition('/nuvo_jupyter/')[2]}:{frame.f_lineno}")
        frame = frame.f_back  # type: ignore[assignment]
    return tuple(found)
