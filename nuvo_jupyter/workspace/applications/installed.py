"""What is installed in an environment: its distributions, the files each one recorded, and whether they still are so."""

from __future__ import annotations

import base64
import binascii
import csv
import hashlib
import os
import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import blake3
import msgspec
from packaging.utils import canonicalize_name

from nuvo_jupyter.model.errors import NuvoError

BROUGHT_BY_INSTALLERS = frozenset({"INSTALLER", "REQUESTED", "RECORD", "direct_url.json", "uv_cache.json"})
"""Files of a ``.dist-info`` folder that tell how it was installed, not what."""

_INFO = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._]*)-(?P<version>[^-]+?)(?:-py[\d.]+)?\.(?P<form>dist|egg)-info",
    re.IGNORECASE,
)
_AT_ONCE = 4
_NAMED_MAX = 3
_METADATA_MAX = 64 << 10


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """One line of a RECORD.

    Args:
        path: relative to the folder of packages, with ``..`` where it lies elsewhere.
        algorithm: of the hash; ``""`` if the file may change (compiled code, RECORD itself).
        digest: as RECORD writes it.
    """

    path: str
    algorithm: str
    digest: str


class Distribution(msgspec.Struct, frozen=True):
    """An installed distribution.

    Args:
        name: normalised.
        version: as its folder says.
        site: folder of packages it lies in.
        info: its ``.dist-info`` folder's name (or an old ``.egg-info`` folder or file).
        origin: ``direct_url.json`` (PEP 610): where it came from if not from an index.
        recorded: its files; ``None`` if it has no RECORD that can be read.
    """

    name: str
    version: str
    site: str
    info: str
    origin: dict[str, Any] | None
    recorded: tuple[Recorded, ...] | None

    @property
    def editable(self) -> str | None:
        """The project's folder if this is an editable installation."""
        if self.origin and self.origin.get("dir_info", {}).get("editable"):
            return _local(str(self.origin.get("url", "")))
        return None

    def where(self, path: str) -> str:
        """The file that a line of RECORD means."""
        return os.path.normpath(os.path.join(self.site, path))


def distributions(sites: Iterable[str]) -> list[Distribution]:
    """Every distribution in folders of packages, by name; the first folder that has one counts, as in ``import``."""
    found: dict[str, Distribution] = {}
    for site in sites:
        try:
            names = sorted(os.listdir(site))
        except OSError:
            continue
        here: dict[str, Distribution] = {}
        for name in names:
            match = _INFO.fullmatch(name)
            if match is None:
                continue
            package = canonicalize_name(match["name"])
            old = here.get(package)
            # What an upgrade that was killed leaves has no RECORD.
            if package not in found and (old is None or old.recorded is None):
                here[package] = _read(site, name, package, match["version"])
        found |= here
    return sorted(found.values(), key=lambda one: one.name)


def looks(sites: Iterable[str], scripts: str = "") -> dict[str, tuple[int, int]]:
    """Size and time of every file of packages and programs; compiled code, which comes and goes, is left out.

    Returns:
        Path → (bytes, mtime in ns). Tens of thousands of files take some tenths of a second.
    """
    found: dict[str, tuple[int, int]] = {}
    folders = [*sites, *filter(None, [scripts])]
    while folders:
        try:
            entries = os.scandir(folders.pop())
        except OSError:
            continue
        with entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name != "__pycache__":
                        folders.append(entry.path)
                    continue
                try:
                    status = entry.stat(follow_symlinks=False)
                except OSError:
                    continue
                found[entry.path] = (status.st_size, status.st_mtime_ns)
    return found


