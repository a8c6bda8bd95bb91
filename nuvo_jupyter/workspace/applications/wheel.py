"""A wheel from what is installed: RECORD says which files belong to a distribution and what they were.

Following the binary distribution format of the packaging specifications. The result does not depend on when or
by whom it was installed, so that the same package gives the same file.
"""

from __future__ import annotations

import base64
import configparser
import csv
import hashlib
import io
import os
import re
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import msgspec
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from nuvo_jupyter.model.errors import ApplicationDamaged, EnvironmentFailed
from nuvo_jupyter.workspace.applications.installed import BROUGHT_BY_INSTALLERS, Distribution

LEVEL = 1
"""Of compression: the store compresses again, and better."""

_BEGINNING_OF_TIME = (1980, 1, 1, 0, 0, 0)
_BLOCK = 1 << 20
_UNPACKED_MAX = 32 << 30
_RECORD_MAX = 64 << 20
# As uv writes it where an environment can be moved, and as installers do where the path is long.
_RELAYED = re.compile(rb"\A#!/bin/sh\n'''exec' [^\n]*\n' '''\n")
_PYTHON_LINE = re.compile(rb"\A#!([^\n]*python[^\n]*)\n", re.IGNORECASE)


class Member(msgspec.Struct, frozen=True):
    """A file of a wheel and where it is now.

    Args:
        name: in the wheel.
        source: path of the installed file.
        digest: SHA-256 as RECORD writes it; ``""`` for a program, whose first line is changed first.
        runs: whether it is a program.
    """

    name: str
    source: str
    digest: str
    runs: bool = False


def rebuild(distribution: Distribution, prefix: str, scripts: str, folder: Path) -> Path:
    """Pack an installed distribution into a wheel again; every file's hash is verified while it is packed.

    Args:
        distribution: what to pack; it has a RECORD.
        prefix: of the environment.
        scripts: folder of its programs.
        folder: the wheel is put there.

    Returns:
        The wheel.

    Raises:
        EnvironmentFailed: a file is missing, changed, or outside the environment; or it was no wheel.
    """
    try:
        plan = members(distribution, prefix, scripts)
        target = folder / filename(distribution)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive:
            lines = [[member.name, f"sha256={_pack(archive, member)}", ""] for member in plan]
            name = _record_name(distribution)
            archive.writestr(_entry(name, False), _csv([*lines, [name, "", ""]]))
    except (KeyError, ValueError, InvalidWheelFilename) as error:
        raise EnvironmentFailed(
            f"{distribution.name} {distribution.version} cannot be packed as a wheel: {error}."
        ) from error
    except FileNotFoundError as error:
        raise EnvironmentFailed(
            f"{distribution.name} {distribution.version} cannot be packed: {error.filename} is missing."
        ) from error
    return target


def members(distribution: Distribution, prefix: str, scripts: str) -> list[Member]:
    """Which installed file is what in the wheel, by name; without what installers add."""
    found = []
    entry_points = _entry_points(distribution)
    data = f"{distribution.info.removesuffix('.dist-info')}.data"
    for entry in distribution.recorded or ():
        folder, _, name = entry.path.rpartition("/")
        if folder.endswith("__pycache__") or name.endswith(".pyc"):
            continue
        if folder == distribution.info and name in BROUGHT_BY_INSTALLERS:
            continue
        where = distribution.where(entry.path)
        digest = entry.digest if entry.algorithm == "sha256" else ""
        if _inside(where, distribution.site):
            relative = os.path.relpath(where, distribution.site)
            found.append(Member(relative.replace(os.sep, "/"), where, digest))
        elif os.path.dirname(where) == os.path.normpath(scripts):
            if name not in entry_points:
                found.append(Member(f"{data}/scripts/{name}", where, "", True))
        elif _inside(where, prefix):
            relative = os.path.relpath(where, prefix).replace(os.sep, "/")
            header = re.fullmatch(r"include/(?:site/)?python[^/]+/[^/]+/(.+)", relative)
            inside = f"headers/{header[1]}" if header else f"data/{relative}"
            found.append(Member(f"{data}/{inside}", where, digest))
        else:
            raise ValueError(f"its file {where} lies outside the environment")
    return sorted(found, key=lambda member: member.name)


