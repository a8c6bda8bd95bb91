"""Which packages conda installed in an environment, whether they are as it did, and where each can be had again."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec

from nuvo_jupyter.model.applications import PackageProblem, Python
from nuvo_jupyter.model.errors import NuvoError
from nuvo_jupyter.workspace.applications.conda import archives, rattler, records
from nuvo_jupyter.workspace.applications.conda.locked import (
    ARCHIVES,
    NOARCH,
    CondaLock,
    Locked,
    belongs,
    file_of,
    public,
)
from nuvo_jupyter.workspace.applications.conda.records import Record
from nuvo_jupyter.workspace.applications.known import Checked, Known
from nuvo_jupyter.workspace.applications.packages import Progress

_DIGEST = re.compile(r"[0-9a-f]{64}")
_SCRIPT = "conda runs a script of it when it installs it, which is not run when it is re-created"
_NO_HASH = "conda recorded no SHA-256 of it, and its archive is not in conda's cache"
_NOWHERE = "it came from no channel that others can reach, and its archive is not in conda's cache"
_NOT_SEALED = "its archive could not be had, so that it is still needed from its channel"


class Captured(msgspec.Struct):
    """What conda installed.

    Args:
        lock: of it.
        problems: why it is not complete, package by package.
        taken: archives that are to be moved into the definition.
        sealed: whether all archives are in the definition then.
    """

    lock: CondaLock
    problems: list[PackageProblem]
    taken: list[Path]
    sealed: bool


def capture(
    folder: Path,
    known: Known,
    prefix: Path,
    python: Python,
    beside: Iterable[str],
    looked: Mapping[str, tuple[int, int]],
    old: CondaLock | None,
    work: Path,
    *,
    offline: bool,
    check: Callable[[], None] | None = None,
    progress: Progress | None = None,
) -> Captured:
    """Read what conda installed in an environment.

    Args:
        folder: of the definition.
        known: what this machine knows; which files were read is brought up to date.
        prefix: of the environment.
        python: in it.
        beside: names of distributions that pip installed.
        looked: how all files of the environment look.
        old: the lock as it was.
        work: folder of ours; archives are taken there.
        offline: never use the network.
        check: called often; raises to cancel.
        progress: told how far it is.
    """
    found, broken = records.records(prefix)
    platform = records.platform(found, python)
    damages = _verify(known, prefix, found, looked, beside, check, progress)
    former = {one.name: one for one in old.packages} if old else {}
    captured = Captured(CondaLock(platform), [], [], known.seal)
    packages: dict[str, Locked] = {}
    rest: list[Locked] = []
    for record in found:
        if check:
            check()
        one = _source(record, former.get(record.name), platform, prefix)
        taken = _archive(one, record, folder, prefix, work, check) if known.seal or not one.url else None
        if taken is not None:
            one = msgspec.structs.replace(one, archive=taken.name)
            if taken.parent == work:
                captured.taken.append(taken)
        elif known.seal and one.can_be_had:
            rest.append(one)
        packages[one.name] = one
    if rest:
        rest = _fetched(rest, packages, captured, work, offline, check, progress)
        captured.problems += [_problem(one, _NOT_SEALED, locked=True) for one in rest]
    for record in found:
        one = packages[record.name]
        reason = _SCRIPT if record.runs_scripts else damages.get(record.name, "")
        if not one.can_be_had:
            reason = _NOWHERE if one.sha256 else _NO_HASH
        if one.subdir not in (platform, NOARCH):
            reason = f"it is built for {one.subdir}, and the environment is for {platform}"
        if reason:
            captured.problems.append(_problem(one, reason, locked=one.can_be_had))
    captured.problems += [
        PackageProblem(package="", reason=f"conda's record {name} cannot be read") for name in broken
    ]
    listed = [one for one in packages.values() if one.subdir in (platform, NOARCH)]
    captured.lock = CondaLock(platform, tuple(listed))
    captured.sealed = known.seal and all(one.archive for one in listed)
    return captured


def _source(record: Record, former: Locked | None, platform: str, prefix: Path) -> Locked:
    url = public(record.url or "")
    if not belongs(file_of(url), record.name, record.version, record.build):
        url = ""
    sha256 = record.sha256 if _DIGEST.fullmatch(record.sha256 or "") else ""
    one = Locked(
        name=record.name,
        version=record.version,
        build=record.build,
        subdir=record.subdir or (url.rsplit("/", 2)[-2] if url else platform),
        url=url,
        sha256=sha256 or "",
        md5=record.md5 or "",
        size=record.size or 0,
    )
    if not one.sha256 and one.md5:
        if former and former.md5 == one.md5 and (former.version, former.build) == (one.version, one.build):
            return msgspec.structs.replace(one, sha256=former.sha256)
        # Older conda recorded nothing else; the archive it came from tells the rest.
        for path in _hints(one, record, prefix):
            if _md5(Path(path)) == one.md5:
                return msgspec.structs.replace(one, sha256=archives.sha256(Path(path)))
    return one


def _archive(
    one: Locked,
    record: Record,
    folder: Path,
    prefix: Path,
    work: Path,
    check: Callable[[], None] | None,
) -> Path | None:
    """The archive of a package: the one that the definition has, or a copy of this machine's."""
    for name in {one.file, record.fn or ""} - {""}:
        if not one.sha256 or not belongs(name, one.name, one.version, one.build):
            continue
        inside = folder / ARCHIVES / name
        if not inside.is_symlink() and archives.sha256(inside) == one.sha256:
            return inside
        wanted = msgspec.structs.replace(one, archive=name)
        try:
            if archives.take(wanted, work / name, None, hints=_hints(wanted, record, prefix), check=check):
                return work / name
        except NuvoError:
            if check:
                check()
    return None


