"""JupyterLab in the demo, as the instructor or as one of the students."""

from __future__ import annotations

import os
import sys
from urllib.parse import quote

from nuvo_jupyter.demo.place import Place
from nuvo_jupyter.demo.student_work import WEEK_3
from nuvo_jupyter.demo.tour import TOUR


def lab_command(place: Place, username: str, *, browser: bool = True, port: int | None = None) -> list[str]:
    """The command that starts JupyterLab in somebody's folder.

    Args:
        username: a student; ``""`` for the instructor.
        port: the first free one from 8888 on by default.
    """
    folder, first = (place.workspace(username), WEEK_3) if username else (place.master, TOUR)
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={folder}",
        f"--LabApp.default_url=/lab/tree/{quote(first)}",
    ]
    if not browser:
        command.append("--no-browser")
    if port is not None:
        command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    # Jupyter asks root for this; the demo is often run in a container.
    if os.geteuid() == 0:
        command.append("--allow-root")
    return command


def become_lab(place: Place, username: str, *, browser: bool, port: int | None) -> None:
    """Replace this process by JupyterLab; does not return."""
    command = lab_command(place, username, browser=browser, port=port)
    environment = place.environment(username)
    sys.stdout.flush()
    sys.stderr.flush()
    os.chdir(place.workspace(username) if username else place.master)
    os.execve(command[0], command, environment)  # noqa: S606
