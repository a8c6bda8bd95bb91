"""Environments in Nuvo's home as they are listed, and removed with all they were built from when nobody uses them."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import msgspec

from nuvo_jupyter.workspace.applications.conda.locked import ENDINGS
from nuvo_jupyter.workspace.applications.environments import (
    BUILDING,
    FOLDER,
    KEPT,
    KEY,
    REMOVED,
    UNPACKED,
    WHEELS,
    read_mark,
)


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """An environment of ours, as it is listed.

    Args:
        name: of its folder.
        path: of its folder.
        bytes: it takes by itself: what others share by hard links is not counted.
        packages: how many.
        used_by: names of applications and kernels that use it.
        running: whether a program of it runs now.
    """

    name: str
    path: str
    bytes: int
    packages: int
    used_by: tuple[str, ...]
    running: bool


def listing(home: Path, used: dict[str, list[str]]) -> list[Environment]:
    """Every environment of ours.

    Args:
        home: Nuvo's.
        used: path of an environment → who uses it.
    """
    top = home / FOLDER
    found = []
    running = _running(top)
    for name in sorted(os.listdir(top)) if top.is_dir() else ():
        if not KEY.fullmatch(name):
            continue
        path = top / name
        marked = read_mark(path)
        found.append(
            Environment(
                name=name,
                path=str(path),
                bytes=_own_bytes(path),
                packages=len(marked.packages) + len(marked.conda or ()) if marked else 0,
                used_by=tuple(sorted(set(used.get(str(path), ())))),
                running=name in running,
            )
        )
    return found


def remove(home: Path, environments: Iterable[Environment]) -> list[str]:
    """Remove environments that nobody uses and no program runs in; then wheels and archives that none was built from.

    Returns:
        Names of those removed.
    """
    top = home / FOLDER
    gone = []
    for one in environments:
        if one.used_by or one.running or not KEY.fullmatch(one.name):
            continue
        away = top / f".{one.name}{REMOVED}"
        with contextlib.suppress(OSError):
            os.rename(top / one.name, away)
            gone.append(one.name)
        shutil.rmtree(away, ignore_errors=True)
    needed: set[str] = set()
    for name in os.listdir(top) if top.is_dir() else ():
        marked = read_mark(top / name) if KEY.fullmatch(name) else None
        needed |= {*marked.wheels, *marked.archives} if marked else set()
    if not any(name.endswith(BUILDING) for name in (os.listdir(top) if top.is_dir() else ())):
        for kept in (top / WHEELS, top / KEPT):
            for digest in os.listdir(kept) if kept.is_dir() else ():
                if digest not in needed:
                    _forget_unpacked(top, kept / digest)
                    shutil.rmtree(kept / digest, ignore_errors=True)
    return gone


def _forget_unpacked(top: Path, kept: Path) -> None:
    """Remove what an archive of a conda package was unpacked to."""
    for archive in os.listdir(kept) if kept.is_dir() else ():
        for ending in ENDINGS:
            if archive.endswith(ending):
                unpacked = top / UNPACKED / archive.removesuffix(ending)
                shutil.rmtree(unpacked, ignore_errors=True)
                unpacked.with_name(f"{unpacked.name}.lock").unlink(missing_ok=True)


def _own_bytes(folder: Path) -> int:
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                status = os.lstat(os.path.join(path, name))
                total += status.st_blocks * 512 if status.st_nlink == 1 else 0
    return total


def _running(top: Path) -> set[str]:
    """Names of environments that a program runs in, where the system tells."""
    found = set()
    begin = os.fsencode(top) + b"/"
    for pid in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if pid.isdigit():
            with contextlib.suppress(OSError):
                program = Path("/proc", pid, "cmdline").read_bytes().partition(b"\0")[0]
                if program.startswith(begin):
                    found.add(os.fsdecode(program[len(begin) :]).partition("/")[0])
    return found
