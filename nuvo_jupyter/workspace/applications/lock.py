"""Reading and writing locks (``pylock.NAME.toml``, PEP 751), of which only what cannot do harm is accepted.

A lock of ours names wheels only, each with a SHA-256: files of an index by their address, or ``wheels/x.whl`` in
the definition. Nothing in it has to be built, so installing it runs nothing of what it names.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import msgspec
import tomli_w
from packaging.pylock import Pylock, PylockUnsupportedVersionError, PylockValidationError
from packaging.version import InvalidVersion, Version

from nuvo_jupyter.model.applications import Package
from nuvo_jupyter.model.errors import ApplicationDamaged
from nuvo_jupyter.workspace.applications.wheel import belongs

WHEELS = "wheels"
"""The folder of a definition that holds wheels."""
LOCK_MAX = 32 << 20
"""Longest lock in bytes that is read."""
PACKAGES_MAX = 20_000

_INDEX_SCHEMES = ("https", "http")
"""What is fetched without encryption is verified by its hash all the same."""


class File(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A wheel that a package can be installed from.

    Args:
        sha256: of the file, in hexadecimal.
        url: on an index; ``""`` if it lies in the definition.
        wheel: its name in ``wheels/``; ``""`` if on an index.
        size: in bytes; 0 if not known.
    """

    sha256: str
    url: str = ""
    wheel: str = ""
    size: int = 0


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A package of a lock.

    Args:
        name: normalised.
        version: exact.
        files: wheels, one or more.
        index: whose files these are, if not PyPI's: uv finds them in its cache by that.
    """

    name: str
    version: str
    files: tuple[File, ...]
    index: str = ""

    @property
    def package(self) -> Package:
        """As it is shown and compared."""
        hashes = tuple(sorted(file.sha256 for file in self.files))
        wheel = next((file.wheel for file in self.files if file.wheel), "")
        return Package(name=self.name, version=self.version, hashes=hashes, wheel=wheel)


def write(entries: Iterable[Entry], python: str, local: Mapping[str, str] | None = None) -> bytes:
    """A lock as TOML, the same bytes for the same packages.

    Args:
        entries: packages.
        python: minor version, such as ``3.11``.
        local: SHA-256 of a wheel in the definition → absolute path to write for it, for uv.
    """
    packages: list[dict[str, Any]] = []
    for entry in sorted(entries, key=lambda entry: entry.name):
        package: dict[str, Any] = {"name": entry.name, "version": entry.version}
        inside = [file for file in entry.files if file.wheel]
        if inside:
            path = (local or {}).get(inside[0].sha256, f"{WHEELS}/{inside[0].wheel}")
            package["archive"] = {"path": path, "hashes": {"sha256": inside[0].sha256}}
        else:
            if entry.index:
                package["index"] = entry.index
            package["wheels"] = [
                {
                    "url": file.url,
                    **({"size": file.size} if file.size else {}),
                    "hashes": {"sha256": file.sha256},
                }
                for file in entry.files
            ]
        packages.append(package)
    content = {
        "lock-version": "1.0",
        "created-by": "nuvo-jupyter",
        "requires-python": f">={python}",
        "packages": packages,
    }
    return tomli_w.dumps(content).encode()


def read(data: bytes) -> list[Entry]:
    """The packages of a lock of ours, checked.

    Raises:
        ApplicationDamaged: it is no lock, or names something that is not to be installed.
    """
    if len(data) > LOCK_MAX:
        raise ApplicationDamaged("The lock is too large to be one.")
    try:
        content = tomllib.loads(data.decode())
        # uv writes an empty lock without packages.
        content.setdefault("packages", [])
        Pylock.from_dict(content).validate()
    except (ValueError, PylockValidationError, PylockUnsupportedVersionError, RecursionError) as error:
        raise ApplicationDamaged(f"The lock cannot be read: {error}.") from error
    packages = content["packages"]
    if len(packages) > PACKAGES_MAX:
        raise ApplicationDamaged("The lock names more packages than an environment can have.")
    entries = [_entry(package) for package in packages]
    if len({entry.name for entry in entries}) < len(entries):
        raise ApplicationDamaged("The lock names a package twice.")
    return entries


def from_uv(data: bytes) -> tuple[list[Entry], dict[str, str]]:
    """What uv locked: the packages that have a wheel, and local files to be taken into the definition.

    Returns:
        Entries, whose wheels may have ``file://`` addresses, and package → why it is none of them.
    """
    entries: list[Entry] = []
    without: dict[str, str] = {}
    for package in tomllib.loads(data.decode()).get("packages", []):
        files = tuple(
            File(sha256=wheel["hashes"]["sha256"], url=public(wheel["url"]), size=wheel.get("size", 0))
            for wheel in package.get("wheels", [])
            if "url" in wheel and "sha256" in wheel.get("hashes", {}) and public(wheel["url"])
        )
        if files:
            entries.append(Entry(name=package["name"], version=package["version"], files=files))
        else:
            without[package["name"]] = "its index has no wheel of it with a hash"
    return entries, without


def local_file(file: File) -> str:
    """The path of a file that lies on this machine, not on an index; else ``""``."""
    parts = urlsplit(file.url)
    return unquote(parts.path) if parts.scheme == "file" else ""


def public(url: str) -> str:
    """An address without user and password; ``""`` if it may hold another secret."""
    parts = urlsplit(url)
    if parts.query:
        return ""
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def _entry(package: Mapping[str, Any]) -> Entry:
    name = str(package["name"])
    for key in ("vcs", "directory", "sdist"):
        if key in package:
            raise ApplicationDamaged(f"The lock wants {name} to be built ({key}); only wheels are installed.")
    try:
        version = str(package["version"])
        Version(version)
    except (KeyError, InvalidVersion):
        raise ApplicationDamaged(f"The lock does not say which version of {name} it wants.") from None
    sources = [*package.get("wheels", ()), *([package["archive"]] if "archive" in package else [])]
    files = tuple(_file(name, version, source) for source in sources)
    index = str(package.get("index", ""))
    if index and (urlsplit(index).scheme not in _INDEX_SCHEMES or public(index) != index):
        raise ApplicationDamaged(f"The lock takes {name} from {index!r}, which is no index.")
    if not files:
        raise ApplicationDamaged(f"The lock says nowhere where {name} comes from.")
    return Entry(name=name, version=version, files=files, index=index)


def _file(name: str, version: str, source: Mapping[str, Any]) -> File:
    digest = source["hashes"].get("sha256", "")
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise ApplicationDamaged(f"The lock has no SHA-256 for {name}.")
    path = source.get("path")
    if path is not None:
        folder, _, wheel = str(path).partition("/")
        if folder != WHEELS or "/" in wheel or "\\" in wheel or not belongs(wheel, name, version):
            raise ApplicationDamaged(
                f"The lock takes {name} from {path!r}, which is no wheel of it in {WHEELS}/."
            )
        return File(sha256=digest, wheel=wheel)
    parts = urlsplit(str(source.get("url")))
    wheel = unquote(parts.path).rpartition("/")[2]
    if (
        parts.scheme not in _INDEX_SCHEMES
        or "@" in parts.netloc
        or parts.query
        or not parts.hostname
        or not belongs(wheel, name, version)
    ):
        raise ApplicationDamaged(
            f"The lock takes {name} from {source.get('url')!r}, which is no wheel of it on an index."
        )
    return File(sha256=digest, url=str(source["url"]), size=int(source.get("size", 0)))
