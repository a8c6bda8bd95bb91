"""Reading and writing ``conda.lock.json``: what conda installed, of which only what cannot do harm is accepted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit, urlunsplit

import msgspec
from packaging.utils import canonicalize_name

from nuvo_jupyter.model.applications import Package
from nuvo_jupyter.model.errors import ApplicationDamaged
from nuvo_jupyter.model.inspected import inspected
from nuvo_jupyter.workspace.applications.lock import LOCK_MAX, PACKAGES_MAX

LOCK = "conda.lock.json"
ARCHIVES = "conda"
"""The folder of a definition that holds archives of conda packages."""
NOARCH = "noarch"
ENDINGS = (".conda", ".tar.bz2")

_NAME = re.compile(r"[a-z0-9_.][a-z0-9_.-]*")
_VERSION = re.compile(r"[A-Za-z0-9_.!+~]+")
_BUILD = re.compile(r"[A-Za-z0-9_.+~]+")
_SUBDIR = re.compile(r"[a-z0-9]+(?:-[a-z0-9_]+)?")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SCHEMES = ("https", "http", "file")
_TOKEN = re.compile(r"/t/[^/]+(?=/)")


class Locked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A package that conda installed.

    Args:
        name: as conda writes it.
        version: exact.
        build: which build of that version.
        subdir: platform it is built for, as channels call it: ``linux-64``, ``noarch``.
        url: of its archive in a channel; ``""`` if it is in none that others can reach.
        sha256: of its archive; ``""`` if nobody knows.
        md5: of its archive, where conda recorded it.
        size: of its archive in bytes; 0 if not known.
        archive: name of its archive in ``conda/`` of the definition; ``""`` if not there.
    """

    name: str
    version: str
    build: str
    subdir: str
    url: str = ""
    sha256: str = ""
    md5: str = ""
    size: int = 0
    archive: str = ""

    @property
    def file(self) -> str:
        """The name of its archive; ``""`` if there is none to be had."""
        return self.archive or file_of(self.url)

    @property
    def can_be_had(self) -> bool:
        """Whether its archive can be had again and verified."""
        return bool(self.sha256 and self.file)

    @property
    def package(self) -> Package:
        """As it is shown and compared."""
        hashes = (self.sha256,) if self.sha256 else ()
        return Package(name=canonicalize_name(self.name), version=self.version, hashes=hashes)


@inspected
class CondaLock(msgspec.Struct, frozen=True):
    """What conda installed in an environment.

    Args:
        platform: as channels call it; ``""`` in locks that only list.
        packages: by name.
    """

    platform: str = ""
    packages: tuple[Locked, ...] = ()

    @property
    def wanted(self) -> tuple[Locked, ...]:
        """The packages that can be installed again."""
        return tuple(one for one in self.packages if one.can_be_had) if self.platform else ()

    @property
    def python(self) -> Locked | None:
        """The Python that conda installed; ``None`` if it is another's."""
        return next((one for one in self.packages if one.name == "python"), None) if self.platform else None


def write(platform: str, packages: Iterable[Locked]) -> bytes:
    """A lock as JSON, the same bytes for the same packages."""
    lock = CondaLock(platform, tuple(sorted(packages, key=lambda one: one.name)))
    return msgspec.json.format(msgspec.json.encode(lock)) + b"\n"


def read(data: bytes) -> CondaLock:
    """A lock, checked.

    Raises:
        ApplicationDamaged: it is no lock, or names something that is not to be installed.
    """
    if len(data) > LOCK_MAX:
        raise ApplicationDamaged("The lock of conda's packages is too large to be one.")
    try:
        lock = msgspec.json.decode(data, type=CondaLock)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ApplicationDamaged(f"The lock of conda's packages cannot be read: {error}.") from error
    if len(lock.packages) > PACKAGES_MAX:
        raise ApplicationDamaged("The lock names more conda packages than an environment can have.")
    if len({one.name for one in lock.packages}) < len(lock.packages):
        raise ApplicationDamaged("The lock names a conda package twice.")
    if not lock.platform:
        return lock
    if not _SUBDIR.fullmatch(lock.platform):
        raise ApplicationDamaged(
            f"The lock of conda's packages is for {lock.platform!r}, which is no platform."
        )
    for one in lock.packages:
        _check(one, lock.platform)
    return lock


def file_of(url: str) -> str:
    """The file that an address names; ``""`` if none."""
    return unquote(urlsplit(url).path).rpartition("/")[2]


def public(url: str) -> str:
    """An address without user, password, or the token that channels carry in their path; ``""`` if it may hold more."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.query or parts.scheme not in _SCHEMES:
        return ""
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], _TOKEN.sub("", parts.path), "", ""))


def belongs(file: str, name: str, version: str, build: str) -> bool:
    """Whether a file is named as the archive of a package."""
    return file in [f"{name}-{version}-{build}{ending}" for ending in ENDINGS]


def _check(one: Locked, platform: str) -> None:
    if not (
        _NAME.fullmatch(one.name)
        and _VERSION.fullmatch(one.version)
        and _BUILD.fullmatch(one.build)
        and one.subdir in (platform, NOARCH)
    ):
        raise ApplicationDamaged(
            f"The lock names {one.name!r} {one.version!r} {one.build!r} for {one.subdir!r}, which is no conda package for {platform}."
        )
    if one.sha256 and not _SHA256.fullmatch(one.sha256):
        raise ApplicationDamaged(f"The lock has no SHA-256 for the conda package {one.name}.")
    for file in {one.archive, file_of(one.url)} - {""}:
        if not belongs(file, one.name, one.version, one.build):
            raise ApplicationDamaged(
                f"The lock takes the conda package {one.name} from {file!r}, which is no archive of it."
            )
    local = one.url.startswith("file:") and urlsplit(one.url).netloc not in ("", "localhost")
    if one.url and (local or public(one.url) != one.url):
        raise ApplicationDamaged(
            f"The lock takes the conda package {one.name} from {one.url!r}, which is in no channel."
        )
