"""Errors in a cell: a message and a hint instead of a traceback; still exceptions, so that a run of all cells stops."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from nuvo_jupyter.magics.results import cell_text
from nuvo_jupyter.model.errors import Cancelled, NuvoError

P = ParamSpec("P")
R = TypeVar("R")


def concise(magic: Callable[P, R]) -> Callable[P, R]:
    """Show errors meant for users without a traceback; an interrupt is one of them."""

    @functools.wraps(magic)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return magic(*args, **kwargs)
        except NuvoError as error:
            _shorten(error)
            raise
        except KeyboardInterrupt:
            cancelled = Cancelled(
                "Interrupted; the task was cancelled.", hint="What was already done stays: see %tasks."
            )
            _shorten(cancelled)
            raise cancelled from None

    return run


def _shorten(error: NuvoError) -> None:
    # Messages name files and instances as others called them.
    lines = [cell_text(f"{type(error).__name__}: {error.message}")]
    if error.hint:
        lines.append(cell_text(error.hint))
    shown: Any = error
    # IPython's documented way for an exception to say how it is shown.
    shown._render_traceback_ = lambda: lines
