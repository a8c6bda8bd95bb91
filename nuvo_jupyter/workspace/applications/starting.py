"""How an application is used outside of a notebook: a console on its kernel, or a command in its environment."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from nuvo_jupyter.model.applications import Application
from nuvo_jupyter.model.errors import NotNow
from nuvo_jupyter.workspace.applications.interpreter import is_conda, program_in

_CONSOLE = "jupyter-console"
_INSIDE = ("VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "PYTHONHOME")
"""What says in which environment a shell is."""


class Start(msgspec.Struct, frozen=True):
    """What is to be run.

    Args:
        argv: program and arguments; the program is looked up in the environment first.
        environment: variables.
        unset: names of variables the application expects that are not set.
    """

    argv: tuple[str, ...]
    environment: dict[str, str]
    unset: tuple[str, ...]


def start(application: Application, words: Sequence[str], variables: Mapping[str, str]) -> Start:
    """How to run a command in an application's environment, or without one a console.

    A console is Jupyter's on the application's kernel where both are installed, else IPython or Python.

    Args:
        words: program and arguments.
        variables: of this process.

    Raises:
        NotNow: the environment is not built on this machine.
        EnvironmentFailed: there is no Python in it any more.
    """
    if not application.prefix or not os.path.isdir(application.prefix):
        raise NotNow(
            f"The environment of {application.name} is not on this machine.",
            hint=f"Build it: nuvo app build {application.name!r}",
        )
    prefix = Path(application.prefix)
    programs = program_in(prefix).parent
    environment = {name: value for name, value in variables.items() if name not in _INSIDE}
    environment["CONDA_PREFIX" if is_conda(prefix) else "VIRTUAL_ENV"] = str(prefix)
    environment["PATH"] = f"{programs}{os.pathsep}{variables.get('PATH', os.defpath)}"
    argv = tuple(words) or _console(application, programs, environment["PATH"])
    unset = tuple(name for name in application.definition.variables if name not in variables)
    return Start(argv, environment, unset)


def _console(application: Application, programs: Path, path: str) -> tuple[str, ...]:
    if application.kernel:
        own = os.path.dirname(sys.executable)
        console = shutil.which(_CONSOLE, path=f"{path}{os.pathsep}{own}")
        if console:
            return (console, "--kernel", application.kernel)
    ipython = programs / "ipython"
    return (str(ipython),) if os.access(ipython, os.X_OK) else (str(program_in(Path(application.prefix))),)
