"""Progress of a task: a bar on a terminal, a line per step elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from nuvo_jupyter.cli.output import clean

if TYPE_CHECKING:
    from nuvo_jupyter.model.tasks import Task


class Progress:
    """Shows a task on standard error while it runs."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._row: Any = None
        self._last = ""

    def show(self, task: Task) -> None:
        """Show where the task stands."""
        if self._bar is not None:
            words = clean(f"{task.title}: {task.step}" if task.step else task.title)
            if self._row is None:
                self._row = self._bar.add_task(words, total=None)
            self._bar.update(self._row, description=words, completed=task.done, total=task.total or None)
            return
        told = f"{task.state} {task.step}"
        if told != self._last:
            self._last = told
            sys.stderr.write(
                clean(f"{task.title}: {task.state}{f' ({task.step})' if task.step else ''}") + "\n"
            )

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Bar

            self._bar = Bar(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
