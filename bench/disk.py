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


class NoDisk(Exception):
    """A file system of our own cannot be had here."""


@contextmanager
def fresh_disk(folder: Path, size: int) -> Iterator[Path]:
    """A new ext4 in an image file inside ``folder``, mounted for as long as the context lasts.

    Args:
        size: bytes; taken from the disk only as they are written.

    Raises:
        NoDisk: not root, or no loop devices.
    """
    if os.geteuid() != 0:
        raise NoDisk("--fresh-disk mounts a file system, which only root may")
    image, place = folder / "disk.img", folder / "disk"
    place.mkdir()
    with open(image, "wb") as file:
        file.truncate(size)
    _do("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(image))
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
