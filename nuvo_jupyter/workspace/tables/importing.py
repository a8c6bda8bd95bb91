"""Making tables of files people have: CSV, Parquet, JSON and SQLite."""

from __future__ import annotations

import contextlib
import math
import os
import sqlite3
import tempfile
from pathlib import Path
from urllib.parse import quote as url_quote

import duckdb
import msgspec

from nuvo_jupyter.model.errors import InvalidInput
from nuvo_jupyter.workspace.database import HEADER
from nuvo_jupyter.workspace.tables.connection import Connection
from nuvo_jupyter.workspace.tables.names import MAIN, Kind, Name, file_of, literal, pattern, quote

_READERS = {
    ".csv": "read_csv({})",
    ".tsv": "read_csv({}, delim = '\t')",
    ".txt": "read_csv({})",
    ".parquet": "read_parquet({}, hive_partitioning = false)",
    ".json": "read_json({})",
    ".ndjson": "read_json({})",
    ".jsonl": "read_json({})",
}
_LARGEST_ROW = 1 << 30


def import_file(connection: Connection, file: Path, name: str = "", *, replace: bool = False) -> list[str]:
    """Make a table of a file, or one of each table of an SQLite database; all of them or none.

    Args:
        connection: to the tables.
        file: CSV, TSV, Parquet, JSON or SQLite.
        name: of the table, the file's by default; of an SQLite database, the only table to take.
        replace: tables of the same name instead of refusing.

    Returns:
        The names of the tables.

    Raises:
        InvalidInput: it is none of these, cannot be read, or no table can have that name.
        AlreadyExists: there is a table of that name.
    """
    if _is_sqlite(file):
        return _import_sqlite(connection, file, name, replace)
    suffixes = [suffix.lower() for suffix in file.suffixes]
    kind = suffixes[-2] if suffixes[-1:] == [".gz"] and len(suffixes) > 1 else (suffixes or [""])[-1]
    if kind not in _READERS:
        raise InvalidInput(
            f"{file.name!r} is of no kind that a table can be made of.",
            hint="CSV, TSV, Parquet, JSON and SQLite files can.",
        )
    table = name or file.name.partition(".")[0]
    reader = _READERS[kind].format(literal(pattern(str(file))))
    schema, dot, inside = table.partition(".")
    wanted = Name(schema, inside) if dot else Name(MAIN, schema)
    file_of(wanted, Kind.TABLE)
    with _readable(file), connection.transaction():
        if dot:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(schema)}")
        connection.execute(f"{_create(replace)} {wanted.quoted} AS FROM {reader}")
    return [table]


def _create(replace: bool) -> str:
    return "CREATE OR REPLACE TABLE" if replace else "CREATE TABLE"


def _is_sqlite(file: Path) -> bool:
    try:
        with open(file, "rb") as opened:
            return opened.read(len(HEADER)) == HEADER
    except OSError as error:
        raise InvalidInput(
            f"{file.name!r} cannot be read: {os.strerror(error.errno or 0).lower()}."
        ) from error


@contextlib.contextmanager
def _readable(file: Path):  # type: ignore[no-untyped-def]
    try:
        yield
    except (duckdb.InvalidInputException, duckdb.IOException, duckdb.ConversionException) as error:
        # What follows are hints for DuckDB's own functions; the line itself may be long.
        lines = str(error).partition("\n\n")[0].split("\n")
        why = " ".join(line for line in lines if not line.startswith("Original Line"))
        raise InvalidInput(f"No table could be made of {file.name!r}: {why}") from error


def _import_sqlite(connection: Connection, file: Path, only: str, replace: bool) -> list[str]:
    made = []
    source = sqlite3.connect(f"file:{url_quote(os.fspath(file))}?mode=ro", uri=True)
    with contextlib.closing(source), tempfile.TemporaryDirectory(prefix="nuvo-") as scratch:
        try:
            names = [
                row[0]
                for row in source.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
                )
            ]
            if only and only not in names:
                raise InvalidInput(
                    f"{file.name!r} holds no table {only!r}.", hint=f"It holds {', '.join(names)}."
                )
            with connection.transaction():
                for name in [only] if only else names:
                    columns = _dump(source, name, Path(scratch, "rows"))
                    types = ", ".join(f"{literal(column)}: {literal(kind)}" for column, kind in columns)
                    wanted = ", ".join(
                        f"from_hex({quote(column)}) AS {quote(column)}" if kind == "BLOB" else quote(column)
                        for column, kind in columns
                    )
                    types = types.replace("'BLOB'", "'VARCHAR'")
                    connection.execute(
                        f"{_create(replace)} {quote(name)} AS SELECT {wanted} FROM read_json("
                        f"{literal(str(Path(scratch, 'rows')))}, format = 'newline_delimited', "
                        f"maximum_object_size = {_LARGEST_ROW}, columns = {{{types}}})"
                    )
                    made.append(name)
        except sqlite3.Error as error:
            raise InvalidInput(f"The database {file.name!r} cannot be read: {error}.") from error
    return made


def _dump(source: sqlite3.Connection, table: str, file: Path) -> list[tuple[str, str]]:
    """Write the rows of a table as JSON lines; returns its columns and what types hold all their values."""
    rows = source.execute(f"SELECT * FROM {quote(table)}")
    names = [item[0] for item in rows.description]
    kinds: list[set[type]] = [set() for _ in names]
    with open(file, "wb") as opened:
        for row in rows:
            for kind, value in zip(kinds, row, strict=True):
                kind.add(type(value))
            opened.write(msgspec.json.encode(dict(zip(names, map(_plain, row), strict=True))) + b"\n")
    return list(zip(names, map(_type, kinds), strict=True))


def _plain(value: float | str | bytes | None) -> float | str | None:
    if isinstance(value, bytes):
        return value.hex()
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _type(kinds: set[type]) -> str:
    held = kinds - {type(None)}
    if held == {int}:
        return "BIGINT"
    if held and held <= {int, float}:
        return "DOUBLE"
    return "BLOB" if held == {bytes} else "VARCHAR"