def filename(distribution: Distribution) -> str:
    """The wheel's name, with the tags that it was built with."""
    headers = HeaderParser().parsestr(
        Path(distribution.site, distribution.info, "WHEEL").read_text(encoding="utf-8", errors="replace")
    )
    tags = [tag.strip().split("-") for tag in headers.get_all("Tag", [])]
    if not tags or any(len(tag) != 3 for tag in tags):
        raise ValueError("it does not say which Python and platform it is for")
    compressed = "-".join(".".join(dict.fromkeys(part)) for part in zip(*tags, strict=True))
    build = f"{headers['Build'].strip()}-" if headers["Build"] else ""
    stem = distribution.info.removesuffix(".dist-info").replace("/", "_")
    name = f"{stem}-{build}{compressed}.whl"
    parse_wheel_filename(name)
    return name


def contents(wheel: Path) -> dict[str, str]:
    """Which files a wheel has, and their hashes as its RECORD says; compiled code and RECORD itself left out.

    Raises:
        ApplicationDamaged: it is no wheel.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            record = next(
                name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/RECORD", name)
            )
            if archive.getinfo(record).file_size > _RECORD_MAX:
                raise ValueError("its RECORD is too large")
            rows = csv.reader(io.StringIO(archive.read(record).decode()))
            return {row[0]: row[1].removeprefix("sha256=") for row in rows if row and row[1]}
    except (OSError, ValueError, StopIteration, IndexError, zipfile.BadZipFile, csv.Error) as error:
        raise ApplicationDamaged(f"{wheel.name} is no wheel that can be read: {error}.") from error


def is_same(wheel: Path, distribution: Distribution, prefix: str, scripts: str) -> bool:
    """Whether an installed distribution is what a wheel holds; its files are taken to be as RECORD says."""
    try:
        plan = {member.name: member for member in members(distribution, prefix, scripts)}
        held = contents(wheel)
        if plan.keys() != held.keys():
            return False
        return all(
            held[name] == (member.digest or _digest(_program(Path(member.source).read_bytes())))
            for name, member in plan.items()
        )
    except (ApplicationDamaged, OSError, ValueError):
        return False


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_members(wheel: Path) -> None:
    """Refuse a wheel whose files would leave their folder, or fill the disk.

    Raises:
        ApplicationDamaged: it is no wheel, or such a one.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            listed = archive.infolist()
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ApplicationDamaged(f"{wheel.name} is no wheel that can be read: {error}.") from error
    for member in listed:
        if member.filename.startswith("/") or "\\" in member.filename or ".." in member.filename.split("/"):
            raise ApplicationDamaged(f"{wheel.name} wants to write outside its folder: {member.filename!r}.")
    if sum(member.file_size for member in listed) > _UNPACKED_MAX:
        raise ApplicationDamaged(f"{wheel.name} would take more than {_UNPACKED_MAX >> 30} GiB unpacked.")


def belongs(wheel: str, package: str, version: str) -> bool:
    """Whether a file name is that of a wheel of a package in a version."""
    try:
        name, found, _, _ = parse_wheel_filename(wheel)
    except InvalidWheelFilename:
        return False
    try:
        return name == canonicalize_name(package) and found == Version(version)
    except InvalidVersion:
        return False


def _pack(archive: zipfile.ZipFile, member: Member) -> str:
    if member.runs:
        data = _program(Path(member.source).read_bytes())
        archive.writestr(_entry(member.name, True), data)
        return _digest(data)
    digest = hashlib.sha256()
    with (
        open(member.source, "rb") as source,
        archive.open(_entry(member.name, False), "w", force_zip64=True) as target,
    ):
        for block in iter(lambda: source.read(_BLOCK), b""):
            digest.update(block)
            target.write(block)
    found = _text(digest.digest())
    if member.digest and found != member.digest:
        raise ValueError(f"{member.name} was changed since it was installed")
    return found


def _entry(name: str, runs: bool) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _BEGINNING_OF_TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = (0o100755 if runs else 0o100644) << 16
    return entry


def _program(data: bytes) -> bytes:
    """A program as wheels hold it: installers write the interpreter's place into its first line."""
    relayed = _RELAYED.sub(b"#!python\n", data)
    return relayed if relayed != data else _PYTHON_LINE.sub(b"#!python\n", data)


def _entry_points(distribution: Distribution) -> set[str]:
    parser = configparser.ConfigParser(delimiters=("=",), strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read(os.path.join(distribution.site, distribution.info, "entry_points.txt"), encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return set()
    groups = [group for group in ("console_scripts", "gui_scripts") if parser.has_section(group)]
    return {name for group in groups for name in parser[group]}


def _record_name(distribution: Distribution) -> str:
    return f"{distribution.info}/RECORD"


def _csv(rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _digest(data: bytes) -> str:
    return _text(hashlib.sha256(data).digest())


def _text(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _inside(path: str, folder: str) -> bool:
    return os.path.normpath(path).startswith(os.path.normpath(folder) + os.sep)
