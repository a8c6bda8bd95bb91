"""Kernels: a template without absolute paths from an installed one, and an installed one from a template.

A template is a ``kernel.json`` in which ``{python}`` stands for the interpreter and ``{environment}`` for its
folder. Values of environment variables are not in it, only their names in ``app.json``.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from nuvo_jupyter.model.errors import ApplicationDamaged
from nuvo_jupyter.workspace.applications.definition import put
from nuvo_jupyter.workspace.applications.interpreter import is_conda

PYTHON, ENVIRONMENT = "{python}", "{environment}"
STANDARD = (PYTHON, "-m", "ipykernel_launcher", "-f", "{connection_file}")
"""How a Python kernel is started."""
OWNER = "nuvo"
"""The key of ``metadata`` that says whose an installed kernel is."""

_LOGOS = ("logo-32x32.png", "logo-64x64.png", "logo-svg.svg")
_LOGO_MAX = 256 << 10
_HARMLESS = frozenset({"-Xfrozen_modules=off", "-P", "-I", "-s", "-E", "-B"})
_SET = frozenset({"VIRTUAL_ENV", "CONDA_PREFIX", "PATH"})
"""Variables that kernels of ours set themselves."""
_TAKEN = ("display_name", "language", "interrupt_mode", "argv", "metadata")


class Owner(msgspec.Struct, frozen=True):
    """Whose an installed kernel is.

    Args:
        workspace: folder of the instance.
        application: its name.
        prefix: environment it runs in.
    """

    workspace: str
    application: str
    prefix: str


def capture_kernel(prefix: Path, spec: Path | None = None) -> tuple[str, tuple[str, ...], dict[str, bytes]]:
    """The template of an environment's kernel.

    Args:
        prefix: of the environment.
        spec: folder with a ``kernel.json``; without one, the environment's own ``python3`` kernel.

    Returns:
        Template (``""`` if there is no kernel), names of variables it sets, logos by name.
    """
    spec = spec or prefix / "share" / "jupyter" / "kernels" / "python3"
    try:
        content = msgspec.json.decode((spec / "kernel.json").read_bytes(), type=dict[str, Any])
        argv = [str(part) for part in content["argv"]]
    except (OSError, msgspec.MsgspecError, KeyError, TypeError, RecursionError):
        return "", (), {}
    kept = {key: content[key] for key in _TAKEN if key in content}
    kept["argv"] = [_python(argv[0], prefix), *(part.replace(str(prefix), ENVIRONMENT) for part in argv[1:])]
    metadata = kept.get("metadata")
    kept["metadata"] = {"debugger": isinstance(metadata, dict) and metadata.get("debugger") is True}
    ours = _SET if isinstance(metadata, dict) and OWNER in metadata else frozenset()
    variables = content.get("env")
    names = tuple(sorted({*map(str, variables)} - ours)) if isinstance(variables, dict) else ()
    logos = {}
    for name in _LOGOS:
        path = spec / name
        if path.is_file() and path.stat().st_size <= _LOGO_MAX:
            logos[name] = path.read_bytes()
    kept.pop("display_name", None)
    kept.setdefault("language", "python")
    return msgspec.json.format(msgspec.json.encode(kept, order="sorted")).decode() + "\n", names, logos


def what_is_run(template: str, python: str = PYTHON, environment: str = ENVIRONMENT) -> tuple[str, ...]:
    """The command that starts a kernel.

    Raises:
        ApplicationDamaged: the template has none.
    """
    return tuple(
        part.replace(PYTHON, python).replace(ENVIRONMENT, environment) for part in _content(template)["argv"]
    )


def is_standard(template: str) -> bool:
    """Whether a template starts ipykernel in its environment and nothing else; others have to be shown first."""
    argv = list(what_is_run(template))
    while len(argv) > 1 and argv[1] in _HARMLESS:
        del argv[1]
    return tuple(argv) == STANDARD


def render(template: str, prefix: Path, python: Path, display_name: str, owner: Owner) -> dict[str, Any]:
    """The ``kernel.json`` of a template in an environment.

    Programs that notebooks start with ``!`` are the environment's.
    """
    content = _content(template)
    content["argv"] = list(what_is_run(template, str(python), str(prefix)))
    content["display_name"] = display_name
    content["env"] = {"VIRTUAL_ENV": str(prefix), "PATH": f"{python.parent}{os.pathsep}${{PATH}}"}
    if is_conda(prefix):
        # Nothing activates it; libraries that look for their data ask for this.
        content["env"]["CONDA_PREFIX"] = str(prefix)
    content["metadata"] = {**_mapping(content.get("metadata")), OWNER: msgspec.to_builtins(owner)}
    return content


def kernels_folder() -> Path:
    """Where the user's own kernels are installed."""
    from jupyter_client.kernelspec import KernelSpecManager

    return Path(KernelSpecManager().user_kernel_dir)


