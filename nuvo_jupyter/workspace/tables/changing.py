"""Changing tables: their rows are loaded into DuckDB, and what came of them is written to new files.

Rows that are only added are kept beside the old ones, which are then copied without being loaded.
"""

from __future__ import annotations

import os
from pathlib import Path

import duckdb

from nuvo_jupyter.model.errors import AlreadyExists, NotNow
from nuvo_jupyter.workspace.tables.commit import Action, Change, clear_away, make_durable, new_file, publish
from nuvo_jupyter.workspace.tables.definition import (
    DEFINITION,
    Definition,
    describe,
    encode,
    fits,
    read_definition,
)
from nuvo_jupyter.workspace.tables.lock import publishing
from nuvo_jupyter.workspace.tables.names import (
    MAIN,
    Entry,
    Kind,
    Name,
    check_schema,
    file_of,
    listing,
    literal,
    quote,
)
from nuvo_jupyter.workspace.tables.shown import Shown
from nuvo_jupyter.workspace.tables.statements import view_query

_ADDED = ".~added "
"""How the schemas begin that hold added rows; no schema of a folder can begin so."""


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
        self._loaded: dict[Name, Entry] = {}
        """Tables whose view a real table took the place of."""
        self._added: dict[Name, Entry] = {}
        """Tables whose new rows lie in a table beside them."""
        self._defined = self._views()
        clear_away(folder)
        db.execute("BEGIN")

    def load(self, name: Name | None) -> None:
        """Put a real table in the place of the view that shows a table, for a statement that changes it.

        Args:
            name: of the table; nothing is done if there is none of that name.
        """
        entry = self._shown_table(name)
        if entry is None:
            return
        table = self._table(entry.name)
        self._db.execute(f"DROP VIEW {table}")
        self._loaded[entry.name] = entry
        source = self._shown.source(entry)
        self._create(table, source, self._definition(entry))
        # DuckDB (1.5 and 2.0) loses what is inserted after no rows at all were, in one transaction.
        if self._db.execute(f"SELECT 1 FROM {source} LIMIT 1").fetchall():
            self._db.execute(f"INSERT INTO {table} FROM {source}")
        if self._added.pop(entry.name, None) is not None:
            self._db.execute(f"INSERT INTO {table} FROM {self._beside(entry.name)}")
            self._db.execute(f"DROP TABLE {self._beside(entry.name)}")

    def empty(self, name: Name | None) -> None:
        """Put an empty table in the place of a view, for a statement that drops or makes a table of its name."""
        entry = self._shown_table(name)
        if entry is not None:
            self._db.execute(f"DROP VIEW {self._table(entry.name)}")
            self._db.execute(
                f"CREATE TABLE {self._table(entry.name)} AS FROM {self._shown.source(entry)} LIMIT 0"
            )
            self._loaded[entry.name] = entry

    def unless_used(self, name: Name | None, was: int | None) -> None:
        """Show a table again if the statement that :meth:`empty` was for left the empty table alone.

        Args:
            name: of the table.
            was: what :meth:`number` gave before the statement.
        """
        entry = None if name is None else self._shown.find(name)
        if (
            entry is not None
            and was is not None
            and entry.name in self._loaded
            and self.number(entry.name) == was
        ):
            self._db.execute(f"DROP TABLE {self._table(entry.name)}")
            self._shown.show(entry)
            del self._loaded[entry.name]

    def number(self, name: Name | None) -> int | None:
        """What tells a table from another one that took its name."""
        row = (
            None
            if name is None
            else self._db.execute(
                "SELECT table_oid FROM duckdb_tables() WHERE database_name = ? AND lower(schema_name) = ? AND lower(table_name) = ?",
                [self._shown.database, *name.key],
            ).fetchone()
        )
        return None if row is None else row[0]

    def beside(self, name: Name | None) -> str | None:
        """A table beside a table, for rows that are only added to it.

        Returns:
            Its name as SQL; ``None`` where the table has keys, or is loaded already, or is none.
        """
        entry = self._shown_table(name)
        if entry is None:
            return None
        if entry.name in self._added:
            return self._beside(entry.name)
        definition = self._definition(entry)
        if definition is not None and definition.key_columns:
            return None
        table, source = self._beside(entry.name), self._shown.source(entry)
        self._db.execute(
            f"CREATE SCHEMA IF NOT EXISTS {quote(self._shown.database)}.{quote(_ADDED + entry.name.schema)}"
        )
        self._create(table, source, definition)
        self._db.execute(
            f"CREATE OR REPLACE VIEW {self._table(entry.name)} AS FROM {source} UNION ALL FROM {table}"
        )
        self._added[entry.name] = entry
        return table

    def commit(self) -> None:
        """Write what changed, publish it, and show it again.

        Raises:
            duckdb.Error, OSError, NuvoError: nothing was changed; :meth:`roll_back` is still to be called.
        """
        tables, views = self._tables(), self._views()
        changes = self._schema_changes()
        try:
            for name in tables:
                changes.append(self._write(name, self._table(name), f"FROM {self._table(name)}"))
            for name, entry in self._added.items():
                both = f"FROM {self._shown.source(entry)} UNION ALL FROM {self._beside(name)}"
                changes.append(self._write(name, self._beside(name), both))
            for name, query in views.items():
                if self._defined.get(name) != query:
                    changes.append(self._write_view(name, query))
            changes += self._removals(tables, views)
            if changes:
                make_durable(changes, self._folder)
                with publishing(self._folder):
                    self._refuse_edited(changes)
                    publish(self._folder, changes)
        except BaseException:
            for change in changes:
                if change.temporary:
                    (self._folder / change.temporary).unlink(missing_ok=True)
            raise
        try:
            for name in self._added:
                self._db.execute(f"DROP TABLE {self._beside(name)}")
            for name in tables:
                self._db.execute(f"DROP TABLE {self._table(name)}")
            self._db.execute("COMMIT")
        except duckdb.Error:
            # Tables that refer to one another: all is in the files, so DuckDB may forget it.
            self._db.execute("ROLLBACK")
        self._shown.reload({*tables, *self._loaded, *self._added, *views})

    def roll_back(self) -> None:
        """Forget all changes."""
        self._db.execute("ROLLBACK")

    def _shown_table(self, name: Name | None) -> Entry | None:
        """The table of a name that is still shown as its file is."""
        entry = None if name is None else self._shown.find(name)
        if entry is None or entry.kind is Kind.VIEW or entry.name in self._loaded:
            return None
        return entry

    def _create(self, table: str, source: str, definition: Definition | None) -> None:
        # An error inside a transaction would end it, so the definition is tried outside.
        if definition is not None and fits(self._db, definition, source):
            self._db.execute(f"CREATE TABLE {table} {definition.body}")
            if definition.comment is not None:
                self._db.execute(f"COMMENT ON TABLE {table} IS {literal(definition.comment)}")
            for column, comment in definition.comments.items():
                self._db.execute(f"COMMENT ON COLUMN {table}.{quote(column)} IS {literal(comment)}")
        else:
            self._db.execute(f"CREATE TABLE {table} AS FROM {source} LIMIT 0")

    def _write(self, name: Name, described: str, rows: str) -> Change:
        file = self._file(name, Kind.TABLE)
        path = new_file(self._folder)
        schema = name.schema if described == self._table(name) else _ADDED + name.schema
        definition = describe(self._db, self._shown.database, Name(schema, name.name))
        change = Change(Action.PUT, file, path.name)
        try:
            self._db.execute(
                f"COPY ({rows}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd, "
                f"KV_METADATA {{{DEFINITION}: {literal(encode(definition))}}})"
            )
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return change

    def _write_view(self, name: Name, query: str) -> Change:
        file = self._file(name, Kind.VIEW)
        path = new_file(self._folder)
        path.write_text(query + "\n", encoding="utf-8")
        return Change(Action.PUT, file, path.name)

    def _file(self, name: Name, kind: Kind) -> str:
        """The file of a table or view: the one it has, whatever its case, or a new one."""
        entry = self._shown.find(name)
        if entry is not None and entry.kind is kind:
            return entry.file
        file = file_of(name, kind)
        if os.path.lexists(self._folder / file):
            why = self._shown.problems.get(file, "somebody has just written it")
            raise AlreadyExists(
                f"There is a file {file!r} already: {why}.", hint="Rename it, or move it away."
            )
        return file

    def _refuse_edited(self, changes: list[Change]) -> None:
        """Nothing is put in the place of a file that another program has written meanwhile."""
        changed = {change.file for change in changes}
        now = listing(self._folder).entries
        for entry in self._shown.entries.values():
            if entry.file in changed and entry.name in now and now[entry.name] != entry:
                raise NotNow(
                    f"{entry.file!r} was changed by another program in the meantime, so nothing was changed here.",
                    hint="Run it again: it then sees the new rows.",
                )

    def _schema_changes(self) -> list[Change]:
        there = {
            row[0]
            for row in self._db.execute(
                "SELECT schema_name FROM duckdb_schemas() WHERE database_name = ? AND NOT internal",
                [self._shown.database],
            ).fetchall()
            if row[0] != MAIN and not row[0].startswith(_ADDED)
        }
        for schema in there - self._shown.schemas:
            check_schema(schema)
        return [
            *(Change(Action.MAKE_FOLDER, schema) for schema in sorted(there - self._shown.schemas)),
            *(Change(Action.REMOVE_FOLDER, schema) for schema in sorted(self._shown.schemas - there)),
        ]

    def _removals(self, tables: list[Name], views: dict[Name, str]) -> list[Change]:
        """What is there no more, or no more a table or a view."""
        there = {(name.key, Kind.TABLE) for name in tables} | {(name.key, Kind.VIEW) for name in views}
        all_views = {name.key for name in self._all_views()}
        gone = []
        for entry in self._shown.entries.values():
            key = entry.name.key
            still_shown = entry.kind is Kind.TABLE and key in all_views and (key, Kind.VIEW) not in there
            if (key, entry.kind) not in there and not still_shown:
                gone.append(Change(Action.REMOVE, entry.file))
        return gone

    def _definition(self, entry: Entry) -> Definition | None:
        return read_definition(self._db, self._shown.path(entry))

    def _tables(self) -> list[Name]:
        return [
            Name(schema, name)
            for schema, name in self._db.execute(
                "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = ? AND NOT temporary",
                [self._shown.database],
            ).fetchall()
            if not schema.startswith(_ADDED)
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
        return {
            name: view_query(created)
            for name, created in self._all_views().items()
            if name not in ours or name in self._loaded
        }

    def _table(self, name: Name) -> str:
        return f"{quote(self._shown.database)}.{name.quoted}"

    def _beside(self, name: Name) -> str:
        return f"{quote(self._shown.database)}.{Name(_ADDED + name.schema, name.name).quoted}"
