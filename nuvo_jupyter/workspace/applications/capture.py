"""Capture: write or refresh an application's definition from the environment it lives in."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
from packaging.utils import parse_wheel_filename
from pathspec import GitIgnoreSpec

from nuvo_jupyter.model.applications import Definition, Problem
from nuvo_jupyter.model.errors import ApplicationDamaged, EnvironmentFailed, NotFound, NuvoError
from nuvo_jupyter.workspace.applications import conda, definition, installed, lock, sources, wheel
from nuvo_jupyter.workspace.applications.definition import Written
from nuvo_jupyter.workspace.applications.installed import Distribution
from nuvo_jupyter.workspace.applications.interpreter import Interpreter, ask, looks, program_in
from nuvo_jupyter.workspace.applications.kernel import capture_kernel
from nuvo_jupyter.workspace.applications.known import Checked, Known
from nuvo_jupyter.workspace.applications.lock import WHEELS, Entry
from nuvo_jupyter.workspace.applications.settings import capture_settings
from nuvo_jupyter.workspace.applications.sources import Sources

Progress = Callable[[int, int, str], None]
"""Called with packages done, packages in all, and what is being done."""

_STRAYS_MAX = 5
_IGNORED_MAX = 1 << 20
_CONDA = Problem(
    package="", reason="what conda installed besides Python packages is listed, but not re-created"
)
_PROJECT_SKIPS = frozenset(
    {
        ".git",
        "__pycache__",
        "node_modules",
        ".venv",
        "venv",
        ".tox",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        "build",
        "dist",
    }
)


def capture(
    folder: Path,
    known: Known,
    *,
    offline: bool = False,
    check: Callable[[], None] | None = None,
    progress: Progress | None = None,
) -> bool:
    """Write an application's definition from its environment, or leave it if it says the same.

    Where nothing changed since the last time, nothing is read but sizes and times.

    Args:
        folder: of the definition; made if missing.
        known: what this machine knows of it; brought up to date.
        offline: never use the network.
        check: called often; raises to cancel.
        progress: told how far it is.

    Returns:
        Whether the definition was written.

    Raises:
        EnvironmentFailed: there is no environment, or its Python does not run.
    """
    prefix = Path(known.prefix)
    program = looks(prefix)
    if known.interpreter is None or known.program != program:
        known.interpreter = ask(program_in(prefix))
        known.program = program
        known.looked = ""
    interpreter = known.interpreter
    looked = installed.looks(interpreter.sites, interpreter.scripts)
    found = installed.print_of(looked)
    old = _old(folder)
    same = bool(old) and known.looked == found and known.definition == definition.digest(folder)
    listed = installed.distributions(interpreter.sites) if not same or known.projects else []
    projects = _projects(listed)
    same = same and projects == known.projects
    packed: list[Path] = []
    with tempfile.TemporaryDirectory(prefix="nuvo-") as work:
        if same and old is not None:
            core, entries = old.definition, old.entries
        else:
            core, entries, packed = _packages(
                folder, known, listed, looked, projects, old, Path(work), offline, check, progress
            )
        written = _write(folder, known, interpreter, old, core, entries, packed)
    known.looked, known.projects = found, projects
    known.definition = definition.digest(folder)
    return written


def _packages(
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
) -> tuple[Definition, tuple[Entry, ...], list[Path]]:
    assert known.interpreter
    interpreter = known.interpreter
    damages = _verify(known, listed, looked, check, progress)
    found = Sources()
    former = {entry.name: entry for entry in old.entries} if old else {}
    for one in listed:
        if one.editable is not None:
            _take_project(
                one, former.get(one.name), folder, known, projects, work, interpreter, found, offline, check
            )
    rest = {one.name: one for one in listed if one.editable is None}
    wanted: dict[str, str] = {}
    pack: list[str] = []
    for name, one in rest.items():
        entry = former.get(name)
        if (
            entry is not None
            and entry.version == one.version
            and _wanted_so(entry, one, known, old)
            and _still(entry, one, folder, interpreter, damages)
        ):
            found.entries[name] = entry
            continue
        if one.origin is not None or known.seal:
            pack.append(name)
        else:
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
        _pack(rest[name], interpreter, work, found, damages)
    return _judge(folder, known, listed, found, damages), tuple(found.entries.values()), found.packed


def _wanted_so(entry: Entry, one: Distribution, known: Known, old: Written | None) -> bool:
    """Whether a source is of the kind asked for: sealed, all lie in the definition, and not sealed any more, few."""
    local = any(file.wheel for file in entry.files)
    if known.seal:
        return local
    return not (local and one.origin is None and old is not None and old.definition.sealed)


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


def _take_project(
    one: Distribution,
    former: Entry | None,
    folder: Path,
    known: Known,
    projects: Mapping[str, str],
    work: Path,
    interpreter: Interpreter,
    found: Sources,
    offline: bool,
    check: Callable[[], None] | None,
) -> None:
    project = one.editable or ""
    kept = former.files[0].wheel if former else ""
    if (
        former
        and kept
        and projects[project] == known.projects.get(project)
        and (folder / WHEELS / kept).is_file()
    ):
        found.entries[one.name] = former
        return
    try:
        built = sources.build(Path(project), interpreter.executable, work, offline=offline, check=check)
        version = str(parse_wheel_filename(built.name)[1])
        if kept and _same_content(folder / WHEELS / kept, built):
            found.entries[one.name] = former  # type: ignore[assignment]
            return
        target = built.rename(work / built.name)
        found.entries[one.name] = sources.as_entry(one.name, version, target)
        found.packed.append(target)
    except (EnvironmentFailed, ValueError, OSError) as error:
        reason = sources.why(error) if isinstance(error, NuvoError) else str(error)
        found.missing[one.name] = f"installed from a project folder (editable), and {reason}"


def _same_content(old: Path, new: Path) -> bool:
    try:
        return old.name == new.name and wheel.contents(old) == wheel.contents(new)
    except ApplicationDamaged:
        return False


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
    folder: Path, known: Known, listed: list[Distribution], found: Sources, damages: Mapping[str, str]
) -> Definition:
    assert known.interpreter
    problems = []
    for one in listed:
        locked = one.name in found.entries
        reason = damages.get(one.name) or found.missing.get(one.name, "")
        if not locked and not reason:
            reason = "it can be had nowhere"
        if reason:
            problems.append(Problem(package=one.name, version=one.version, reason=reason, locked=locked))
    loose = installed.strays(listed, known.interpreter.sites)
    problems += [
        Problem(
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


def _write(
    folder: Path,
    known: Known,
    interpreter: Interpreter,
    old: Written | None,
    core: Definition,
    entries: tuple[Entry, ...],
    packed: list[Path],
) -> bool:
    template, variables, logos = capture_kernel(
        Path(interpreter.prefix), Path(known.spec) if known.spec else None
    )
    if not template and known.spec and old is not None:
        # The kernel was uninstalled; what the application runs does not change by that.
        template, variables = old.kernel, old.definition.variables
        logos = dict(definition.small_files(folder, definition.LOGOS))
    if known.settings:
        settings, left_out = capture_settings(Path(known.settings))
    else:
        settings = dict(definition.small_files(folder, definition.SETTINGS))
        left_out = old.definition.left_out if old else ()
    no_kernel = Problem(package="", reason="it has no kernel: ipykernel is not installed in it")
    problems = {problem for problem in core.problems if problem != no_kernel}
    if not template:
        problems.add(no_kernel)
    if interpreter.is_conda:
        problems.add(_CONDA)
    locked_by_conda = conda.lock(Path(interpreter.prefix)) if interpreter.is_conda else None
    full = msgspec.structs.replace(
        core,
        name=folder.name,
        complete=not problems,
        problems=tuple(sorted(problems)),
        variables=tuple(sorted({*variables, *known.variables})),
        settings=tuple(sorted(settings)),
        left_out=left_out,
        conda=locked_by_conda is not None,
    )
    before = definition.digest(folder)
    keep = [file.wheel for entry in entries for file in entry.files if file.wheel]
    definition.write(
        folder,
        full,
        lock.write(entries, interpreter.python.minor),
        template,
        packed,
        keep,
        settings,
        logos,
        locked_by_conda,
    )
    return definition.digest(folder) != before


def _old(folder: Path) -> Written | None:
    try:
        return definition.read(folder)
    except (NotFound, ApplicationDamaged):
        return None


def _projects(listed: list[Distribution]) -> dict[str, str]:
    return {one.editable: _project_print(one.editable) for one in listed if one.editable is not None}


def _project_print(project: str) -> str:
    """How a project's files look that are its own; what it ignores is what building it makes."""
    try:
        with open(os.path.join(project, ".gitignore"), encoding="utf-8", errors="replace") as file:
            ignored = GitIgnoreSpec.from_lines(file.read(_IGNORED_MAX).splitlines())
    except (OSError, ValueError):
        ignored = GitIgnoreSpec.from_lines([])
    seen: dict[str, tuple[int, int]] = {}
    for path, folders, names in os.walk(project):
        below = "" if path == project else os.path.relpath(path, project) + "/"
        folders[:] = [
            name
            for name in folders
            if name not in _PROJECT_SKIPS
            and not name.endswith(".egg-info")
            and not ignored.match_file(f"{below}{name}/")
        ]
        for name in names:
            if ignored.match_file(below + name):
                continue
            try:
                status = os.lstat(os.path.join(path, name))
            except OSError:
                continue
            seen[below + name] = status.st_size, status.st_mtime_ns
    return installed.print_of(seen)
