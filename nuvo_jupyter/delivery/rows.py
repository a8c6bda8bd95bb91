"""Tables merged by key, for plans: contents in, the merged file and what was counted out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from nuvo_jupyter.merge.resolve import MergeRows, RowsMerged
from nuvo_jupyter.model.errors import NuvoError
from nuvo_jupyter.model.nodes import Node

ROWS_MAX = 256 << 20
"""Largest version of a table, in bytes of its file, that is merged by key: the result is held in memory."""


def merging_rows(read: Callable[[Node], bytes], key: Sequence[str]) -> MergeRows:
    """How the tables of one delivery are merged.

    Args:
        read: gives the content of a node.
        key: columns that tell rows apart in tables without a primary key.
    """

    def merge(ours: Node, theirs: Node) -> RowsMerged:
        if max(ours.size, theirs.size) > ROWS_MAX:
            return RowsMerged(conflict="It was changed on both sides and is too large to merge.")
        with tempfile.TemporaryDirectory(prefix="nuvo-rows-") as folder:
            return _merge(Path(folder), read, key, ours, theirs)

    return merge


def _merge(
    folder: Path, read: Callable[[Node], bytes], key: Sequence[str], ours: Node, theirs: Node
) -> RowsMerged:
    import duckdb

    from nuvo_jupyter.workspace.tables.rows import NoMerge, append_rows

    def lay(name: str, node: Node) -> Path:
        path = folder / name
        path.write_bytes(read(node))
        return path

    result = folder / "result"
    try:
        done = append_rows(lay("ours", ours), lay("theirs", theirs), key, result)
    except NoMerge as error:
        return RowsMerged(conflict=str(error))
    except duckdb.Error as error:
        raise NuvoError(str(error).partition("\n")[0]) from error
    said = [
        _count(done.added, "was added", "were added") if done.added else "No row is new.",
        _count(done.differing, "differs and stays as it is here", "differ and stay as they are here"),
    ]
    data = result.read_bytes() if done.written else None
    return RowsMerged(data, " ".join(filter(None, said)))


def _count(number: int, one: str, more: str) -> str:
    if not number:
        return ""
    return f"1 row {one}." if number == 1 else f"{number:,} rows {more}."
