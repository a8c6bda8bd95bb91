"""Notebooks as bytes and as cells: read, check, write. Only format 4, the one Jupyter has written since 2015."""

from __future__ import annotations

import json
from typing import Any

from nuvo_jupyter.merge.cells import content, identifier

NOTEBOOK_MAX = 50_000_000
"""Largest notebook in bytes that is merged cell by cell."""
FIRST_MINOR_WITH_IDS = 5
"""Of format 4: from 4.5 on every cell has an id."""


def read_notebook(data: bytes) -> dict[str, Any] | None:
    """The notebook, its multi-line texts joined, or ``None`` if it is no valid one of format 4."""
    from nbformat import from_dict
    from nbformat.v4.rwbase import rejoin_lines

    if len(data) > NOTEBOOK_MAX:
        return None
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if (
        not isinstance(raw, dict)
        or raw.get("nbformat") != 4
        or not isinstance(raw.get("nbformat_minor"), int)
    ):
        return None
    cells = raw.get("cells")
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        return None
    if not all(isinstance(cell.get("cell_type"), str) and "source" in cell for cell in cells):
        return None
    # Ids that are missing, double, or there before the format had them, are no reason not to merge.
    give_ids(raw)
    if not is_valid(raw):
        return None
    notebook: dict[str, Any] = rejoin_lines(from_dict(raw))  # type: ignore[no-untyped-call]
    return notebook


def is_valid(notebook: dict[str, Any]) -> bool:
    """Whether nbformat accepts it."""
    # Not validate(): that gives missing and double ids new ones at random.
    from nbformat.validator import iter_validate

    minor = notebook["nbformat_minor"]
    errors = iter_validate(notebook, version=4, version_minor=minor)  # type: ignore[no-untyped-call]
    try:
        return next(errors, None) is None
    except RecursionError:
        return False


def give_ids(notebook: dict[str, Any]) -> None:
    """Give every cell an id of its own, or none at all in formats before 4.5."""
    seen: set[str] = set()
    cells = [dict(cell) for cell in notebook["cells"]]
    for cell in cells:
        if notebook["nbformat_minor"] < FIRST_MINOR_WITH_IDS:
            cell.pop("id", None)
            continue
        number = 0
        wanted = cell.get("id")
        while not isinstance(wanted, str) or not wanted or wanted in seen:
            wanted = identifier("again", cell.get("id"), content(cell), number)
            number += 1
        cell["id"] = wanted
        seen.add(wanted)
    notebook["cells"] = cells


def write_notebook(notebook: dict[str, Any], like: bytes) -> bytes:
    """The notebook as Jupyter writes it, ending in a line break where ``like`` does."""
    from nbformat import from_dict
    from nbformat.v4 import writes_json

    end = "\n" if like.endswith(b"\n") else ""
    try:
        return str(writes_json(from_dict(notebook)) + end).encode()  # type: ignore[no-untyped-call]
    except UnicodeEncodeError:
        # Half of a surrogate pair, which JSON can hold and UTF-8 cannot.
        return str(writes_json(from_dict(notebook), ensure_ascii=True) + end).encode()  # type: ignore[no-untyped-call]
