"""Capture: write or refresh an application's definition from the environment it lives in."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from nuvo_jupyter.model.applications import Definition, PackageProblem
from nuvo_jupyter.model.errors import ApplicationDamaged, NotFound
from nuvo_jupyter.workspace.applications import definition, installed, lock
from nuvo_jupyter.workspace.applications.conda import capturing, locked, records
from nuvo_jupyter.workspace.applications.conda.capturing import Captured
from nuvo_jupyter.workspace.applications.conda.locked import CondaLock
from nuvo_jupyter.workspace.applications.definition import Written
from nuvo_jupyter.workspace.applications.installed import Distribution
from nuvo_jupyter.workspace.applications.interpreter import Interpreter, ask, looks, program_in
from nuvo_jupyter.workspace.applications.kernel import capture_kernel
from nuvo_jupyter.workspace.applications.known import Known
from nuvo_jupyter.workspace.applications.lock import Entry
from nuvo_jupyter.workspace.applications.packages import Progress, gather
from nuvo_jupyter.workspace.applications.projects import projects_of
from nuvo_jupyter.workspace.applications.settings import capture_settings


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
    looked = _looks(interpreter)
    found = installed.print_of(looked, interpreter.prefix)
    old = _old(folder)
    same = bool(old) and known.looked == found and known.definition == definition.digest(folder)
    listed = installed.distributions(interpreter.sites) if not same or known.projects else []
    projects = projects_of(listed)
    same = same and projects == known.projects
    packed: list[Path] = []
    conda: CondaLock | None = None
    archives: list[Path] = []
    with tempfile.TemporaryDirectory(prefix="nuvo-") as work:
        if same and old is not None:
            core, entries, conda = old.definition, old.entries, old.conda
        else:
            theirs, listed = _of_conda(interpreter, listed)
            core, entries, packed = gather(
                folder, known, listed, looked, projects, old, Path(work), offline, check, progress, theirs
            )
            if interpreter.is_conda:
                captured = capturing.capture(
                    folder,
                    known,
                    Path(interpreter.prefix),
                    interpreter.python,
                    [one.name for one in listed],
                    looked,
                    old.conda if old else None,
                    Path(work),
                    offline=offline,
                    check=check,
                    progress=progress,
                )
                core, conda, archives = _with_conda(core, captured), captured.lock, captured.taken
        written = _write(folder, known, interpreter, old, core, entries, packed, conda, archives)
    known.looked, known.projects = found, projects
    known.definition = definition.digest(folder)
    return written


def is_unchanged(folder: Path, known: Known, prints: dict[str, str]) -> bool:
    """Whether it is certain that a capture would find nothing new; many applications may live in one environment.

    Args:
        folder: of the definition.
        known: what this machine knows of it.
        prints: environment → how all its files look now; what is not in it is looked at and put there.
    """
    interpreter = known.interpreter
    # Projects and settings lie outside of the environment: a capture looks at them.
    if interpreter is None or known.projects or known.settings or known.program != looks(Path(known.prefix)):
        return False
    if interpreter.prefix not in prints:
        prints[interpreter.prefix] = installed.print_of(_looks(interpreter), interpreter.prefix)
    return known.looked == prints[interpreter.prefix] and known.definition == definition.digest(folder)


def _write(
    folder: Path,
    known: Known,
    interpreter: Interpreter,
    old: Written | None,
    core: Definition,
    entries: tuple[Entry, ...],
    packed: list[Path],
    conda: CondaLock | None,
    archives: list[Path],
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
    no_kernel = PackageProblem(package="", reason="it has no kernel: ipykernel is not installed in it")
    problems = {problem for problem in core.problems if problem != no_kernel}
    if not template:
        problems.add(no_kernel)
    full = msgspec.structs.replace(
        core,
        name=folder.name,
        complete=not problems,
        problems=tuple(sorted(problems)),
        variables=tuple(sorted({*variables, *known.variables})),
        settings=tuple(sorted(settings)),
        left_out=left_out,
        conda=conda is not None,
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
        locked.write(conda.platform, conda.packages) if conda else None,
        archives,
        [one.archive for one in conda.packages if one.archive] if conda else (),
    )
    return definition.digest(folder) != before


def _looks(interpreter: Interpreter) -> dict[str, tuple[int, int]]:
    if not interpreter.is_conda:
        return installed.looks(interpreter.sites, interpreter.scripts)
    inside = interpreter.prefix + os.sep
    elsewhere = [site for site in interpreter.sites if not site.startswith(inside)]
    return records.looks(Path(interpreter.prefix)) | installed.looks(elsewhere)


def _of_conda(
    interpreter: Interpreter, listed: list[Distribution]
) -> tuple[frozenset[str], list[Distribution]]:
    """Paths that conda placed, and the distributions that are not conda's."""
    if not interpreter.is_conda:
        return frozenset(), listed
    prefix = Path(interpreter.prefix)
    theirs = records.owned(prefix, records.records(prefix)[0])
    return theirs, [one for one in listed if not records.brought(one, theirs)]


def _with_conda(core: Definition, captured: Captured) -> Definition:
    return msgspec.structs.replace(
        core, problems=(*core.problems, *captured.problems), sealed=core.sealed and captured.sealed
    )


def _old(folder: Path) -> Written | None:
    try:
        return definition.read(folder)
    except (NotFound, ApplicationDamaged):
        return None
