"""What to do about errors of DuckDB that people meet in the tables of a workspace."""

from __future__ import annotations

import os
from collections.abc import Iterable

import duckdb

from nuvo_jupyter.model.objects import TABLES
from nuvo_jupyter.workspace.tables.shown import Shown
from nuvo_jupyter.workspace.tables.statements import mentioned

_NO_ROOM = ("No space left", "File too large", "Disk quota exceeded")


def hint(error: duckdb.Error, query: str, places: Iterable[Shown]) -> str | None:
    """What to do about an error; ``None`` where DuckDB says it itself.

    Args:
        error: as DuckDB raised it.
        query: what was run.
        places: the folders of tables it could name.
    """
    message = str(error)
    if isinstance(error, duckdb.CatalogException | duckdb.BinderException):
        names = set(mentioned(query))
        for shown in places:
            for file, why in shown.problems.items():
                if os.path.splitext(os.path.basename(file))[0].lower() in names:
                    return f"{TABLES}/{file} cannot be used: {why}."
    if any(text in message for text in _NO_ROOM):
        return "There is no room to write the table; nothing was changed. Free some space and try again."
    if "is not an table" in message or "not a base table" in message or "is not a table" in message:
        return "It is a view, which has no rows of its own: change the tables it selects from."
    return None
