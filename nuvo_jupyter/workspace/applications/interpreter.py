"""What an environment's interpreter is, and where its packages lie; asked once, known while it stays the same."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import msgspec

from nuvo_jupyter.model.applications import Python
from nuvo_jupyter.model.errors import EnvironmentFailed

_ASK = """
import json, os, platform, site, sys, sysconfig
sites = list(dict.fromkeys(map(os.path.realpath, [sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()])))
if site.ENABLE_USER_SITE: sites.append(os.path.realpath(site.getusersitepackages()))
libc = platform.libc_ver()[0] if sys.platform == "linux" else ""
if sys.platform == "linux" and not libc: libc = "musl"
print(json.dumps({
    "python": {"implementation": sys.implementation.name, "version": platform.python_version(), "system": sys.platform,
               "machine": platform.machine(), "libc": libc},
    "prefix": os.path.realpath(sys.prefix), "base": getattr(sys, "_base_executable", sys.executable), "sites": [s for s in sites if os.path.isdir(s)],
    "scripts": os.path.realpath(sysconfig.get_path("scripts")), "executable": sys.executable}))
"""
_PATIENCE_SECONDS = 60


class Interpreter(msgspec.Struct, frozen=True, kw_only=True):
    """An environment's interpreter.

    Args:
        python: what it is.
        prefix: folder of the environment.
        executable: the program.
        base: the program an environment was made from; itself where it was made from none.
        sites: folders of packages, the environment's own first.
        scripts: folder of programs.
    """

    python: Python
    prefix: str
    executable: str
    base: str
    sites: tuple[str, ...]
    scripts: str

    @property
    def is_conda(self) -> bool:
        """Whether conda made the environment."""
        return is_conda(Path(self.prefix))


def is_conda(prefix: Path) -> bool:
    """Whether conda made the environment at ``prefix``."""
    return (prefix / "conda-meta").is_dir()


def program_in(prefix: Path) -> Path:
    """The interpreter of an environment.

    Raises:
        EnvironmentFailed: there is none.
    """
    for name in ("bin/python", "bin/python3", "python.exe", "Scripts/python.exe"):
        if os.access(prefix / name, os.X_OK):
            return prefix / name
    raise EnvironmentFailed(
        f"There is no Python environment at {prefix}.",
        hint="Name the folder of a virtual or conda environment, the one that has bin/python in it.",
    )


def ask(program: Path) -> Interpreter:
    """What an interpreter says of itself.

    Args:
        program: of an environment or a Python installed anywhere.

    Raises:
        EnvironmentFailed: it does not run; a broken link to a Python that was removed says so.
    """
    try:
        told = subprocess.run(
            [program, "-E", "-c", _ASK],
            capture_output=True,
            text=True,
            timeout=_PATIENCE_SECONDS,
            cwd="/",
            check=False,
        )
        if told.returncode == 0:
            return msgspec.convert(json.loads(told.stdout), Interpreter)
        said = told.stderr.strip().rpartition("\n")[2]
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        said = str(error)
    raise EnvironmentFailed(
        f"The Python at {program} does not run.",
        hint=f"The environment may be broken: re-create the application. It said: {said[:300]}",
    )


def looks(prefix: Path) -> str:
    """How an interpreter looks from outside; while this stays the same its facts do."""
    parts = []
    for name in ("bin/python", "pyvenv.cfg", "conda-meta/history"):
        try:
            status = (prefix / name).stat()
        except OSError:
            continue
        parts.append(f"{name}:{os.path.realpath(prefix / name)}:{status.st_size}:{status.st_mtime_ns}")
    return ";".join(parts)
