"""Disks that are small or read-only, made by whatever real mechanism this machine permits."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import missing

Shortage = tuple[Callable[[], object], str]
"""What ends it, and how an object that does not fit is explained."""

SMALL, ROOMY = 1 << 20, 64 << 20


def _run(*command: str | Path) -> bool:
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def may_mount(folder: Path) -> bool:
    """Whether a file system can be mounted on a folder."""
    if os.geteuid() != 0 or not _run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder):
        return False
    return _run("umount", folder)


@contextmanager
def small(folder: Path) -> Iterator[Shortage]:
    """A folder on a disk of 1 MiB; where none may be mounted, files of 1 MiB at most."""
    folder.mkdir(parents=True, exist_ok=True)
    if may_mount(folder):
        _run("mount", "-t", "tmpfs", "-o", f"size={SMALL},mode=0700", "tmpfs", folder)
        try:
            yield (
                lambda: subprocess.run(["mount", "-o", f"remount,size={ROOMY}", folder], check=True),
                "There is no space left on the disk.",
            )
        finally:
            subprocess.run(["umount", folder], check=True)
        return
    with limited() as shortage:
        yield shortage


@contextmanager
def limited() -> Iterator[Shortage]:
    """No file of this process may grow over 1 MiB."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL, hard))
    try:
        yield (
            lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard)),
            "The file is larger than is allowed here.",
        )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def read_only(folder: Path) -> Iterator[Callable[[], object]]:
    """A folder in which nothing can be changed. Yields what lets it be changed again."""
    if os.geteuid() != 0:
        mode = folder.stat().st_mode
        folder.chmod(0o555)
        try:
            yield lambda: folder.chmod(mode)
        finally:
            folder.chmod(mode)
    elif may_mount(folder):
        subprocess.run(["mount", "--bind", folder, folder], check=True)
        subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
        try:
            yield lambda: subprocess.run(["mount", "-o", "remount,rw,bind", folder], check=True)
        finally:
            subprocess.run(["umount", folder], check=True)
    elif _run("chattr", "-R", "+i", folder):
        try:
            yield lambda: subprocess.run(["chattr", "-R", "-i", folder], check=True)
        finally:
            _run("chattr", "-R", "-i", folder)
    else:
        missing("root can neither mount nor use chattr here, so nothing can be made read-only for it")
