"""What all magics do: read their line, and wait for a task while showing how far it is."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from nuvo_jupyter.magics.progress import Progress

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from nuvo_jupyter.clients.methods import Client
    from nuvo_jupyter.model.tasks import Task


def finish(shell: InteractiveShell | None, client: Client, task: Task) -> Task:
    """Wait for a task while showing its progress.

    Raises:
        NuvoError: it failed or was cancelled.
        KeyboardInterrupt: after it was cancelled.
    """
    with Progress(shell) as progress:
        # The targets of a distribution tell their own problems; anything else that failed is raised.
        if task.distribution is not None and task.kind == "distribution":
            done = client.wait(task, progress.show)
            return done if done.counts else client.finish(done)
        return client.finish(task, progress.show)


def parse(magic: Callable[..., Any], line: str) -> Any:
    """The arguments of a magic.

    Raises:
        UsageError: the line does not fit.
    """
    parser = magic.parser  # type: ignore[attr-defined]
    try:
        # Not IPython's own splitting: that leaves the quotes around names with spaces.
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"{error}: quote names that hold quotes or spaces") from error
    try:
        return parser.parse_args(words)
    except UsageError as error:
        if "unrecognized arguments" in str(error):
            raise UsageError(f"{error}; names that hold spaces are quoted") from None
        raise
