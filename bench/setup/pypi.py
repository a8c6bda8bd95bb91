"""Programs from PyPI, in an environment of their own: their requirements are not the product's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ENVIRONMENT = Path(__file__).resolve().parents[1] / ".work" / "peers"
"""Git ignores it."""


def program(name: str) -> Path:
    """Where a program of that environment lies, or would."""
    return ENVIRONMENT / "bin" / name


def install(requirement: str) -> str:
    """Install a package, making the environment first if it is missing.

    Returns:
        Why that did not work; ``""`` if it did.
    """
    commands = [
        [
            str(program("python")),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            requirement,
        ]
    ]
    if not program("python").exists():
        commands.insert(0, [sys.executable, "-m", "venv", str(ENVIRONMENT)])
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines()
            return f"{requirement} cannot be installed from PyPI: {lines[-1] if lines else done.returncode}"
    return ""
