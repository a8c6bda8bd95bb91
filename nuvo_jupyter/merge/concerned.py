"""Of which files of a target a plan depends on what they hold; of all others it is enough that they are there."""

from __future__ import annotations

from collections.abc import Callable, Container

from nuvo_jupyter.merge.beside import MARK
from nuvo_jupyter.model.changes import Strategy
from nuvo_jupyter.model.objects import APPLICATIONS, TABLES

_INSIDE = (TABLES + "/", APPLICATIONS + "/")
"""Tables and applications are compared as wholes."""
_LOGS = (".wal", "-wal", "-shm", "-journal")
"""What databases keep beside them goes with them."""


def concerned(
    source: Container[str], base: Container[str], strategy: Strategy
) -> Callable[[str], bool] | None:
    """Whether what a file of the target holds can matter to a plan, by its path.

    Args:
        source: what is distributed, or recalled.
        base: what was last distributed.
        strategy: for files.

    Returns:
        ``None`` where all matter: what is replaced exactly takes away what is in nothing of these, and only
        what could be read.
    """
    if strategy is Strategy.REPLACE:
        return None

    def matters(path: str) -> bool:
        # Copies put beside are found again by what they hold; so is all of a folder put beside.
        return (
            path in source or path in base or MARK in path or path.startswith(_INSIDE) or path.endswith(_LOGS)
        )

    return matters
