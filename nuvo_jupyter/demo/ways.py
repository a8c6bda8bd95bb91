"""Two ways to do the same: with magics in a notebook, and with the command line. Both talk to real parts only."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from nuvo_jupyter.demo.material import Student
from nuvo_jupyter.demo.place import SPACE, TITLE, Place
from nuvo_jupyter.demo.set_up import Say, create_course, opened, roster_csv
from nuvo_jupyter.demo.tour import CHANGED, TOUR

_CELL_SECONDS = 600


class StepFailed(Exception):
    """A step of the story ended in an error; the message is what its user saw."""


class Way(Protocol):
    """How the story's people do what they do."""

    name: str

    def create(self, students: list[Student], say: Say) -> None:
        """Create the course and hand it out to everybody."""

    def distribute(self) -> None:
        """Take a snapshot, stage what the revision changed, preview, and distribute it to all with ``merge``."""

    def send(self, path: str) -> None:
        """Distribute one file to all."""

    def recall(self, path: str) -> None:
        """Take a file back from the students."""

    def restore(self, username: str, snapshot: int, path: str) -> None:
        """Let a student restore one file from a snapshot of theirs."""

    def verify(self) -> None:
        """Verify the store."""


class NotebookWay:
    """Magics in notebooks that nbclient executes; no server runs.

    Args:
        place: the demo, claimed.
        keep: folder for the executed notebooks.
    """

    name = "notebook"

    def __init__(self, place: Place, keep: Path) -> None:
        self.place, self.keep = place, keep
        self.executed: list[Path] = []

    def create(self, students: list[Student], say: Say) -> None:
        """See :class:`Way`."""
        with opened(self.place) as client:
            create_course(client, self.place, students, say)

    def distribute(self) -> None:
        """See :class:`Way`: this is the tour's notebook itself."""
        import nbformat

        self._execute(nbformat.read(self.place.master / TOUR, as_version=4), "")

    def send(self, path: str) -> None:
        """See :class:`Way`."""
        self._cells(
            "",
            "%load_ext nuvo_jupyter",
            f"%stage --clear {path}",
            "%distribute --to all --strategy merge",
        )

    def recall(self, path: str) -> None:
        """See :class:`Way`: recalling has no magic, so the Python client does it."""
        self._cells(
            "",
            f"import nuvo_jupyter\nclient = nuvo_jupyter.client()\n"
            f'client.finish(client.recall(space={SPACE!r}, objects=[{{"path": {path!r}}}]))',
        )

    def restore(self, username: str, snapshot: int, path: str) -> None:
        """See :class:`Way`."""
        self._cells(username, "%load_ext nuvo_jupyter", f"%restore {snapshot} {path}")

    def verify(self) -> None:
        """See :class:`Way`."""
        self._cells(
            "",
            "import nuvo_jupyter\nclient = nuvo_jupyter.client()\ntask = client.finish(client.verify())\n"
            "report = client.verify_show(id=task.id)\nassert report.ok, report\nreport",
        )

    def _cells(self, username: str, *sources: str) -> None:
        from nbformat.v4 import new_code_cell, new_notebook

        self._execute(new_notebook(cells=[new_code_cell(source) for source in sources]), username)

    def _execute(self, notebook: Any, username: str) -> None:
        import nbformat
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError, DeadKernelError

        folder = self.place.workspace(username) if username else self.place.master
        client = NotebookClient(
            notebook,
            timeout=_CELL_SECONDS,
            kernel_name="python3",
            resources={"metadata": {"path": str(folder)}},
        )
        try:
            # What a kernel logs is not part of the story; what cells write is in the notebook.
            client.execute(env=self.place.environment(username), stderr=subprocess.DEVNULL)
        except (CellExecutionError, DeadKernelError) as error:
            raise StepFailed(str(error)) from error
        finally:
            path = self.keep / f"{len(self.executed) + 1}.ipynb"
            nbformat.write(notebook, path)
            self.executed.append(path)


class CommandWay:
    """The command line, every command a process of its own.

    Args:
        place: the demo, claimed.
    """

    name = "command line"

    def __init__(self, place: Place) -> None:
        self.place = place
        self.told: list[str] = []

    def create(self, students: list[Student], say: Say) -> None:
        """See :class:`Way`."""
        with opened(self.place):
            # Marks the home as the demo's, where one may act as a student.
            pass
        place = self.place
        folders = ("--workspace", str(place.master), "--template", place.template)
        self.nuvo("", "space", "create", SPACE, "--kind", "course", "--description", TITLE, *folders)
        self.nuvo("", "snapshot", "--name", "Start of term")
        self.nuvo("", "roster", "add", "-", "--space", SPACE, given=roster_csv(students))
        say("Handing out the course", 0, 0)
        self.nuvo("", "distribute", "--from", "latest", "--whole", "--to", "all", "--strategy", "merge")

    def distribute(self) -> None:
        """See :class:`Way`."""
        self.nuvo("", "snapshot", "--name", "Week 4")
        self.nuvo("", "stage", "add", *CHANGED)
        self.nuvo("", "distribute", "--to", "all", "--strategy", "merge", "--preview")
        self.nuvo("", "distribute", "--to", "all", "--strategy", "merge")

    def send(self, path: str) -> None:
        """See :class:`Way`."""
        self.nuvo("", "distribute", "--from", f":{path}", "--to", "all", "--strategy", "merge")

    def recall(self, path: str) -> None:
        """See :class:`Way`."""
        self.nuvo("", "recall", path)

    def restore(self, username: str, snapshot: int, path: str) -> None:
        """See :class:`Way`."""
        self.nuvo(username, "restore", str(snapshot), path)

    def verify(self) -> None:
        """See :class:`Way`."""
        self.nuvo("", "verify")

    def nuvo(self, username: str, *arguments: str, given: str = "") -> str:
        """Run a command in somebody's folder; what it wrote.

        Args:
            username: a student; ``""`` for the instructor.
            given: its standard input.

        Raises:
            StepFailed: it ended with an error.
        """
        done = subprocess.run(
            [*_nuvo_program(), *arguments],
            input=given,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            cwd=self.place.workspace(username) if username else self.place.master,
            env=self.place.environment(username) | {"PYTHONUTF8": "1"},
            check=False,
        )
        self.told.append(done.stdout)
        if done.returncode:
            raise StepFailed(
                f"nuvo {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
            )
        return done.stdout


def _nuvo_program() -> Sequence[str]:
    script = Path(sys.executable).with_name("nuvo")
    return (
        [str(script)]
        if script.exists()
        else [sys.executable, "-c", "from nuvo_jupyter.cli.main import main; main()"]
    )
