"""Changing tables: their rows are loaded into DuckDB, and what came of them is written to new files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import duckdb
import msgspec

from nuvo_jupyter.workspace.tables.commit import Change, clear_away, new_file, publish
from nuvo_jupyter.workspace.tables.names import (
    MAIN,
    Entry,
    Kind,
    Name,
    file_of,
    literal,
    quote,
)
from nuvo_jupyter.workspace.tables.shown import Shown
from nuvo_jupyter.workspace.tables.statements import table_body, view_query

DEFINITION = "nuvo_definition"
"""Key of a Parquet file's metadata: what Parquet itself cannot say of a table (keys, defaults, comments)."""


class Definition(msgspec.Struct, frozen=True, omit_defaults=True):
    """What Parquet cannot say of a table.

    Args:
        body: columns and constraints in brackets, as in ``CREATE TABLE``.
        comment: on the table.
        comments: column → comment on it.
    """

    body: str
    comment: str | None = None
    comments: dict[str, str] = {}


class Changing:
    """One transaction that changes tables. The caller holds the writers' lock for all of its time.

    Args:
        db: the connection, which this begins a DuckDB transaction on.
        folder: of tables.
        shown: what the connection shows of it, just refreshed.
    """

    def __init__(self, db: duckdb.DuckDBPyConnection, folder: Path, shown: Shown) -> None:
        self._db = db
        self._folder = folder
        self._shown = shown
        self._loaded: set[Name] = set()
        """Names for which a real table took the place of the view."""
        self._defined = self._views()
        clear_away(folder)
        db.execute("BEGIN")

    def prepare(self, name: Name | None, *, rows: bool) -> None:
        """Put a real table in the place of the view that shows a table, for a statement that changes it.

        Args:
            name: of the table; nothing is done if there is none of that name.
            rows: whether the statement looks at its rows.
        """
        entry = None if name is None else self._find(name)
        if entry is None or entry.kind is Kind.VIEW or entry.name in self._loaded:
            return
        source = self._shown.source(entry)
        table = self._table(entry.name)
        self._db.execute(f"DROP VIEW {table}")
        self._loaded.add(entry.name)
        definition = self._definition(entry)
        self._create(table, source, definition)
        if rows:
            self._db.execute(f"INSERT INTO {table} FROM {source}")

    def _create(self, table: str, source: str, definition: Definition | None) -> None:
        # An error inside a transaction would end it, so the definition is tried outside.
        if definition is not None and _fits(definition, source):
            self._db.execute(f"CREATE TABLE {table} {definition.body}")
            if definition.comment is not None:
                self._db.execute(f"COMMENT ON TABLE {table} IS {literal(definition.comment)}")
            for column, comment in definition.comments.items():
                self._db.execute(f"COMMENT ON COLUMN {table}.{quote(column)} IS {literal(comment)}")
        else:
            self._db.execute(f"CREATE TABLE {table} AS FROM {source} LIMIT 0")

    def commit(self) -> None:
        """Write what changed, publish it, and show it again.

        Raises:
            duckdb.Error, OSError, InvalidInput: nothing was changed; :meth:`roll_back` is still to be called.
        """
        tables, views = self._tables(), self._views()
        changes: list[Change] = []
        try:
            for name in tables:
                changes.append(self._write(name))
            for name, query in views.items():
                if self._defined.get(name) != query:
                    changes.append(self._write_view(name, query))
            changes += self._removals(tables, views)
            if changes:
                publish(self._folder, changes)
        except BaseException:
            for change in changes:
                if change.temporary:
                    (self._folder / change.temporary).unlink(missing_ok=True)
            raise
        for name in tables:
            self._db.execute(f"DROP TABLE {self._table(name)}")
        self._db.execute("COMMIT")
        self._shown.reload({*tables, *self._loaded, *views})

    def roll_back(self) -> None:
        """Forget all changes."""
        self._db.execute("ROLLBACK")

    def _find(self, name: Name) -> Entry | None:
        for entry in self._shown.entries.values():
            if entry.name.key == name.key:
                return entry
        return None

    def _write(self, name: Name) -> Change:
        file = self._file(name, Kind.TABLE)
        path = new_file(self._folder)
        self._db.execute(
            f"COPY {self._table(name)} TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd, "
            f"KV_METADATA {{{DEFINITION}: {literal(msgspec.json.encode(self._describe(name)).decode())}}})"
        )
        return Change(file, path.name)

    def _write_view(self, name: Name, query: str) -> Change:
        file = self._file(name, Kind.VIEW)
        path = new_file(self._folder)
        path.write_text(query + "\n", encoding="utf-8")
        return Change(file, path.name)

    def _file(self, name: Name, kind: Kind) -> str:
        """The file of a table or view: the one it has, whatever its case, or a new one."""
        entry = self._find(name)
        return entry.file if entry is not None and entry.kind is kind else file_of(name, kind)

    def _removals(self, tables: Iterable[Name], views: Iterable[Name]) -> list[Change]:
        """What is there no more, or no more a table or a view."""
        there = {(name.key, Kind.TABLE) for name in tables} | {(name.key, Kind.VIEW) for name in views}
        all_views = {name.key for name in self._all_views()}
        gone = []
        for entry in self._shown.entries.values():
            key = entry.name.key
            kept = (key, entry.kind) in there or (entry.kind is Kind.TABLE and key in all_views and (key, Kind.VIEW) not in there)
            if not kept:
                gone.append(Change(entry.file))
        return gone

    def _definition(self, entry: Entry) -> Definition | None:
        rows = duckdb.execute(
            f"SELECT decode(value) FROM parquet_kv_metadata({literal(str(self._folder / entry.file))}) "
            f"WHERE decode(key) = '{DEFINITION}'"
        ).fetchall()
        try:
            return msgspec.json.decode(rows[0][0], type=Definition) if rows else None
        except msgspec.MsgspecError:
            return None

    def _describe(self, name: Name) -> Definition:
        where = "database_name = ? AND schema_name = ? AND table_name = ?"
        what = [self._shown.database, name.schema, name.name]
        created, comment = self._one(f"SELECT sql, comment FROM duckdb_tables() WHERE {where}", what)
        columns = self._db.execute(
            f"SELECT column_name, comment FROM duckdb_columns() WHERE {where} AND comment IS NOT NULL", what
        ).fetchall()
        return Definition(table_body(created), comment, dict(columns))

    def _one(self, query: str, values: list[str]) -> tuple[str, str | None]:
        row = self._db.execute(query, values).fetchone()
        assert row is not None
        return row[0], row[1]

    def _tables(self) -> list[Name]:
        return [
            Name(schema, name)
            for schema, name in self._db.execute(
                "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = ? AND NOT temporary",
                [self._shown.database],
            ).fetchall()
        ]

    def _all_views(self) -> dict[Name, str]:
        return {
            Name(schema, name): created
            for schema, name, created in self._db.execute(
                "SELECT schema_name, view_name, sql FROM duckdb_views() "
                "WHERE database_name = ? AND NOT internal AND NOT temporary",
                [self._shown.database],
            ).fetchall()
        }

    def _views(self) -> dict[Name, str]:
        """The views people made: name → SELECT."""
        ours = {entry.name for entry in self._shown.entries.values() if entry.kind is Kind.TABLE}
        loaded = self._loaded
        return {
            name: view_query(created)
            for name, created in self._all_views().items()
            if name not in ours or name in loaded
        }

    def _table(self, name: Name) -> str:
        return f"{quote(self._shown.database)}.{name.quoted}"


def _fits(definition: Definition, source: str) -> bool:
    """Whether a table can be defined so and take the rows of a file that somebody else may have written."""
    with duckdb.connect(config={"allow_community_extensions": "false"}) as apart:
        try:
            apart.execute(f"CREATE TABLE t {definition.body}")
            apart.execute(f"INSERT INTO t FROM {source} LIMIT 0")
            shown = [row[0] for row in apart.execute(f"DESCRIBE FROM {source}").fetchall()]
            return shown == [row[0] for row in apart.execute("DESCRIBE t").fetchall()]
        except duckdb.Error:
            return False
