"""Kernels installed on this machine, by anybody: which environment one runs in."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from nuvo_jupyter.model.errors import InvalidInput, NotFound
from nuvo_jupyter.workspace.applications.interpreter import ask


def environment_of(name: str) -> tuple[str, str]:
    """The environment that an installed kernel runs in.

    Args:
        name: of the kernel, as notebooks record it and ``jupyter kernelspec list`` shows it.

    Returns:
        Folder of the environment, and of the kernel's ``kernel.json``: ``""`` where it has none of its own.

    Raises:
        NotFound: there is no such kernel.
        InvalidInput: it does not run in a Python environment.
        EnvironmentFailed: its Python does not run.
    """
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        spec = KernelSpecManager().get_kernel_spec(name)
    except (NoSuchKernel, ValueError) as error:
        raise NotFound(
            f"There is no kernel {name!r} on this machine.", hint="`jupyter kernelspec list` lists them."
        ) from error
    program = spec.argv[0] if spec.argv else ""
    if program in ("python", "python3", f"python{sys.version_info[0]}.{sys.version_info[1]}"):
        # What Jupyter itself takes such a word for.
        program = sys.executable
    if not os.path.basename(program).startswith(("python", "pypy")) or not os.path.isabs(program):
        raise InvalidInput(
            f"The kernel {name!r} is started by {program!r}, which is no Python.",
            hint="Only environments of Python can be captured; name one with its folder.",
        )
    # A kernel that ipykernel offers without having been installed has pictures only.
    folder = str(spec.resource_dir)
    return ask(Path(program)).prefix, folder if os.path.isfile(os.path.join(folder, "kernel.json")) else ""
