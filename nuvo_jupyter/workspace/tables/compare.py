"""How two versions of a table differ: columns, counts, and rows by their key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from nuvo_jupyter.model.errors import InvalidInput
from nuvo_jupyter.model.tables import ChangedRow
from nuvo_jupyter.workspace.tables.describe import Described, describe, plain, reader, source
from nuvo_jupyter.workspace.tables.names import quote

ROWS_SHOWN = 200
"""Most rows that are given, of all that differ."""


class Compared(msgspec.Struct, frozen=True):
    """What :class:`nuvo_jupyter.model.tables.TableComparison` says of columns and rows."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    key: tuple[str, ...]
    rows_added: int
    rows_removed: int
    rows_changed: int
    rows: tuple[ChangedRow, ...]


def compare(left: str, right: str, key: Sequence[str] = ()) -> Compared:
    """Compare two Parquet files.

    Args:
        left, right: paths.
        key: columns by which rows belong together; the primary key that Nuvo wrote into the right one if empty.

    Raises:
        InvalidInput: one is no Parquet file, or a column of the key is missing in one.
    """
    first, second = describe(left), describe(right)
    ours = {column.name: column.type for column in first.columns}
    theirs = {column.name: column.type for column in second.columns}
    both = [name for name in theirs if name in ours]
    chosen = tuple(key) or primary_key(second)
    missing = [name for name in chosen if name not in both]
    if missing and key:
        raise InvalidInput(
            f"The table has no column {missing[0]!r} in both versions.", hint="Choose another key."
        )
    if missing:
        chosen = ()
    counted = _by_key(left, right, both, chosen) if chosen else _as_sets(left, right, both)
    return Compared(
        added=tuple(name for name in theirs if name not in ours),
        removed=tuple(name for name in ours if name not in theirs),
        changed=tuple(name for name in both if ours[name] != theirs[name]),
        key=chosen,
        rows_added=counted[0],
        rows_removed=counted[1],
        rows_changed=counted[2],
        rows=counted[3],
    )


def primary_key(described: Described) -> tuple[str, ...]:
    """The columns of a table's primary key, as far as Nuvo wrote it into the file."""
    definition = described.definition
    return definition.key_columns[0] if definition is not None and definition.has_primary_key else ()


def _as_sets(left: str, right: str, columns: Sequence[str]) -> tuple[int, int, int, tuple[ChangedRow, ...]]:
    if not columns:
        return 0, 0, 0, ()
    names = ", ".join(map(quote, columns))
    with reader() as db:

        def only(here: str, there: str) -> int:
            found = db.execute(
                f"SELECT count(*) FROM (SELECT {names} FROM {source(here)} EXCEPT ALL SELECT {names} FROM {source(there)})"
            ).fetchone()
            return int(found[0]) if found else 0

        return only(right, left), only(left, right), 0, ()


def _by_key(
    left: str, right: str, columns: Sequence[str], key: Sequence[str]
) -> tuple[int, int, int, tuple[ChangedRow, ...]]:
    others = [name for name in columns if name not in key]
    paired = " AND ".join(f"l.{quote(name)} IS NOT DISTINCT FROM r.{quote(name)}" for name in key)
    differs = " OR ".join(f"l.{quote(name)} IS DISTINCT FROM r.{quote(name)}" for name in others) or "false"
    shown = [f"{side}.{quote(name)}::VARCHAR" for side in "lr" for name in (*key, *others)]
    query = (
        f"SELECT l.nuvo_here, r.nuvo_here, {', '.join(shown)} "
        f"FROM (SELECT *, true AS nuvo_here FROM {source(left)}) l "
        f"FULL JOIN (SELECT *, true AS nuvo_here FROM {source(right)}) r ON {paired} "
        f"WHERE l.nuvo_here IS NULL OR r.nuvo_here IS NULL OR {differs}"
    )
    width = len(key) + len(others)
    with reader() as db:
        db.execute(f"CREATE TEMP TABLE differing AS {query}")
        totals = db.execute(
            "SELECT count(*) FILTER (nuvo_here IS NULL), count(*) FILTER (nuvo_here_1 IS NULL), "
            "count(*) FILTER (nuvo_here AND nuvo_here_1) FROM differing"
        ).fetchone() or (0, 0, 0)
        rows = db.execute(f"FROM differing LIMIT {ROWS_SHOWN}").fetchall()
    return int(totals[0]), int(totals[1]), int(totals[2]), tuple(_row(row, len(key), width) for row in rows)


def _row(row: tuple[Any, ...], keys: int, width: int) -> ChangedRow:
    left = tuple(map(plain, row[2 : 2 + width])) if row[0] else None
    right = tuple(map(plain, row[2 + width :])) if row[1] else None
    known = left if left is not None else right
    assert known is not None
    return ChangedRow(known[:keys], left, right)
