"""Projects that are installed editable: seen when they change, and built into wheels as they are then."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from packaging.utils import parse_wheel_filename
from pathspec import GitIgnoreSpec

from nuvo_jupyter.model.errors import ApplicationDamaged, EnvironmentFailed, NuvoError
from nuvo_jupyter.workspace.applications import installed, sources, wheel
from nuvo_jupyter.workspace.applications.installed import Distribution
from nuvo_jupyter.workspace.applications.interpreter import Interpreter
from nuvo_jupyter.workspace.applications.known import Known
from nuvo_jupyter.workspace.applications.lock import WHEELS, Entry
from nuvo_jupyter.workspace.applications.sources import Sources

_IGNORED_MAX = 1 << 20
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


def projects_of(listed: list[Distribution]) -> dict[str, str]:
    """Folders of the projects among distributions, and how each one looks."""
    return {one.editable: _project_print(one.editable) for one in listed if one.editable is not None}


def take_project(
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
    """Find a project's wheel in the definition, or build it; what stands in the way is noted in ``found.missing``."""
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