def install(
    kernels: Path,
    name: str,
    content: Mapping[str, Any],
    logos: Mapping[str, bytes],
) -> None:
    """Install a kernel or exchange it for a new one; who starts it meanwhile gets the old one or the new one.

    Args:
        kernels: the folder of kernels.
        name: as notebooks record it.
        content: of ``kernel.json``.
        logos: by file name.
    """
    kernels.mkdir(parents=True, exist_ok=True)
    folder = kernels / name
    files = {
        **_pictures(logos),
        # Last: a folder without it is no kernel yet.
        "kernel.json": msgspec.json.format(msgspec.json.encode(dict(content)), indent=1),
    }
    if not folder.is_dir() or folder.is_symlink():
        temporary = kernels / f".~nuvo-{secrets.token_hex(8)}"
        temporary.mkdir()
        try:
            _put_all(temporary, files)
            os.replace(temporary, folder)
            return
        except OSError as error:
            # Somebody else has installed it since it was looked for.
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    _put_all(folder, files)


def _put_all(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        put(folder / name, content)


def owner(kernels: Path, name: str) -> Owner | None:
    """Whose an installed kernel is; ``None`` if nobody's, or not installed by us."""
    try:
        content = msgspec.json.decode((kernels / name / "kernel.json").read_bytes(), type=dict[str, Any])
        return msgspec.convert(content["metadata"][OWNER], Owner)
    except (OSError, msgspec.MsgspecError, KeyError, TypeError, RecursionError):
        return None


def installed(kernels: Path) -> dict[str, Owner]:
    """Every kernel of ours, by name."""
    try:
        names = sorted(os.listdir(kernels))
    except OSError:
        return {}
    found = {name: owner(kernels, name) for name in names if not name.startswith(".")}
    return {name: whose for name, whose in found.items() if whose}


def remove(kernels: Path, name: str) -> None:
    """Remove a kernel of ours; others' stay."""
    if owner(kernels, name):
        shutil.rmtree(kernels / name, ignore_errors=True)


def _python(program: str, prefix: Path) -> str:
    if program in ("python", "python3", PYTHON) or os.path.basename(program).startswith("python"):
        inside = os.path.normpath(program).startswith(os.path.normpath(prefix) + os.sep)
        if inside or not os.path.isabs(program):
            return PYTHON
    return program.replace(str(prefix), ENVIRONMENT)


def _pictures(logos: Mapping[str, bytes]) -> dict[str, bytes]:
    return {name: data for name, data in logos.items() if name in _LOGOS and len(data) <= _LOGO_MAX}


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _content(template: str) -> dict[str, Any]:
    try:
        content = msgspec.json.decode(template, type=dict[str, Any])
        argv = content["argv"]
        if not isinstance(argv, list) or not argv or not all(isinstance(part, str) for part in argv):
            raise TypeError
    except (msgspec.MsgspecError, KeyError, TypeError, RecursionError):
        raise ApplicationDamaged(
            "The application's kernel.json.in cannot be read or starts nothing."
        ) from None
    return {key: content[key] for key in _TAKEN if key in content}
