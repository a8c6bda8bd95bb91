"""``requirements.txt`` and ``environment.yml`` of a definition, for tools that know no lock."""

from __future__ import annotations

from pathlib import Path

from nuvo_jupyter.workspace.applications import definition
from nuvo_jupyter.workspace.applications.conda.exchanged import environment
from nuvo_jupyter.workspace.applications.definition import Written
from nuvo_jupyter.workspace.applications.names import slug


def requirements(folder: Path, wheels: str = "./wheels") -> str:
    """A ``requirements.txt``: exact versions from an index, and the definition's wheels by their path.

    Args:
        folder: of the definition.
        wheels: where its ``wheels/`` will lie, as seen from where the requirements are installed.

    Raises:
        ApplicationDamaged: the definition cannot be read.
    """
    written = definition.read(folder)
    python = written.definition.python
    lines = [f"# {_one_line(folder.name)}: Python {python.version} on {python.platform}", *_missing(written)]
    return "\n".join([*lines, *_pinned(written, wheels)]) + "\n"


def conda_environment(folder: Path, wheels: str = "./wheels") -> str:
    """An ``environment.yml``: what conda installed from its channels, or else Python from conda-forge; the rest by pip.

    Args:
        folder: of the definition.
        wheels: where its ``wheels/`` will lie, as seen from where the environment is made.

    Raises:
        ApplicationDamaged: the definition cannot be read.
    """
    written = definition.read(folder)
    text = environment(
        slug(folder.name), written.conda, written.definition.python.minor, _pinned(written, wheels)
    )
    return "".join(f"{line}\n" for line in _missing(written)) + text


def _pinned(written: Written, wheels: str) -> list[str]:
    lines = []
    for entry in sorted(written.entries, key=lambda entry: entry.name):
        wheel = next((file.wheel for file in entry.files if file.wheel), "")
        lines.append(f"{wheels}/{wheel}" if wheel else f"{entry.name}=={entry.version}")
    return lines


def _missing(written: Written) -> list[str]:
    return [
        f"# not captured: {problem.package} {_one_line(problem.version)}: {_one_line(problem.reason)}"
        for problem in written.definition.problems
        if problem.package and not problem.locked
    ]


def _one_line(text: str) -> str:
    return " ".join(text.split())
