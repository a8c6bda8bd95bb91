"""Real processes that do background work on a home, and are killed."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

SCRIPT = Path(__file__).with_name("executor.py")
KILLED = -9


class Ended(NamedTuple):
    """How a process ended.

    Args:
        status: exit code; −9 when it was killed.
        said: lines it wrote; the last one, unless it was killed, is how many calls changed disk or catalog.
    """

    status: int
    said: list[str]

    @property
    def effects(self) -> int:
        """Calls that changed disk or catalog; 0 if it was killed."""
        return 0 if self.status else int(self.said[-1])


class Executor:
    """A process that does background work, one child at a time."""

    def __init__(self) -> None:
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "PYTHONWARNINGS": "default",
        }
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, str(SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env=environment,
        )

    def begin(
        self,
        home: Path,
        task: int = 0,
        *,
        die_at: int = 0,
        threads: int = 2,
        disks: Sequence[Path] = (),
        opening: bool = False,
        states: int = 0,
        edit: tuple[str, str] | None = None,
        compiled: bool = False,
    ) -> None:
        """Let a new child work until the task is finished, or until its ``die_at``-th effect.

        Args:
            disks: folders whose disks lose their power at that effect.
            opening: whether opening the home counts.
            compiled: whether files of new folders are made by what is compiled.
            edit: path and new text of a file that is edited right before it is exchanged, after which the child is killed.
            states: instead of doing a task, take so many snapshots of intro/master; below 0, only open the home.
        """
        order = {
            "home": str(home), "task": task, "die_at": die_at, "threads": threads,
            "disks": [str(disk) for disk in disks], "opening": opening, "states": states, "edit": edit,
            "compiled": compiled,
        }  # fmt: skip
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def ended(self) -> Ended:
        """Wait for that child."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self.log()
        return Ended(**json.loads(line))

    def run(self, home: Path, task: int = 0, **order: Any) -> Ended:
        """Both."""
        self.begin(home, task, **order)
        return self.ended()

    def log(self) -> str:
        """What all children wrote to standard error."""
        self._log.seek(0)
        return self._log.read()

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._log.close()


def leases_run_out(home: Path) -> None:
    """Let the time pass after which others take over what a killed process had begun."""
    connection = sqlite3.connect(home / "catalog.sqlite")
    with connection:
        connection.execute("UPDATE task SET lease_until = 0 WHERE state = 'running'")
    connection.close()
