"""Applications as results: which columns show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nuvo_jupyter.magics.results import Result
from nuvo_jupyter.model.applications import SETTINGS_IN_WORDS

if TYPE_CHECKING:
    from nuvo_jupyter.model.applications import Application, ApplicationComparison


def applications(found: tuple[Application, ...]) -> Result:
    """The applications of an instance."""
    rows = [
        (
            one.name,
            one.definition.python.version,
            len(one.packages),
            _completeness(one),
            one.kernel,
            one.problem or ("to be built" if one.pending else one.prefix),
        )
        for one in found
    ]
    columns = ("application", "python", "packages", "complete", "kernel", "environment")
    none = "No applications: %app add captures the environment of this kernel"
    return Result(found, "Applications" if found else none, columns, rows)


def application(found: Application) -> Result:
    """One application with its packages, and why it is not complete."""
    python = found.definition.python
    title = (
        f"{found.name}: {python.implementation} {python.version} on {python.platform}, {_completeness(found)}"
    )
    problems = [
        f"{problem.package or 'the environment'}: {problem.reason}" for problem in found.definition.problems
    ]
    settings = [f"settings: {one.path} ({SETTINGS_IN_WORDS[one.standing]})" for one in found.settings]
    rows = [(one.name, one.version) for one in found.packages]
    return Result(found, title, ("package", "version"), rows, note="; ".join([*problems, *settings]))


def how_to_run(found: Application, space: str, notes: tuple[str, ...] = ()) -> Result:
    """Where an application is started; with notes about what was done before."""
    terminal = f"in a terminal: nuvo app run {found.name!r}"
    if found.pending:
        return Result(found, f"{found.name} is not built here yet: %app build {found.name!r}")
    if not found.kernel:
        title = f"{found.name} is captured from {found.prefix}, where its kernel is"
        return Result(found, title, note=f"{terminal}; a kernel of its own: %app build {found.name!r}")
    title = f"{found.name}: choose the kernel “{found.name} ({space})” in the launcher or the kernel menu"
    return Result(found, title, note="; ".join([f"kernel {found.kernel}", terminal, *notes]))


def comparison(name: str, found: ApplicationComparison) -> Result:
    """How an application differs between two states."""
    rows = [(one.name, one.kind.value, one.before, one.after) for one in found.packages]
    title = f"{name}: {len(rows)} packages differ, {found.unchanged} are the same"
    notes = list(found.warnings)
    if found.kernel:
        notes.append("Its kernel is started otherwise.")
    if found.settings:
        notes.append(f"Settings differ: {', '.join(found.settings)}.")
    return Result(found, title, ("package", "change", "before", "after"), rows, note=" ".join(notes))


def _completeness(one: Application) -> str:
    if one.definition.sealed:
        return "sealed"
    return "complete" if one.definition.complete else "not complete"
