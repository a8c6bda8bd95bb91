"""Programs that Debian packages."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence


def is_there(program: str) -> bool:
    """Whether a program is on the PATH."""
    return shutil.which(program) is not None


def install(packages: Sequence[str]) -> str:
    """Install packages by apt-get, as root.

    Returns:
        Why that did not work; ``""`` if it did, or nothing was to be installed.
    """
    if not packages:
        return ""
    wanted = " ".join(packages)
    if os.geteuid() != 0 or not is_there("apt-get"):
        return f"not installed, and this is not root on Debian; as root: apt-get install {wanted}"
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "-qq", "update"],
        ["apt-get", "-qq", "install", "-y", "--no-install-recommends", *packages],
    ):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            lines = done.stderr.strip().splitlines()
            return f"{' '.join(command[:3])} failed: {lines[-1] if lines else done.returncode}"
    return ""
