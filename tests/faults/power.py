"""Disks whose power can be cut: what was not flushed by then is gone, in files, folders, and SQLite's files alike.

An ext4 in an image file takes part in the cut itself: told to shut down without its log being flushed, it writes nothing any
more; mounted again, it replays its journal as after a real power failure. Its own timer is set so far off that only what is
asked for is ever written.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
from pathlib import Path

SHUTDOWN = 0x8004587D
"""EXT4_IOC_SHUTDOWN, which every file system of Linux that knows it has the same number for."""
WITHOUT_LOG = struct.pack("I", 2)
SIZE = 96 << 20
OPTIONS = "loop,commit=100000,noauto_da_alloc,noatime"


class NoPower(Exception):
    """Disks of our own cannot be had here."""


def cut(folders: list[str]) -> None:
    """Cut the power of the disks that folders lie on; this process should not go on after that."""
    opened = [os.open(folder, os.O_RDONLY | os.O_DIRECTORY) for folder in folders]
    for fd in opened:
        fcntl.ioctl(fd, SHUTDOWN, WITHOUT_LOG)


class Disks:
    """Two disks, one mounted in the other: workspaces, and the home that holds catalog and store.

    Args:
        folder: empty; holds the images.

    Raises:
        NoPower: not root, no loop devices, or no ext4.
    """

    def __init__(self, folder: Path) -> None:
        self.place = folder / "place"
        self.mounts = [self.place, self.place / "home"]
        self._images = [folder / "work.img", folder / "home.img"]
        if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None or not Path("/dev/loop-control").exists():
            raise NoPower("cutting the power of a disk takes root, loop devices and ext4")
        self.place.mkdir()
        for image in self._images:
            with image.open("wb") as file:
                file.truncate(SIZE)
            _run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(image))
        try:
            self.mount(make=True)
        except subprocess.CalledProcessError as error:
            raise NoPower("nothing can be mounted here") from error

    def mount(self, *, make: bool = False) -> None:
        """Switch them on."""
        for image, where in zip(self._images, self.mounts, strict=True):
            if make:
                where.mkdir(exist_ok=True)
            _run("mount", "-o", OPTIONS, str(image), str(where))

    def unmount(self) -> None:
        """Switch them off; what was not cut before is flushed."""
        for where in reversed(self.mounts):
            if os.path.ismount(where):
                _run("umount", str(where))

    def remove(self) -> None:
        """Switch them off, even if a test that failed still holds something open there."""
        for where in reversed(self.mounts):
            if os.path.ismount(where):
                _run("umount", "--lazy", str(where))

    def save(self) -> None:
        """Remember what is on them."""
        self.unmount()
        for image in self._images:
            _copy(image, image.with_suffix(".saved"))
        self.mount()

    def restore(self) -> None:
        """Make them what they were when saved."""
        self.unmount()
        for image in self._images:
            _copy(image.with_suffix(".saved"), image)
        self.mount()

    def again(self) -> None:
        """Switch them off, and on again."""
        self.unmount()
        self.mount()


def _copy(source: Path, target: Path) -> None:
    _run("cp", "--sparse=always", str(source), str(target))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