def _fetched(
    rest: list[Locked],
    packages: dict[str, Locked],
    captured: Captured,
    work: Path,
    offline: bool,
    check: Callable[[], None] | None,
    progress: Progress | None,
) -> list[Locked]:
    """Download what this machine does not have; returns what could not be."""
    if offline or not rattler.is_here():
        return rest
    remote = [one for one in rest if one.url.startswith("http")]
    try:
        archives.fetch(
            remote, {one.name: work / one.file for one in remote}, work, check=check, progress=progress
        )
    except NuvoError:
        if check:
            check()
    for one in remote:
        if (work / one.file).is_file():
            captured.taken.append(work / one.file)
            packages[one.name] = msgspec.structs.replace(one, archive=one.file)
    return [one for one in rest if not packages[one.name].archive]


def _hints(one: Locked, record: Record, prefix: Path) -> list[str]:
    found = [record.package_tarball_full_path or ""]
    if record.extracted_package_dir and one.file:
        found.append(os.path.join(os.path.dirname(record.extracted_package_dir), one.file))
    if one.sha256 and one.file:
        found.append(str(archives.kept(prefix.parent, one)))
    return [path for path in found if path]


def _md5(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    except OSError:
        return ""


def _verify(
    known: Known,
    prefix: Path,
    found: list[Record],
    looked: Mapping[str, tuple[int, int]],
    beside: Iterable[str],
    check: Callable[[], None] | None,
    progress: Progress | None,
) -> dict[str, str]:
    """Damage by package; only files of packages that look otherwise than last time are read."""
    prints = {record.name: records.print_of(prefix, record, looked) for record in found}
    checked = {
        record.name: known.conda[record.name]
        for record in found
        if record.name in known.conda and known.conda[record.name].looked == prints[record.name]
    }
    stale = [record for record in found if record.name not in checked]
    count = 0

    def done(record: Record) -> None:
        nonlocal count
        count += 1
        if progress:
            progress(count, len(stale), f"verifying {record.name}")

    said = records.damages(prefix, stale, beside, check=check, done=done)
    checked |= {name: Checked(prints[name], damage) for name, damage in said.items()}
    known.conda = checked
    return {name: one.damage for name, one in checked.items()}


def _problem(one: Locked, reason: str, *, locked: bool) -> PackageProblem:
    return PackageProblem(package=one.name, version=one.version, reason=reason, locked=locked)
