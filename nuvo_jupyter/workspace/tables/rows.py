"""Merging two versions of a table by key: rows that only the other one has are appended, and nothing else changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import msgspec

from nuvo_jupyter.model.errors import InvalidInput
from nuvo_jupyter.workspace.tables.compare import primary_key
from nuvo_jupyter.workspace.tables.definition import DEFINITION, Definition, encode, fits
from nuvo_jupyter.workspace.tables.describe import NO_BAR, Described, describe, source
from nuvo_jupyter.workspace.tables.names import literal, quote

_MEMORY = "1GB"
"""What DuckDB may take; beyond that it writes to the folder it is given."""


class Appended(msgspec.Struct, frozen=True):
    """What came of a merge.

    Args:
        added: rows that were appended.
        differing: rows of the other version that have other values here, and kept them.
        written: whether there is a new file; without rows to append there is none.
    """

    added: int
    differing: int
    written: bool


class NoMerge(Exception):
    """Two versions cannot be merged by key; the message says why, as a sentence."""


def append_rows(ours: Path, theirs: Path, key: Sequence[str], result: Path) -> Appended:
    """Append the rows of another version whose key is not here.

    The result depends on nothing but the arguments' content, so that it is the same again after a crash.

    Args:
        ours: a Parquet file; all of its rows stay as they are, in their order.
        theirs: the other version.
        key: columns that tell rows apart where the table has no primary key.
        result: where the merged file is written, in a folder for large intermediate results.

    Raises:
        NoMerge: one is no Parquet file, their columns differ, there is no key, or the table forbids such rows.
        duckdb.Error: no memory or space was left; there is no result.
    """
    try:
        here, there = describe(str(ours)), describe(str(theirs))
    except InvalidInput as error:
        raise NoMerge("One of the versions is no Parquet file.") from error
    columns = _same_columns(here, there)
    chosen = _key(here, there, key, columns)
    with _database(result.parent) as db:
        db.execute(f"CREATE VIEW ours AS FROM {source(str(ours))}")
        db.execute(f"CREATE VIEW theirs AS FROM {source(str(theirs))}")
        names = ", ".join(map(quote, columns))
        is_new = f"NOT EXISTS (FROM ours WHERE {_equal('ours', chosen)})"
        # Written down once, so that what is counted, checked and appended is the same.
        db.execute(f"CREATE TABLE missing AS SELECT {names} FROM theirs WHERE {is_new}")
        added = _number(db, "SELECT count(*) FROM missing")
        differing = _number(
            db,
            f"SELECT count(*) FROM theirs WHERE NOT ({is_new}) "
            f"AND NOT EXISTS (FROM ours WHERE {_equal('ours', columns)})",
        )
        if added:
            _check_allowed(db, here.definition)
            _write(db, here.definition, f"SELECT {names} FROM ours UNION ALL FROM missing", result)
            if describe(str(result)).columns != here.columns:
                raise NoMerge("Writing it anew would change the types of its columns.")
        return Appended(added, differing, bool(added))


def _same_columns(here: Described, there: Described) -> list[str]:
    ours = {column.name: column.type for column in here.columns}
    theirs = {column.name: column.type for column in there.columns}
    for name in [*theirs, *ours]:
        if name not in ours:
            raise NoMerge(f"The distributed version has a column {name!r}, which yours has not.")
        if name not in theirs:
            raise NoMerge(f"Yours has a column {name!r}, which the distributed version has not.")
        if ours[name] != theirs[name]:
            raise NoMerge(f"The column {name!r} is {ours[name]} here, and {theirs[name]} where it came from.")
    return list(ours)


def _key(here: Described, there: Described, named: Sequence[str], columns: Sequence[str]) -> Sequence[str]:
    ours, theirs = primary_key(here), primary_key(there)
    if ours and theirs and ours != theirs:
        raise NoMerge("The two versions have different primary keys.")
    chosen = ours or theirs or tuple(named)
    if not chosen:
        raise NoMerge("The table has no primary key, and none was named.")
    for name in chosen:
        if name not in columns:
            raise NoMerge(f"The table has no column {name!r} to tell its rows apart.")
    return chosen


def _equal(other: str, columns: Sequence[str]) -> str:
    return " AND ".join(
        f"{other}.{quote(name)} IS NOT DISTINCT FROM theirs.{quote(name)}" for name in columns
    )


def _check_allowed(db: duckdb.DuckDBPyConnection, definition: Definition | None) -> None:
    """Raise if the table's own constraints forbid the new rows."""
    if definition is None or not fits(db, definition, "missing"):
        return
    try:
        db.execute(f"CREATE TABLE tried {definition.body}")
        db.execute("INSERT INTO tried FROM missing")
    except duckdb.ConstraintException as error:
        raise NoMerge(f"The table does not allow the new rows: {str(error).partition(chr(10))[0]}") from error
    for columns in definition.key_columns:
        listed = ", ".join(map(quote, columns))
        both = f"SELECT count(*) FROM (SELECT {listed} FROM tried) SEMI JOIN ours USING ({listed})"
        if _number(db, both):
            raise NoMerge(f"A new row has the same {' and '.join(columns)} as one that is here.")


def _write(db: duckdb.DuckDBPyConnection, definition: Definition | None, rows: str, result: Path) -> None:
    kept = f", KV_METADATA {{{DEFINITION}: {literal(encode(definition))}}}" if definition is not None else ""
    db.execute(f"COPY ({rows}) TO {literal(str(result))} (FORMAT parquet, COMPRESSION zstd{kept})")


def _number(db: duckdb.DuckDBPyConnection, query: str) -> int:
    row = db.execute(query).fetchone()
    return int(row[0]) if row else 0


@contextmanager
def _database(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    config: dict[str, str | bool | int | float | list[str]] = {
        "enable_external_file_cache": "false",
        "temp_directory": str(folder / "spilled"),
        "memory_limit": _MEMORY,
        # More would write the rows of a group in another order each time.
        "threads": "1",
    }
    with duckdb.connect(config=config) as db:
        db.execute(NO_BAR)
        yield db
