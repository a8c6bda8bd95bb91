"""What this machine knows of applications: which environment each one lives in, and how that looked when last read.

One small file per application of an instance, in Nuvo's home; never in the workspace, since it means nothing
elsewhere. Losing it costs time, and the knowledge which environment a definition is refreshed from.
"""

from __future__ import annotations

import os
from pathlib import Path

import blake3
import msgspec

from nuvo_jupyter.model.inspected import inspected
from nuvo_jupyter.workspace.applications.definition import put
from nuvo_jupyter.workspace.applications.interpreter import Interpreter

FOLDER = "applications"


class Checked(msgspec.Struct, frozen=True):
    """A distribution whose files were read.

    Args:
        looked: how they looked then.
        damage: what was found; ``""`` if all were as installed.
    """

    looked: str
    damage: str


@inspected
class Known(msgspec.Struct, kw_only=True):
    """What is known of one application of an instance.

    Args:
        workspace: folder of the instance.
        application: its name.
        prefix: environment the application is captured from and runs in.
        kernel: name of the kernel installed for it; ``""`` if none.
        spec: folder of the kernel's ``kernel.json`` it is captured from; ``""`` for the environment's own.
        variables: names of environment variables asked for besides the kernel's.
        seal: whether all wheels shall be in the definition.
        settings: folder of JupyterLab's settings it is captured from; ``""`` leaves those of the definition.
        definition: digest of the definition as it was last written or realised here.
        interpreter: of the environment.
        program: how the interpreter looked.
        looked: how all files of packages looked.
        checked: info folder → distribution whose files were read.
        projects: folder of an editable project → how it looked when a wheel was built of it.
        conda: package of conda's → its files as they were read.
    """

    workspace: str
    application: str
    prefix: str
    kernel: str = ""
    spec: str = ""
    variables: tuple[str, ...] = ()
    seal: bool = False
    settings: str = ""
    definition: str = ""
    interpreter: Interpreter | None = None
    program: str = ""
    looked: str = ""
    checked: dict[str, Checked] = {}
    projects: dict[str, str] = {}
    conda: dict[str, Checked] = {}


def load(home: Path, workspace: Path, application: str) -> Known | None:
    """What is known of an application; ``None`` if nothing, or nothing that can be read."""
    return _load(_file(home, workspace, application))


def save(home: Path, known: Known) -> None:
    """Keep what is known, whole or not at all."""
    put(_file(home, Path(known.workspace), known.application), msgspec.msgpack.encode(known))


def forget(home: Path, workspace: Path, application: str) -> None:
    """Drop what is known of an application."""
    _file(home, workspace, application).unlink(missing_ok=True)


def everything(home: Path) -> list[Known]:
    """What is known of all applications on this machine."""
    try:
        names = sorted(os.listdir(home / FOLDER))
    except OSError:
        return []
    found = [_load(home / FOLDER / name) for name in names if name.endswith(_SUFFIX)]
    return [known for known in found if known]


_SUFFIX = ".known"


def _file(home: Path, workspace: Path, application: str) -> Path:
    key = f"{os.path.realpath(workspace)}\0{application}".encode("utf-8", "surrogateescape")
    return home / FOLDER / (blake3.blake3(key).hexdigest(length=16) + _SUFFIX)


def _load(path: Path) -> Known | None:
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=Known)
    except (OSError, msgspec.MsgspecError):
        return None
