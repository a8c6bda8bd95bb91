"""Environments in Nuvo's home: built beside, complete when they get their name, found again, removed when unused.

``environments/KEY`` (or ``KEY-1`` … where an earlier one was changed since) is never built into: a build happens in
``.KEY.building`` under a lock that uv holds too, and ends with a rename. What a killed build leaves is cleared by
the next one.
"""

from __future__ import annotations

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
from nuvo_jupyter.model.inspected import inspected
from nuvo_jupyter.workspace.applications import installed
from nuvo_jupyter.workspace.applications.conda import records
from nuvo_jupyter.workspace.applications.conda.locked import Locked
from nuvo_jupyter.workspace.applications.definition import put
from nuvo_jupyter.workspace.applications.interpreter import Interpreter
from nuvo_jupyter.workspace.applications.lock import Entry

FOLDER = "environments"
WHEELS = ".wheels"
KEPT = ".conda"
"""Verified archives of conda packages: ``SHA-256/FILE``."""
UNPACKED = ".conda-unpacked"
"""What conda packages are linked from."""
_MARK = "nuvo-environment.json"
BUILDING, REMOVED, _LOCK = ".building", ".removed", ".lock"
_POLL_SECONDS = 0.05
KEY = re.compile(r"[0-9a-f]{32}(?:-\d+)?")


@inspected
class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """What is written into a complete environment.

    Args:
        python: interpreter it was built with.
        sites: folders of packages, relative to it.
        scripts: folder of programs, relative to it.
        looked: how all its files looked.
        packages: name → version.
        wheels: SHA-256 of wheels of definitions it was built from.
        conda: package that conda installed → version and build; ``None`` if the environment is none of conda's.
        archives: SHA-256 of archives of conda packages it was built from.
    """

    python: Python
    sites: tuple[str, ...]
    scripts: str
    looked: str
    packages: dict[str, str]
    wheels: tuple[str, ...] = ()
    conda: dict[str, str] | None = None
    archives: tuple[str, ...] = ()


def key(entries: Iterable[Entry], python: Python, conda: Iterable[Locked] = ()) -> str:
    """The name of the environment of a lock on a Python and platform, with packages of conda or without."""
    lines = [
        f"{entry.name}=={entry.version} {' '.join(sorted(file.sha256 for file in entry.files))}"
        for entry in entries
    ]
    lines += [f"conda {one.name}=={one.version} {one.build} {one.sha256}" for one in conda]
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
        folder = top / f".{name}{BUILDING}"
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
        if (found == name or found.startswith(f"{name}-")) and KEY.fullmatch(found):
            looked = intact(top / found)
            if looked:
                return top / found, looked
    return None


def mark(
    folder: Path, interpreter: Interpreter, entries: Iterable[Entry], conda: Iterable[Locked] | None = None
) -> str:
    """Write into an environment that it is complete; returns how its files look.

    Args:
        folder: of the environment.
        interpreter: in it.
        entries: packages of its lock.
        conda: packages of conda; ``None`` if the environment is none of conda's.
    """
    entries = list(entries)
    sites = tuple(os.path.relpath(site, interpreter.prefix) for site in interpreter.sites)
    scripts = os.path.relpath(interpreter.scripts, interpreter.prefix)
    content = Mark(
        python=interpreter.python,
        sites=sites,
        scripts=scripts,
        looked=_looks(folder, sites, scripts, conda is not None),
        packages={entry.name: entry.version for entry in entries},
        wheels=tuple(sorted({file.sha256 for entry in entries for file in entry.files if file.wheel})),
        conda=None if conda is None else {one.name: f"{one.version} {one.build}" for one in conda},
        archives=tuple(sorted({one.sha256 for one in conda or ()})),
    )
    put(folder / _MARK, msgspec.json.encode(content))
    return content.looked


def intact(folder: Path) -> str:
    """How an environment's files look if it is as it was built, nothing added, removed or changed; else ``""``."""
    found = read_mark(folder)
    if found is None or not os.access(folder / "bin" / "python", os.X_OK):
        return ""
    looked = _looks(folder, found.sites, found.scripts, found.conda is not None)
    if looked == found.looked:
        return looked
    # Some packages write files beside their code; what counts is what was installed.
    sites = [os.path.normpath(folder / site) for site in found.sites]
    listed, theirs = installed.distributions(sites), frozenset[str]()
    beside = listed
    if found.conda is not None:
        here, _ = records.records(folder)
        theirs = records.owned(folder, here)
        beside = [one for one in listed if not records.brought(one, theirs)]
        if {one.name: f"{one.version} {one.build}" for one in here} != found.conda or any(
            records.damages(folder, here, [one.name for one in beside]).values()
        ):
            return ""
    same = (
        {one.name: one.version for one in beside} == found.packages
        and not installed.strays(listed, sites, theirs)
        and not any(installed.damages(beside).values())
    )
    return looked if same else ""


def read_mark(folder: Path) -> Mark | None:
    """What is written into a complete environment; ``None`` if it is none of ours."""
    try:
        return msgspec.json.decode((folder / _MARK).read_bytes(), type=Mark)
    except (OSError, msgspec.MsgspecError):
        return None


def _looks(folder: Path, sites: Iterable[str], scripts: str, conda: bool) -> str:
    base = os.path.realpath(folder)
    if conda:
        return installed.print_of(records.looks(folder), base)
    seen = installed.looks(
        [os.path.normpath(os.path.join(base, site)) for site in sites], os.path.join(base, scripts)
    )
    return installed.print_of(seen, base)


def _clear(top: Path) -> None:
    """Remove what killed builds and removals left; whoever is at work holds the lock."""
    for name in os.listdir(top):
        if name.endswith(REMOVED):
            shutil.rmtree(top / name, ignore_errors=True)
        if not name.endswith(BUILDING):
            continue
        try:
            fd = os.open(
                top / (name.removesuffix(BUILDING) + _LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
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
