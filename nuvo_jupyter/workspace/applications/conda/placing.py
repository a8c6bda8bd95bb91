"""Building the part of an environment that conda installed: offline first, every archive verified, no program run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from nuvo_jupyter.model.errors import ApplicationDamaged, PackageUnavailable
from nuvo_jupyter.workspace.applications.conda import archives, rattler
from nuvo_jupyter.workspace.applications.conda.link import Install
from nuvo_jupyter.workspace.applications.conda.locked import CondaLock
from nuvo_jupyter.workspace.applications.conda.records import META
from nuvo_jupyter.workspace.applications.environments import UNPACKED
from nuvo_jupyter.workspace.applications.interpreter import Interpreter
from nuvo_jupyter.workspace.applications.packages import Progress

_VENV = "pyvenv.cfg"


def place(
    top: Path,
    folder: Path,
    lock: CondaLock,
    made: Path,
    final: Path,
    work: Path,
    *,
    held: Iterable[int] = (),
    offline: bool = False,
    check: Callable[[], None] | None = None,
    progress: Progress | None = None,
) -> None:
    """Install conda's packages into an environment.

    Args:
        top: folder of environments in Nuvo's home.
        folder: of the definition, for its archives.
        lock: of the packages.
        made: folder to build in.
        final: folder it gets its name by afterwards.
        work: folder of ours, to work in.
        held: descriptors of locks that py-rattler shall hold too.
        offline: never use the network.
        check: called often; raises to cancel.
        progress: told how many packages are done, of how many.

    Raises:
        EnvironmentFailed: py-rattler is not installed, or anything else.
        ApplicationDamaged, PackageUnavailable, PythonUnsuitable, StorageFull: as :func:`archives.provide` and :func:`rattler.run`.
    """
    rattler.require()
    if lock.python is not None and not lock.python.can_be_had:
        raise PackageUnavailable(
            "The Python of this conda environment can be had nowhere.",
            hint="Seal the application where it still runs: then all packages come with it.",
        )
    packages = list(lock.wanted)
    found = archives.provide(
        top, folder, packages, work, held=held, offline=offline, check=check, progress=progress
    )
    asked = Install(
        packages=packages,
        archives={name: str(path) for name, path in found.items()},
        prefix=str(made),
        final=str(final),
        cache=str(top / UNPACKED),
        platform=lock.platform,
    )
    rattler.run(asked, work, total=len(packages), held=held, check=check, progress=progress)
    _say_where_from(made, lock)


@contextmanager
def movable(made: Path) -> Iterator[None]:
    """While pip's packages are installed into an environment of conda's, let their programs find it wherever it is moved.

    uv writes such programs where ``pyvenv.cfg`` says so; conda's Python takes no notice of what stands in it.
    """
    path = made / _VENV
    if path.exists():
        yield
        return
    path.write_text("relocatable = true\n")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def stays_inside(interpreter: Interpreter) -> None:
    """Refuse an environment in which what pip installs would go elsewhere, through links that packages brought.

    Raises:
        ApplicationDamaged: it would.
    """
    inside = interpreter.prefix + os.sep
    if not interpreter.scripts.startswith(inside) or not any(
        site.startswith(inside) for site in interpreter.sites
    ):
        raise ApplicationDamaged(
            "The application's conda packages put Python's packages outside of the environment."
        )


def _say_where_from(made: Path, lock: CondaLock) -> None:
    """Write into conda's records what the lock says, not where archives were kept: so it is captured the same again."""
    packages = {one.name: one for one in lock.packages}
    for path in (made / META).glob("*.json"):
        record = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        one = packages.get(record.get("name", ""))
        if one is None:
            continue
        record["fn"], record["sha256"] = one.file, one.sha256
        record["md5"], record["size"] = one.md5 or None, one.size or None
        record["url"] = one.url or None
        if one.url:
            record["channel"] = one.url.rpartition("/")[0].rpartition("/")[0]
        path.write_bytes(msgspec.json.format(msgspec.json.encode(record)))
