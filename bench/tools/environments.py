"""How a class gets an environment elsewhere: each student makes one, and installs into it."""

from __future__ import annotations

import base64
import hashlib
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from bench.measuring import NOTHING, Cost, run
from bench.tools.base import Tool
from bench.trees import size_of

_FILES = 25
_LINE = "value_{number} = {number}  # {filler}\n"


def make_wheels(folder: Path, count: int) -> list[Path]:
    """Packages of 25 files of some kilobytes each, the same each time."""
    folder.mkdir()
    return [_wheel(folder, f"package{number:03d}", number) for number in range(count)]


def _wheel(folder: Path, name: str, seed: int) -> Path:
    info = f"{name}-1.0.dist-info"
    content = {f"{name}/__init__.py": "version = '1.0'\n"}
    for number in range(_FILES):
        lines = (_LINE.format(number=seed * 1000 + line, filler=name * 3) for line in range(number * 8))
        content[f"{name}/module_{number:02d}.py"] = "".join(lines)
    content |= {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    path = folder / f"{name}-1.0-py3-none-any.whl"
    record = ""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for inside, text in content.items():
            archive.writestr(zipfile.ZipInfo(inside), text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record += f"{inside},sha256={digest},{len(text)}\n"
        archive.writestr(zipfile.ZipInfo(f"{info}/RECORD"), record + f"{info}/RECORD,,\n")
    return path


def installed_by_pip(wheels: Sequence[Path], students: int, sample: int, folder: Path) -> tuple[Cost, int]:
    """``python -m venv`` and ``pip install`` for each student, from wheels on this disk; scaled from some.

    Returns:
        What that took, and the bytes of one environment.
    """
    total, reached = NOTHING, min(sample, students)
    for number in range(reached):
        made = folder / f"student-{number}"
        total += run([sys.executable, "-m", "venv", made])
        total += run(
            [
                made / "bin" / "pip",
                "install",
                "-q",
                "--no-index",
                "--no-deps",
                "--disable-pip-version-check",
                *wheels,
            ]
        )
    return total.times(students / reached), size_of(folder / "student-0")


PIP = Tool(
    "pip", "python -m venv and pip install, from wheels on the same disk, for each student", ("pip", "--version"), "pip",
    slow=True,
)  # fmt: skip
