"""Which packages an environment has, whether they are as installed, and where each can be had again."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from nuvo_jupyter.model.applications import Definition, PackageProblem
from nuvo_jupyter.model.errors import EnvironmentFailed, NuvoError
from nuvo_jupyter.workspace.applications import installed, sources, wheel
from nuvo_jupyter.workspace.applications.definition import Written
from nuvo_jupyter.workspace.applications.installed import Distribution
from nuvo_jupyter.workspace.applications.interpreter import Interpreter
from nuvo_jupyter.workspace.applications.known import Checked, Known
from nuvo_jupyter.workspace.applications.lock import WHEELS, Entry
from nuvo_jupyter.workspace.applications.projects import take_project
from nuvo_jupyter.workspace.applications.sources import Sources

Progress = Callable[[int, int, str], None]
"""Called with packages done, packages in all, and what is being done."""

_STRAYS_MAX = 5


def gather(
    folder: Path,
    known: Known,
    listed: list[Distribution],
    looked: Mapping[str, tuple[int, int]],
    projects: dict[str, str],
    old: Written | None,
    work: Path,
    offline: bool,
    check: Callable[[], None] | None,
    progress: Progress | None,
    theirs: frozenset[str] = frozenset(),
) -> tuple[Definition, tuple[Entry, ...], list[Path]]:
    """The packages of an environment for its lock, and what ``app.json`` says of them.

    Args:
        folder: of the definition.
        known: what this machine knows; which files were read is brought up to date.
        listed: distributions of the environment.
        looked: how all its files look.
        projects: folders of editable projects and how they look.
        old: the definition as it was: what it has and is still so is not looked up again.
        work: folder of ours; wheels are made there.
        offline: never use the network.
        check: called often; raises to cancel.
        progress: told how far it is.
        theirs: paths that conda placed, which is asked for them itself.

    Returns:
        Definition without kernel and settings, entries, and new wheels to be moved into the definition.
    """
    assert known.interpreter
    interpreter = known.interpreter
    damages = _verify(known, listed, looked, check, progress)
    found = Sources()
    former = {entry.name: entry for entry in old.entries} if old else {}
    for one in listed:
        if one.editable is not None:
            take_project(
                one, former.get(one.name), folder, known, projects, work, interpreter, found, offline, check
            )
    rest = {one.name: one for one in listed if one.editable is None}
    wanted: dict[str, str] = {}
    pack: list[str] = []
    packed: dict[str, Entry] = {}
    for name, one in rest.items():
        entry = former.get(name)
        if entry is not None and (
            entry.version != one.version or not _still(entry, one, folder, interpreter, damages)
        ):
            entry = None
        local = entry is not None and any(file.wheel for file in entry.files)
        if entry is not None and local:
            packed[name] = entry
        if one.origin is not None or known.seal:
            pack.append(name)
        elif entry is not None and not local:
            found.entries[name] = entry
        else:
            # Packed for want of an index that answered: one may know it now, and a lock takes less than a wheel.
            wanted[name] = one.version
    if progress:
        progress(len(found.entries), len(listed), "looking packages up")
    indexed, unknown = sources.on_index(wanted, interpreter.executable, work, offline=offline, check=check)
    found.yanked = indexed.yanked
    for name, entry in indexed.entries.items():
        try:
            taken = sources.take_local(entry, work)
        except EnvironmentFailed as error:
            found.missing[name] = sources.why(error)
            continue
        found.entries[name] = taken[0] if taken else entry
        if taken:
            found.packed.append(taken[1])
    for name in [*pack, *unknown]:
        if check:
            check()
        if progress:
            progress(len(found.entries), len(listed), f"packing {name}")
        if name in packed:
            found.entries[name] = packed[name]
            continue
        _pack(rest[name], interpreter, work, found, damages)
    return _judge(folder, known, listed, found, damages, theirs), tuple(found.entries.values()), found.packed


def _still(
    entry: Entry, one: Distribution, folder: Path, interpreter: Interpreter, damages: Mapping[str, str]
) -> bool:
    """Whether a locked source still gives what is installed; an index's is trusted for its version."""
    inside = [file for file in entry.files if file.wheel]
    if not inside:
        return one.origin is None
    path = folder / WHEELS / inside[0].wheel
    if not path.is_file() or path.is_symlink():
        return False
    # The wheel is also the last good copy of what is damaged now.
    return bool(damages.get(one.name)) or wheel.is_same(path, one, interpreter.prefix, interpreter.scripts)


def _pack(
    one: Distribution, interpreter: Interpreter, work: Path, found: Sources, damages: Mapping[str, str]
) -> None:
    if damages.get(one.name):
        found.missing[one.name] = damages[one.name]
        return
    try:
        found.entries[one.name], path = sources.pack(one, interpreter, work)
        found.packed.append(path)
    except (EnvironmentFailed, OSError) as error:
        found.missing[one.name] = sources.why(error) if isinstance(error, NuvoError) else str(error)


def _verify(
    known: Known,
    listed: list[Distribution],
    looked: Mapping[str, tuple[int, int]],
    check: Callable[[], None] | None,
    progress: Progress | None,
) -> dict[str, str]:
    """Damage by package; only files of packages that look otherwise than last time are read."""
    prints = {one.name: _print(one, looked) for one in listed}
    checked = {
        one.info: known.checked[one.info]
        for one in listed
        if one.info in known.checked and known.checked[one.info].looked == prints[one.name]
    }
    # Of a project's folder what is packed is what it is built to, whatever was recorded once.
    stale = [one for one in listed if one.info not in checked and one.editable is None]
    count = 0

    def done(one: Distribution) -> None:
        nonlocal count
        count += 1
        if progress:
            progress(count, len(stale), f"verifying {one.name}")

    said = installed.damages(stale, check=check, done=done)
    checked |= {one.info: Checked(prints[one.name], said[one.name]) for one in stale}
    known.checked = checked
    return {one.name: checked[one.info].damage for one in listed if one.info in checked}


def _print(one: Distribution, looked: Mapping[str, tuple[int, int]]) -> str:
    seen: dict[str, tuple[int, int]] = {}
    for entry in one.recorded or ():
        if not entry.algorithm:
            continue
        path = one.where(entry.path)
        look = looked.get(path)
        if look is None:
            try:
                status = os.lstat(path)
                look = status.st_size, status.st_mtime_ns
            except OSError:
                look = -1, 0
        seen[path] = look
    return installed.print_of(seen)


def _judge(
    folder: Path,
    known: Known,
    listed: list[Distribution],
    found: Sources,
    damages: Mapping[str, str],
    theirs: frozenset[str],
) -> Definition:
    assert known.interpreter
    problems = []
    for one in listed:
        locked = one.name in found.entries
        reason = damages.get(one.name) or found.missing.get(one.name, "")
        if not locked and not reason:
            reason = "it can be had nowhere"
        if reason:
            problems.append(
                PackageProblem(package=one.name, version=one.version, reason=reason, locked=locked)
            )
    loose = installed.strays(listed, known.interpreter.sites, theirs)
    problems += [
        PackageProblem(
            package="", reason=f"{os.path.basename(path)} lies among the packages and belongs to none of them"
        )
        for path in loose[:_STRAYS_MAX]
    ]
    sealed = known.seal and all(file.wheel for entry in found.entries.values() for file in entry.files)
    return Definition(
        name=folder.name,
        python=known.interpreter.python,
        complete=not problems,
        problems=tuple(sorted(problems)),
        sealed=sealed,
    )
