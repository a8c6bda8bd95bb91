"""Environments in Nuvo's home: built beside, complete when they get their name, found again, removed when unused.

``environments/KEY`` (or ``KEY-1`` … where an earlier one was changed since) is never built into: a build happens in
``.KEY.building`` under a lock that uv holds too, and ends with a rename. What a killed build leaves is cleared by
the next one.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import blake3
import msgspec

from nuvo_jupyter.model.applications import Python
from nuvo_jupyter.workspace.applications import installed
from nuvo_jupyter.workspace.applications.definition import put
from nuvo_jupyter.workspace.applications.interpreter import Interpreter
from nuvo_jupyter.workspace.applications.lock import Entry

FOLDER = "environments"
WHEELS = ".wheels"
_MARK = "nuvo-environment.json"
_BUILDING, _REMOVED, _LOCK = ".building", ".removed", ".lock"
_POLL_SECONDS = 0.05
_KEY = re.compile(r"[0-9a-f]{32}(?:-\d+)?")


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """What is written into a complete environment.

    Args:
        python: interpreter it was built with.
        sites: folders of packages, relative to it.
        scripts: folder of programs, relative to it.
        looked: how all its files looked.
        packages: name → version.
        wheels: SHA-256 of wheels of definitions it was built from.
    """

    python: Python
    sites: tuple[str, ...]
    scripts: str
    looked: str
    packages: dict[str, str]
    wheels: tuple[str, ...] = ()


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


def key(entries: Iterable[Entry], python: Python) -> str:
    """The name of the environment of a lock on a Python and platform."""
    lines = [
        f"{entry.name}=={entry.version} {' '.join(sorted(file.sha256 for file in entry.files))}"
        for entry in entries
    ]
    lines.sort()
    lines.append(f"{python.implementation} {python.version} {python.platform}")
    return blake3.blake3("\n".join(lines).encode()).hexdigest(length=16)


@contextmanager
def building(home: Path, name: str, check: Callable[[], None] | None = None) -> Iterator[tuple[Path, int]]:
    """An empty folder to build the environment ``name`` in; nobody else builds it meanwhile.

    Yields:
        The folder, which is removed at the end, and the lock's descriptor for :func:`uv.run` to hold.
    """
    top = home / FOLDER
    top.mkdir(parents=True, exist_ok=True)
    _clear(top)
    fd = os.open(top / f".{name}{_LOCK}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _wait(fd, check)
        folder = top / f".{name}{_BUILDING}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            yield folder, fd
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(fd)


def place(home: Path, name: str) -> Path:
    """Where a new environment goes; earlier ones that were changed since keep their places."""
    top = home / FOLDER
    number = 0
    while True:
        path = top / (name if not number else f"{name}-{number}")
        if not os.path.lexists(path):
            return path
        number += 1


def ready(home: Path, name: str) -> tuple[Path, str] | None:
    """A complete environment that is as it was built, if there is one, and how its files look."""
    top = home / FOLDER
    if not top.is_dir():
        return None
    for found in sorted(os.listdir(top)):
        if (found == name or found.startswith(f"{name}-")) and _KEY.fullmatch(found):
            looked = intact(top / found)
            if looked:
                return top / found, looked
    return None


def mark(folder: Path, interpreter: Interpreter, entries: Iterable[Entry]) -> str:
    """Write into an environment that it is complete; returns how its files look."""
    entries = list(entries)
    sites = tuple(os.path.relpath(site, interpreter.prefix) for site in interpreter.sites)
    scripts = os.path.relpath(interpreter.scripts, interpreter.prefix)
    content = Mark(
        python=interpreter.python,
        sites=sites,
        scripts=scripts,
        looked=_looks(folder, sites, scripts),
        packages={entry.name: entry.version for entry in entries},
        wheels=tuple(sorted({file.sha256 for entry in entries for file in entry.files if file.wheel})),
    )
    put(folder / _MARK, msgspec.json.encode(content))
    return content.looked


def intact(folder: Path) -> str:
    """How an environment's files look if it is as it was built, nothing added, removed or changed; else ``""``."""
    found = read_mark(folder)
    if found is None or not os.access(folder / "bin" / "python", os.X_OK):
        return ""
    looked = _looks(folder, found.sites, found.scripts)
    if looked == found.looked:
        return looked
    # Some packages write files beside their code; what counts is what was installed.
    sites = [os.path.normpath(folder / site) for site in found.sites]
    listed = installed.distributions(sites)
    same = (
        {one.name: one.version for one in listed} == found.packages
        and not installed.strays(listed, sites)
        and not any(installed.damages(listed).values())
    )
    return looked if same else ""


def read_mark(folder: Path) -> Mark | None:
    """What is written into a complete environment; ``None`` if it is none of ours."""
    try:
        return msgspec.json.decode((folder / _MARK).read_bytes(), type=Mark)
    except (OSError, msgspec.MsgspecError):
        return None


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
        if not _KEY.fullmatch(name):
            continue
        path = top / name
        marked = read_mark(path)
        found.append(
            Environment(
                name=name,
                path=str(path),
                bytes=_own_bytes(path),
                packages=len(marked.packages) if marked else 0,
                used_by=tuple(sorted(set(used.get(str(path), ())))),
                running=name in running,
            )
        )
    return found


def remove(home: Path, environments: Iterable[Environment]) -> list[str]:
    """Remove environments that nobody uses and no program runs in; then wheels that no environment was built from.

    Returns:
        Names of those removed.
    """
    top = home / FOLDER
    gone = []
    for one in environments:
        if one.used_by or one.running or not _KEY.fullmatch(one.name):
            continue
        away = top / f".{one.name}{_REMOVED}"
        with contextlib.suppress(OSError):
            os.rename(top / one.name, away)
            gone.append(one.name)
        shutil.rmtree(away, ignore_errors=True)
    needed: set[str] = set()
    for name in os.listdir(top) if top.is_dir() else ():
        marked = read_mark(top / name) if _KEY.fullmatch(name) else None
        needed |= set(marked.wheels) if marked else set()
    if not any(name.endswith(_BUILDING) for name in (os.listdir(top) if top.is_dir() else ())):
        for digest in os.listdir(top / WHEELS) if (top / WHEELS).is_dir() else ():
            if digest not in needed:
                shutil.rmtree(top / WHEELS / digest, ignore_errors=True)
    return gone


def _looks(folder: Path, sites: Iterable[str], scripts: str) -> str:
    base = os.path.realpath(folder)
    seen = installed.looks(
        [os.path.normpath(os.path.join(base, site)) for site in sites], os.path.join(base, scripts)
    )
    return installed.print_of(seen, base)


def _clear(top: Path) -> None:
    """Remove what killed builds and removals left; whoever is at work holds the lock."""
    for name in os.listdir(top):
        if name.endswith(_REMOVED):
            shutil.rmtree(top / name, ignore_errors=True)
        if not name.endswith(_BUILDING):
            continue
        try:
            fd = os.open(
                top / (name.removesuffix(_BUILDING) + _LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
        except OSError:
            continue
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(top / name, ignore_errors=True)
        except OSError:
            pass
        finally:
            os.close(fd)


def _wait(fd: int, check: Callable[[], None] | None) -> None:
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                # No locks on this file system: the rename at the end still keeps every environment whole.
                return
        if check:
            check()
        time.sleep(_POLL_SECONDS)


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
