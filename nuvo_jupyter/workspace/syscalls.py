"""System calls Python does not offer: renames that never overwrite, exchanges, syncing one file system."""

from __future__ import annotations

import ctypes
import errno
import functools
import os
from collections.abc import Callable

_NOREPLACE, _EXCHANGE = 1, 2
_UNSUPPORTED = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP)


_ARGUMENTS = {
    "renameat2": (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint),
    "syncfs": (ctypes.c_int,),
}


@functools.cache
def _function(name: str) -> Callable[..., int] | None:
    try:
        found = ctypes.CDLL(None, use_errno=True)[name]
    except (OSError, AttributeError):
        return None
    found.argtypes = _ARGUMENTS[name]
    return found  # type: ignore[no-any-return, unused-ignore]


def _renameat2(source: int, name: str, target: int, new: str, flags: int) -> bool:
    """Rename; whether the system could. Raises OSError where it could and refused."""
    call = _function("renameat2")
    if call is None:
        return False
    if call(source, os.fsencode(name), target, os.fsencode(new), flags) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNSUPPORTED:
        return False
    raise OSError(number, os.strerror(number), new)


def rename_new(source: int, name: str, target: int, new: str) -> None:
    """Move a file or link from one open folder to another, never over something that exists.

    Raises:
        FileExistsError: something lies there.
    """
    if _renameat2(source, name, target, new, _NOREPLACE):
        return
    try:
        os.link(name, new, src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError):
        # A file system without hard links (FAT): as careful as it allows.
        try:
            os.stat(new, dir_fd=target, follow_symlinks=False)
        except FileNotFoundError:
            os.rename(name, new, src_dir_fd=source, dst_dir_fd=target)
            return
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new) from None
    os.unlink(name, dir_fd=source)


def exchange(source: int, name: str, target: int, new: str) -> bool:
    """Swap two files or links atomically; ``False`` where the file system cannot."""
    return _renameat2(source, name, target, new, _EXCHANGE)


def sync_file_system(fd: int) -> bool:
    """Make everything written to the file system of an open file durable; ``False`` where that is not offered.

    Raises:
        OSError: writing failed.
    """
    call = _function("syncfs")
    if call is None:
        return False
    if call(fd) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNSUPPORTED:
        return False
    raise OSError(number, os.strerror(number))
