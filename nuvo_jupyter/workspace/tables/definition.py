"""What Parquet cannot say of a table (keys, defaults, checks, comments), kept in the metadata of its file."""

from __future__ import annotations

import contextlib

import duckdb
import msgspec

from nuvo_jupyter.model.inspected import inspected
from nuvo_jupyter.workspace.tables.names import Name
from nuvo_jupyter.workspace.tables.statements import is_table_body, table_body

DEFINITION = "nuvo_definition"
"""Key of a Parquet file's metadata."""
_KEYS = ("PRIMARY KEY", "UNIQUE")


@inspected
class Definition(msgspec.Struct, frozen=True, omit_defaults=True):
    """What Parquet cannot say of a table.

    Args:
        body: columns and constraints in brackets, as in ``CREATE TABLE``.
        comment: on the table.
        comments: column → comment on it.
        key_columns: columns of each key; the primary key comes first.
        has_primary_key: whether the first of them is one.
    """

    body: str
    comment: str | None = None
    comments: dict[str, str] = {}
    key_columns: tuple[tuple[str, ...], ...] = ()
    has_primary_key: bool = False


def encode(definition: Definition) -> str:
    """As it is written into a file."""
    return msgspec.json.encode(definition).decode()


def read_definition(db: duckdb.DuckDBPyConnection, path: str) -> Definition | None:
    """The definition in a Parquet file.

    Args:
        db: any connection.
        path: of the file, as a string of SQL.

    Returns:
        ``None`` where the file has none that can be read.
    """
    rows = db.execute(
        f"SELECT decode(value) FROM parquet_kv_metadata({path}) WHERE key = '{DEFINITION}'::BLOB"
    ).fetchall()
    try:
        return msgspec.json.decode(rows[0][0], type=Definition) if rows else None
    except msgspec.MsgspecError:
        return None


def describe(db: duckdb.DuckDBPyConnection, database: str, name: Name) -> Definition:
    """The definition of a real table."""
    where = "database_name = ? AND schema_name = ? AND table_name = ?"
    what = [database, name.schema, name.name]
    row = db.execute(f"SELECT sql, comment FROM duckdb_tables() WHERE {where}", what).fetchone()
    assert row is not None
    created, comment = row
    columns = db.execute(
        f"SELECT column_name, comment FROM duckdb_columns() WHERE {where} AND comment IS NOT NULL", what
    ).fetchall()
    constraints = db.execute(
        "SELECT constraint_type, constraint_text, constraint_column_names FROM duckdb_constraints() "
        f"WHERE {where} AND constraint_type IN ('PRIMARY KEY', 'UNIQUE', 'FOREIGN KEY')",
        what,
    ).fetchall()
    body = table_body(created)
    for kind, text, _ in constraints:
        if kind == "FOREIGN KEY":
            # It binds a table that may be shown, restored or handed out without the other one.
            body = body.replace(", " + text, "")
    keys = sorted(
        ((kind, tuple(names)) for kind, _, names in constraints if kind in _KEYS),
        key=lambda item: _KEYS.index(item[0]),
    )
    return Definition(
        body,
        comment,
        dict(columns),
        tuple(names for _, names in keys),
        bool(keys) and keys[0][0] == "PRIMARY KEY",
    )


def fits(db: duckdb.DuckDBPyConnection, definition: Definition, source: str) -> bool:
    """Whether a table can be defined so and take the rows of a file that somebody else may have written.

    Args:
        db: whose transaction stays as it is.
        definition: of the table.
        source: rows, as SQL.
    """
    if not is_table_body(definition.body):
        return False
    with contextlib.closing(db.cursor()) as apart:
        try:
            apart.execute(f"CREATE TEMP TABLE tried {definition.body}")
            apart.execute(f"INSERT INTO temp.tried FROM {source} LIMIT 0")
            shown = [row[0] for row in apart.execute(f"DESCRIBE FROM {source}").fetchall()]
            return shown == [row[0] for row in apart.execute("DESCRIBE temp.tried").fetchall()]
        except duckdb.Error:
            return False
