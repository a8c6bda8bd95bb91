"""The set-up's progress: bars on a terminal, a line per step elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class Steps:
    """Shows one step after the other."""

    def __init__(self) -> None:
        console = Console()
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._step: tuple[str, TaskID] | None = None

    def say(self, what: str, done: int, total: int) -> None:
        """Show how far a step is; another name begins another step.

        Args:
            total: 0 while it is unknown.
        """
        if self._step is None or self._step[0] != what:
            self._complete()
            self._step = (what, self._bars.add_task(what, total=None))
            if self._bars.disable:
                print(f"  {what} …", flush=True)
        self._bars.update(self._step[1], completed=done, total=total or None)

    def _complete(self) -> None:
        if self._step is not None:
            task = self._bars.tasks[self._step[1]]
            total = task.total or 1
            self._bars.update(task.id, completed=total, total=total)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._complete()
        self._bars.stop()
