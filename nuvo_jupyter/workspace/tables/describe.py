"""What a Parquet file holds: columns, counts and rows, without running anything that lies in it."""

from __future__ import annotations

import datetime
import decimal
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import msgspec

from nuvo_jupyter.model.errors import InvalidInput
from nuvo_jupyter.model.tables import Column
from nuvo_jupyter.workspace.tables.definition import Definition, read_definition
from nuvo_jupyter.workspace.tables.names import literal, pattern, quote

ROWS_MAX = 1000
"""Most rows given at once."""
TEXT_MAX = 2000
"""Longest text of one value, in characters."""
NO_BAR = "SET enable_progress_bar = false"
"""DuckDB writes a bar for what takes longer, wherever the output goes: into a server's log, and between a command's lines."""
_EXACT = 1 << 53
"""Whole numbers beyond this are text: JavaScript would round them."""


class Described(msgspec.Struct, frozen=True):
    """One Parquet file.

    Args:
        columns: in order.
        rows: how many.
        definition: what Parquet cannot say of the table, where Nuvo wrote it.
    """

    columns: tuple[Column, ...]
    rows: int
    definition: Definition | None = None


def describe(path: str) -> Described:
    """Columns and number of rows, from the file's footer alone.

    Args:
        path: of the file, or of an open descriptor (``/proc/self/fd/N``).

    Raises:
        InvalidInput: it is no Parquet file, or damaged.
    """
    with reader() as db, _readable(path):
        columns = tuple(
            Column(row[0], row[1]) for row in db.execute(f"DESCRIBE FROM {source(path)}").fetchall()
        )
        rows = db.execute(f"SELECT num_rows FROM parquet_file_metadata({_literal(path)})").fetchall()
        return Described(columns, int(rows[0][0]), read_definition(db, _literal(path)))


def first_rows(path: str, limit: int, offset: int = 0) -> tuple[tuple[Any, ...], ...]:
    """Some rows as values that JSON can hold.

    Args:
        limit: how many at most, up to 1,000.
        offset: how many to pass over.

    Raises:
        InvalidInput: it is no Parquet file, or damaged.
    """
    with reader() as db, _readable(path):
        columns = [(row[0], row[1]) for row in db.execute(f"DESCRIBE FROM {source(path)}").fetchall()]
        wanted = ", ".join(_asked(name, kind) for name, kind in columns)
        query = f"SELECT {wanted} FROM {source(path)} LIMIT {min(limit, ROWS_MAX)} OFFSET {offset}"
        return tuple(tuple(plain(value) for value in row) for row in db.execute(query).fetchall())


def definition_text(name: str, described: Described) -> str:
    """SQL that creates a table like it, without rows."""
    if described.definition is not None:
        return f"CREATE TABLE {quote(name)} {described.definition.body};"
    columns = ",\n".join(f"  {quote(column.name)} {column.type}" for column in described.columns)
    return f"CREATE TABLE {quote(name)} (\n{columns}\n);"


def plain(value: Any) -> Any:
    """A value as JSON can hold it."""
    match value:
        case None | bool():
            return value
        case int():
            return value if abs(value) <= _EXACT else str(value)
        case float():
            return value if math.isfinite(value) else str(value)
        case str():
            return value if len(value) <= TEXT_MAX else value[:TEXT_MAX] + "…"
        case bytes():
            return "0x" + value[: TEXT_MAX // 2].hex()
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case datetime.datetime() | datetime.date() | datetime.time():
            return value.isoformat()
        case decimal.Decimal():
            return str(value)
        case _:
            return str(value)


def source(path: str) -> str:
    """A Parquet file as SQL."""
    return f"read_parquet({_literal(path)}, hive_partitioning = false)"


@contextmanager
def reader() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database without anything in it, for queries of files."""
    with duckdb.connect(config={"enable_external_file_cache": "false", "threads": "2"}) as db:
        db.execute(NO_BAR)
        yield db


@contextmanager
def _readable(path: str) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        why = str(error).partition("\n")[0].replace(path, "it")
        raise InvalidInput(
            f"It cannot be read as Parquet: {why}",
            hint="Write it with nuvo.connect(), DuckDB, pandas or polars.",
        ) from error


def _asked(name: str, kind: str) -> str:
    """Moments with a time zone are asked for as text, since Python's need the zone database of another library."""
    return f"{quote(name)}::VARCHAR" if "TIME ZONE" in kind else quote(name)


def _literal(path: str) -> str:
    return literal(pattern(path))
