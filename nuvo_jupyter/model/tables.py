"""Tables as every face shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class Column(msgspec.Struct, frozen=True):
    """One column of a table.

    Args:
        name: of the column.
        type: DuckDB's name of its type.
    """

    name: str
    type: str


class Table(msgspec.Struct, frozen=True):
    """One table or view of a state.

    Args:
        name: ``[schema.]name``.
        path: of its file in the state.
        view: whether it is a view, whose rows are not counted.
        columns: in order.
        rows: how many it has.
        size: of its file in bytes.
        problem: why it cannot be used; ``""`` if it can.
    """

    name: str
    path: str
    view: bool
    columns: tuple[Column, ...]
    rows: int
    size: int
    modified_at: datetime
    problem: str = ""


class TableRows(msgspec.Struct, frozen=True):
    """Some rows of a table, and what made it.

    Args:
        table: what it is.
        rows: values as JSON holds them; what JSON has no form for is text.
        offset: of the first of them in the table.
        definition: SQL that creates it, empty.
    """

    table: Table
    rows: tuple[tuple[Any, ...], ...]
    offset: int
    definition: str


class ChangedRow(msgspec.Struct, frozen=True):
    """One row that differs between two versions of a table.

    Args:
        key: its values of the key.
        left, right: its values in either version; ``None`` where it is not.
    """

    key: tuple[Any, ...]
    left: tuple[Any, ...] | None
    right: tuple[Any, ...] | None


class TableComparison(msgspec.Struct, frozen=True):
    """How a table differs between two states.

    Args:
        left, right: the versions; ``None`` where there is none.
        added, removed, changed: columns by name; ``changed`` are those of another type.
        key: columns by which rows were paired; empty where there is no key, and rows are only counted.
        rows_added, rows_removed, rows_changed: how many; without a key, rows of either version that the other has not.
        rows: the first of them.
    """

    left: Table | None
    right: Table | None
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    key: tuple[str, ...]
    rows_added: int
    rows_removed: int
    rows_changed: int
    rows: tuple[ChangedRow, ...]
