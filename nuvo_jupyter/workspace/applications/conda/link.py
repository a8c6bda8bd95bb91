"""What a process of its own does with py-rattler: put packages into an environment, none of them outside of it.

No program of a package is run: neither link scripts nor activation scripts.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from nuvo_jupyter.workspace.applications.conda.fetch import Failed
from nuvo_jupyter.workspace.applications.conda.locked import Locked

CONTENTS = "contents.json"
"""Beside a kept archive: what was found in it, so that it is unpacked for that only once."""
_LINKS_MAX = 40
_SCRIPTS, _SITE = "python-scripts/", "site-packages/"


class Install(msgspec.Struct, frozen=True):
    """Packages to put into an environment.

    Args:
        packages: what they are.
        archives: their verified archives, by name.
        prefix: folder of the environment.
        final: folder it is moved to afterwards, and that is written into files.
        cache: folder of unpacked packages, whose files are linked into environments.
        platform: they are for.
    """

    packages: list[Locked]
    archives: dict[str, str]
    prefix: str
    final: str
    cache: str
    platform: str


class Contents(msgspec.Struct, frozen=True):
    """What an archive places.

    Args:
        paths: that it lists or has.
        links: path → where the link leads.
        noarch_python: its paths are put among those of Python.
    """

    paths: tuple[str, ...]
    links: dict[str, str]
    noarch_python: bool


async def install(asked: Install, tell: Callable[[int, str], None]) -> None:
    """Put packages into an environment.

    Raises:
        Failed: an archive is not the package it should be, or places files outside; or it is for another platform.
    """
    from rattler import PackageCache, RepoDataRecord, Subdir
    from rattler.install import install as put
    from rattler.package_cache import ValidationMode

    here = str(Subdir.current())
    if here != asked.platform:
        raise Failed("platform", "", here)
    records = []
    found = {}
    for one in asked.packages:
        path = Path(asked.archives[one.name])
        try:
            record = await RepoDataRecord.from_package_archive(path)
            found[one.name] = await _contents(path, record)
        except Failed:
            raise
        except Exception as error:
            raise Failed("contents", one.name, str(error)) from error
        said = (record.name.normalized, str(record.version), str(record.build), record.subdir)
        if said != (one.name, one.version, one.build, one.subdir):
            raise Failed("contents", one.name, f"it says that it is {' '.join(map(str, said))}")
        records.append(record)
    python = next((one.version for one in asked.packages if one.name == "python"), "")
    _stay_inside(found, python)
    counted = _Count(tell)
    # Files of the cache are links into environments: what somebody edited there in place is unpacked anew.
    cache = PackageCache.new_layered([asked.cache], validation_mode=ValidationMode.full())
    try:
        await put(
            records,
            asked.prefix,
            package_cache=cache,
            alternative_target_prefix=asked.final,
            execute_link_scripts=False,
            reporter=counted,
        )
    except Exception as error:
        raise Failed("install", _named(str(error), asked.packages), str(error)) from error


class _Count:
    """Told by py-rattler what it does; which calls it makes is its matter."""

    def __init__(self, tell: Callable[[int, str], None]) -> None:
        self._tell, self._done, self._names = tell, 0, dict[int, str]()

    def on_link_start(self, operation: int, package_name: str) -> int:
        self._names[operation] = package_name
        return operation

    def on_link_complete(self, index: int) -> None:
        self._done += 1
        self._tell(self._done, f"installed {self._names.get(index, '')}")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("on_"):
            return lambda *_: 0
        raise AttributeError(name)


async def _contents(path: Path, record: Any) -> Contents:
    from rattler.package_streaming import PackageArchive

    kept = path.parent / CONTENTS
    try:
        return msgspec.json.decode(kept.read_bytes(), type=Contents)
    except (OSError, msgspec.MsgspecError):
        pass
    archive = await PackageArchive.from_path(path)
    paths: set[str] = set()
    links: dict[str, str] = {}
    async for entry in archive.stream("pkg"):
        paths.add(entry.name)
        if entry.is_link:
            links[posixpath.normpath(entry.name)] = entry.link_target or ""
            if entry.is_hardlink and _leaves(entry.link_target or ""):
                raise Failed("contents", record.name.normalized, f"{entry.name} leads out of it")
    # What is placed is what these say, whatever there is besides.
    said = await archive.read_files(["info/paths.json", "info/files", "info/has_prefix"])
    listed = said["info/paths.json"]
    if listed:
        paths |= {str(one["_path"]) for one in msgspec.json.decode(listed)["paths"]}
    paths |= set((said["info/files"] or b"").decode().splitlines())
    found = Contents(tuple(sorted(paths)), links, record.noarch.python)
    kept.write_bytes(msgspec.json.encode(found))
    return found


def _stay_inside(found: Mapping[str, Contents], python: str) -> None:
    """Refuse packages that place files outside of the environment, be it through a link that another one brings."""
    site = f"lib/python{'.'.join(python.split('.')[:2])}/site-packages/"
    links: dict[str, str] = {}
    for contents in found.values():
        links |= {_placed(path, contents, site): target for path, target in contents.links.items()}
    for name, contents in found.items():
        for path in contents.paths:
            if "\0" in path or _leaves(path) or _led_out(_placed(path, contents, site), links):
                raise Failed("contents", name, f"it places {path} outside of its environment")


def _placed(path: str, contents: Contents, site: str) -> str:
    if contents.noarch_python and path.startswith(_SITE):
        path = site + path.removeprefix(_SITE)
    elif contents.noarch_python and path.startswith(_SCRIPTS):
        path = "bin/" + path.removeprefix(_SCRIPTS)
    return posixpath.normpath(path)


def _leaves(path: str) -> bool:
    whole = posixpath.normpath(path)
    return not path or posixpath.isabs(whole) or whole == ".." or whole.startswith("../")


def _led_out(path: str, links: Mapping[str, str]) -> bool:
    """Whether a folder on the way to a path is a link that leads out."""
    for _ in range(_LINKS_MAX):
        parts = path.split("/")
        for count in range(1, len(parts)):
            way = "/".join(parts[:count])
            if way in links:
                path = posixpath.normpath(posixpath.join(posixpath.dirname(way), links[way], *parts[count:]))
                break
        else:
            return False
        if _leaves(path):
            return True
    return True


def _named(text: str, packages: Iterable[Locked]) -> str:
    return next((one.name for one in packages if os.path.basename(one.file) in text), "")
