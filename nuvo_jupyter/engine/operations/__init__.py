"""Every operation, declared once: routes, clients and openapi.json are derived from this list.

A new operation is one declaration in a file beside this one, and one function of the same name in the module
of ``nuvo_jupyter.engine`` that it names.
"""

from __future__ import annotations

from nuvo_jupyter.engine.operations import (
    applications,
    crates,
    distributions,
    growth,
    spaces,
    states,
    tables,
    upkeep,
)
from nuvo_jupyter.engine.operations.declaration import Operation, Raw

__all__ = ["BY_NAME", "OPERATIONS", "Operation", "Raw"]

OPERATIONS: tuple[Operation, ...] = (
    *spaces.OPERATIONS,
    *states.OPERATIONS,
    *tables.OPERATIONS,
    *applications.OPERATIONS,
    *crates.OPERATIONS,
    *distributions.OPERATIONS,
    *growth.OPERATIONS,
    *upkeep.OPERATIONS,
)

BY_NAME: dict[str, Operation] = {operation.name: operation for operation in OPERATIONS}