def print_of(looked: Mapping[str, tuple[int, int]], base: str = "") -> str:
    """One short text for how all files look, wherever the folder ``base`` that they lie in is moved."""
    skipped = len(base)
    lines = [
        f"{path[skipped:] if base and path.startswith(base) else path}\0{size}\0{time}"
        for path, (size, time) in looked.items()
    ]
    lines.sort()
    return blake3.blake3("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest(length=16)


def damage(distribution: Distribution) -> str:
    """Why the files of a distribution are not as they were installed; ``""`` if they are.

    Every file that has a hash in RECORD is read.
    """
    if distribution.recorded is None:
        return "its RECORD is missing or cannot be read, so that nobody can say which files belong to it"
    bad = [
        entry.path for entry in distribution.recorded if entry.algorithm and not _holds(distribution, entry)
    ]
    if not bad:
        return ""
    more = f" and {len(bad) - _NAMED_MAX} more" if len(bad) > _NAMED_MAX else ""
    return f"changed or missing since it was installed: {', '.join(bad[:_NAMED_MAX])}{more}"


def damages(
    of: Iterable[Distribution],
    *,
    check: Callable[[], None] | None = None,
    done: Callable[[Distribution], None] | None = None,
) -> dict[str, str]:
    """:func:`damage` of several distributions at once, by name."""
    found: dict[str, str] = {}
    of = list(of)
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="nuvo-verify") as pool:
        try:
            for one, said in zip(of, pool.map(damage, of), strict=True):
                found[one.name] = said
                if check:
                    check()
                if done:
                    done(one)
        except NuvoError:
            pool.shutdown(cancel_futures=True)
            raise
    return found


def strays(
    of: Iterable[Distribution], sites: Iterable[str], theirs: frozenset[str] = frozenset()
) -> list[str]:
    """Modules lying among the packages that belong to none of them, so that no package brings them along.

    Args:
        of: the packages.
        sites: folders of packages.
        theirs: paths of files that conda placed.
    """
    owned: set[str] = set()
    for one in of:
        owned.add(os.path.join(one.site, one.info))
        for entry in one.recorded or ():
            if not entry.path.startswith(".."):
                owned.add(os.path.join(one.site, entry.path.partition("/")[0]))
    for site in sites if theirs else ():
        below = site + os.sep
        for path in theirs:
            if path.startswith(below):
                owned.add(below + path[len(below) :].partition(os.sep)[0])
    found = []
    for site in sites:
        try:
            with os.scandir(site) as entries:
                found += [entry.path for entry in entries if entry.path not in owned and _is_module(entry)]
        except OSError:
            continue
    return sorted(found)


def _is_module(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith(("__editable__", "_virtualenv", "~")) or _INFO.fullmatch(entry.name):
        return False
    if entry.is_dir():
        return os.path.exists(os.path.join(entry.path, "__init__.py"))
    return entry.name.endswith((".py", ".pth", ".so", ".pyd"))


def _read(site: str, info: str, package: str, version: str) -> Distribution:
    folder = os.path.join(site, info)
    try:
        with open(os.path.join(folder, "direct_url.json"), "rb") as file:
            origin = msgspec.json.decode(file.read(_METADATA_MAX))
    except (OSError, msgspec.MsgspecError):
        origin = None
    recorded: tuple[Recorded, ...] | None = None
    try:
        with open(os.path.join(folder, "RECORD"), encoding="utf-8", newline="") as record:
            recorded = tuple(_line(row) for row in csv.reader(record) if row)
    except (OSError, ValueError, IndexError, csv.Error):
        pass
    return Distribution(
        package, version, site, info, origin if isinstance(origin, dict) else None, recorded or None
    )


def _line(row: list[str]) -> Recorded:
    algorithm, _, digest = row[1].partition("=")
    return Recorded(row[0], algorithm, digest)


def _holds(distribution: Distribution, entry: Recorded) -> bool:
    try:
        with open(distribution.where(entry.path), "rb") as file:
            digest = hashlib.file_digest(file, entry.algorithm).digest()
        return digest == base64.urlsafe_b64decode(entry.digest + "=" * (-len(entry.digest) % 4))
    except (OSError, ValueError, binascii.Error):
        return False


def _local(url: str) -> str:
    from urllib.parse import unquote, urlsplit

    return unquote(urlsplit(url).path)
