"""What conda wrote about an environment in its ``conda-meta``: its packages, and whether their files are still so."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
from packaging.utils import canonicalize_name

from nuvo_jupyter.model.applications import Python
from nuvo_jupyter.model.errors import NuvoError
from nuvo_jupyter.model.inspected import inspected
from nuvo_jupyter.workspace.applications import installed
from nuvo_jupyter.workspace.applications.conda.locked import NOARCH
from nuvo_jupyter.workspace.applications.installed import Distribution

META = "conda-meta"
_NOT_LOOKED_AT = frozenset({"pkgs", "envs", "conda-bld", "__pycache__"})
"""Folders of a base environment that hold other things than the environment."""
_SYSTEMS = {"linux": "linux", "darwin": "osx", "win32": "win"}
_MACHINES = {"x86_64": "64", "amd64": "64", "i686": "32", "x86": "32"}
_AT_ONCE = 4
_NAMED_MAX = 3
_LINK_SCRIPTS = ("-post-link.sh", "-pre-link.sh", "-post-link.bat", "-pre-link.bat")


class Placed(msgspec.Struct, frozen=True, gc=False, rename={"path": "_path"}):
    """A file that conda placed in an environment.

    Args:
        path: relative to the environment.
        path_type: ``hardlink``, ``softlink``, ``directory``, or a program made for an entry point.
        sha256: of the file in the package.
        sha256_in_prefix: of the file as it was placed, where that is another.
        prefix_placeholder: what stood in the package for the folder of the environment.
    """

    path: str
    path_type: str = ""
    sha256: str | None = None
    sha256_in_prefix: str | None = None
    prefix_placeholder: str | None = None

    @property
    def digest(self) -> str:
        """What the file has to be; ``""`` if conda does not say."""
        if self.path_type not in ("", "hardlink"):
            return ""
        return self.sha256_in_prefix or (self.sha256 if not self.prefix_placeholder else "") or ""


class _Paths(msgspec.Struct, frozen=True, gc=False):
    paths: tuple[Placed, ...] = ()


@inspected
class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One file of ``conda-meta``: a package, where it came from, and the files it placed."""

    name: str
    version: str
    build: str
    subdir: str | None = None
    url: str | None = None
    fn: str | None = None
    sha256: str | None = None
    md5: str | None = None
    size: int | None = None
    files: tuple[str, ...] = ()
    paths_data: _Paths | None = None
    package_tarball_full_path: str | None = None
    extracted_package_dir: str | None = None

    @property
    def runs_scripts(self) -> bool:
        """Whether conda runs a program of it when it is installed."""
        return any(path.endswith(_LINK_SCRIPTS) for path in self.files)


def records(prefix: Path) -> tuple[list[Record], list[str]]:
    """The packages that conda installed in an environment, by name.

    Returns:
        Records, and names of files that cannot be read.
    """
    found: dict[str, Record] = {}
    broken = []
    for path in sorted((prefix / META).glob("*.json")):
        try:
            record = msgspec.json.decode(path.read_bytes(), type=Record)
        except (OSError, msgspec.MsgspecError):
            broken.append(path.name)
            continue
        found[record.name] = record
    return sorted(found.values(), key=lambda record: record.name), broken


def platform(of: Iterable[Record], python: Python) -> str:
    """The platform of an environment as channels call it: its packages', or else its Python's."""
    for record in of:
        if record.subdir and record.subdir != NOARCH:
            return record.subdir
    machine = python.machine.lower()
    return f"{_SYSTEMS.get(python.system, python.system)}-{_MACHINES.get(machine, machine)}"


def looks(prefix: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file of an environment, as :func:`installed.looks` gives them."""
    try:
        names = os.listdir(prefix)
    except OSError:
        return {}
    folders = [os.path.join(os.path.realpath(prefix), name) for name in names if name not in _NOT_LOOKED_AT]
    return installed.looks([folder for folder in folders if not os.path.islink(folder)])


def owned(prefix: Path, of: Iterable[Record]) -> frozenset[str]:
    """Absolute paths of all files that conda placed."""
    base = os.path.realpath(prefix)
    return frozenset(os.path.join(base, path) for record in of for path in record.files)


def brought(one: Distribution, paths: frozenset[str]) -> bool:
    """Whether conda installed a distribution, not pip over or beside it."""
    info = os.path.join(one.site, one.info)
    return info in paths or any(
        os.path.join(info, name) in paths for name in ("METADATA", "PKG-INFO", "RECORD")
    )


def damages(
    prefix: Path,
    of: Iterable[Record],
    beside: Iterable[str],
    *,
    check: Callable[[], None] | None = None,
    done: Callable[[Record], None] | None = None,
) -> dict[str, str]:
    """Why packages are not as conda installed them, by name; ``""`` for those that are.

    Args:
        prefix: of the environment.
        of: packages whose files are read.
        beside: names of distributions that pip installed: what conda had placed of these is gone by intention.
        check: called often; raises to cancel.
        done: told of each package that was read.
    """
    found: dict[str, str] = {}
    over = set(beside)
    of = list(of)
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="nuvo-verify") as pool:
        try:
            for record, bad in zip(of, pool.map(lambda one: _bad(prefix, one), of), strict=True):
                more = f" and {len(bad) - _NAMED_MAX} more" if len(bad) > _NAMED_MAX else ""
                said = f"changed or missing since it was installed: {', '.join(bad[:_NAMED_MAX])}{more}"
                found[record.name] = said if bad and canonicalize_name(record.name) not in over else ""
                if check:
                    check()
                if done:
                    done(record)
        except NuvoError:
            pool.shutdown(cancel_futures=True)
            raise
    return found


def print_of(prefix: Path, record: Record, looked: Mapping[str, tuple[int, int]]) -> str:
    """One short text for how all files of a package look."""
    base = os.path.realpath(prefix)
    paths = [os.path.join(base, path) for path in _paths(record)]
    return installed.print_of({path: looked.get(path, (-1, 0)) for path in paths}, base)


def _paths(record: Record) -> Iterable[str]:
    placed = [one.path for one in record.paths_data.paths] if record.paths_data else []
    return [path for path in placed or record.files if "__pycache__" not in path]


def _bad(prefix: Path, record: Record) -> list[str]:
    if record.paths_data is None:
        return [path for path in _paths(record) if not os.path.lexists(prefix / path)]
    return [
        one.path
        for one in record.paths_data.paths
        if "__pycache__" not in one.path and not _holds(prefix, one)
    ]


def _holds(prefix: Path, one: Placed) -> bool:
    path = prefix / one.path
    if not one.digest:
        return os.path.lexists(path)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == one.digest
    except OSError:
        return False
