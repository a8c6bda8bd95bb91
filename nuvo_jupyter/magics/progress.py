"""Progress of a task in a cell: a widget where the page can show one, text that is updated in place elsewhere.

Every display also carries text, which is what remains when the task has finished: saved notebooks hold no dead
widgets, and nbconvert, nbclient and terminals show the same words.
"""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from nuvo_jupyter.magics.results import cell_text

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from nuvo_jupyter.model.tasks import Task

_WIDGET = "application/vnd.jupyter.widget-view+json"


class Progress:
    """Shows a task while it runs.

    Args:
        shell: the shell whose output it goes to.
    """

    def __init__(self, shell: InteractiveShell | None) -> None:
        self._kernel: Any = getattr(shell, "kernel", None)
        self._handle: Any = None
        self._bar: Any = None
        self._last = ""

    def show(self, task: Task) -> None:
        """Show where the task stands."""
        text = _words(task)
        if text == self._last:
            return
        self._last = text
        if self._kernel is None:
            if sys.stderr.isatty():
                sys.stderr.write(f"\r\x1b[K{text}")
                sys.stderr.flush()
            return
        if self._handle is None:
            self._open(task, text)
        elif self._bar is None:
            self._handle.update({"text/plain": text}, raw=True)
        if self._bar is not None:
            self._bar.max = task.total or 1
            self._bar.value = task.done
            self._bar.bar_style = "" if task.total else "info"
            self._bar.description = cell_text(task.step or task.state.value)

    def _open(self, task: Task, text: str) -> None:
        from IPython.display import DisplayHandle

        self._handle = DisplayHandle()
        bundle: dict[str, Any] = {"text/plain": text}
        if self._shows_widgets():
            from ipywidgets import IntProgress, Layout

            self._bar = IntProgress(max=task.total or 1, layout=Layout(width="60%"))
            bundle[_WIDGET] = {"version_major": 2, "version_minor": 0, "model_id": self._bar.model_id}
        self._handle.display(bundle, raw=True)

    def _shows_widgets(self) -> bool:
        # Pages with cells name the cell they run; programs that execute notebooks do not, and cannot show a widget.
        request = self._kernel.get_parent("shell") if hasattr(self._kernel, "get_parent") else {}
        return "cellId" in request.get("metadata", {})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._handle is not None:
            self._handle.update({"text/plain": self._last}, raw=True)
        elif self._kernel is None and self._last and sys.stderr.isatty():
            sys.stderr.write("\n")
        if self._bar is not None:
            self._bar.close()


def _words(task: Task) -> str:
    text = f"{task.title}: {task.state.value}"
    if not task.state.finished:
        if task.step:
            text += f", {task.step}"
        if task.total:
            text += f" {task.done}/{task.total}"
    return cell_text(text)
