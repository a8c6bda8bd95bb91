"""A file system of the benchmark's own, so that what else lies on a disk, and what was deleted there, does not count.

Old ext4 file systems, and those without a journal above all, make files several times slower for minutes after
many were deleted; what one tool leaves would then be paid by the next.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PIECE = 64 << 20


class NoDisk(Exception):
    """A file system of our own cannot be had here."""


@contextmanager
def fresh_disk(folder: Path, size: int) -> Iterator[Path]:
    """A new ext4 in an image file inside ``folder``, mounted for as long as the context lasts.

    Args:
        size: bytes. All of them are written before: otherwise whoever is first to use a part of it would pay for its
            place in the file system below, and whoever flushes would wait for that.

    Raises:
        NoDisk: not root, no room, or no loop devices.
    """
    if os.geteuid() != 0:
        raise NoDisk("--fresh-disk mounts a file system, which only root may")
    image, place = folder / "disk.img", folder / "disk"
    _fill(image, size)
    place.mkdir()
    _do("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard", str(image))
    device = _do("losetup", "--find", "--show", "--direct-io=on", str(image))
    try:
        _do("mount", device, str(place))
        try:
            yield place
        finally:
            _do("umount", str(place))
    finally:
        _do("losetup", "--detach", device)
        image.unlink()
        place.rmdir()


def _fill(image: Path, size: int) -> None:
    zeros = bytes(_PIECE)
    try:
        with open(image, "wb", buffering=0) as file:
            for _ in range(size // _PIECE):
                file.write(zeros)
                # Piece by piece, so that it does not push everything else out of memory.
                os.fdatasync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    except OSError as error:
        image.unlink()
        raise NoDisk(f"--fresh-disk needs {size / 1e9:.0f} GB: {error.strerror}") from error


def has_no_journal(folder: Path) -> bool:
    """Whether a folder lies on an ext4 without a journal."""
    done = subprocess.run(
        ["df", "--output=source,fstype", folder], capture_output=True, text=True, check=False
    )
    device, kind = (done.stdout.split() or ["", ""])[-2:]
    journals = Path("/proc/fs/jbd2")
    name = os.path.basename(os.path.realpath(device))
    return kind == "ext4" and not (journals.is_dir() and any(journals.glob(f"{name}-*")))


def _do(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoDisk(f"{' '.join(command)} failed: {done.stderr.strip()}")
    return done.stdout.strip()
