"""Showing a folder of tables to DuckDB: a view for each Parquet file, and the views people made."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb

from nuvo_jupyter.workspace.tables.names import (
    MAIN,
    Entry,
    Kind,
    Listing,
    Name,
    listing,
    literal,
    pattern,
    quote,
)

_VIEW_MAX = 1 << 20
"""Longest text of a view in bytes that is read."""


class Shown:
    """Keeps one database of a connection in step with a folder of tables.

    Args:
        db: the connection.
        folder: of tables.
        database: the name of the database in which they are shown.
    """

    def __init__(self, db: duckdb.DuckDBPyConnection, folder: Path, database: str) -> None:
        self._db = db
        self.folder = folder
        self.database = database
        self.entries: dict[Name, Entry] = {}
        self.problems: dict[str, str] = {}
        """File → why it is no table."""
        self.schemas: set[str] = set()
        """Schemas beside the default one."""
        self._last: Listing | None = None

    def refresh(self) -> None:
        """Show what lies in the folder now; cheap where nothing has changed."""
        found = listing(self.folder)
        if found == self._last:
            return
        self._last = None
        for entry in [entry for name, entry in self.entries.items() if found.entries.get(name) != entry]:
            if entry.name.schema == MAIN or entry.name.schema in self.schemas:
                self._db.execute(f"DROP VIEW IF EXISTS {self._name(entry.name)}")
            del self.entries[entry.name]
        for schema in self.schemas - found.schemas:
            self._db.execute(f"DROP SCHEMA IF EXISTS {quote(self.database)}.{quote(schema)} CASCADE")
        for schema in sorted(found.schemas):
            self._db.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(self.database)}.{quote(schema)}")
        self.schemas = set(found.schemas)
        self.problems = dict(found.problems)
        self._add([entry for name, entry in found.entries.items() if name not in self.entries])
        self._last = found

    def reload(self, names: set[Name]) -> None:
        """Forget what is shown of some names, whose views were dropped or replaced; the next refresh shows them again."""
        for name in names:
            self.entries.pop(name, None)
        self._last = None

    def _add(self, new: list[Entry]) -> None:
        views = []
        for entry in new:
            if entry.kind is Kind.VIEW:
                views.append(entry)
                continue
            try:
                self.show(entry)
                self.entries[entry.name] = entry
            except duckdb.Error as error:
                self.problems[entry.file] = f"it cannot be read as Parquet: {_first_line(error)}"
        self._add_views(views)

    def _add_views(self, views: list[Entry]) -> None:
        """Views may use one another, so they are tried until no more of them works."""
        while views:
            failed = []
            for entry in views:
                try:
                    self._db.execute(self._definition(entry))
                    self.entries[entry.name] = entry
                except (duckdb.Error, OSError, ValueError) as error:
                    failed.append(entry)
                    self.problems[entry.file] = f"the view does not work: {_first_line(error)}"
            if len(failed) == len(views):
                return
            for entry in views:
                if entry not in failed:
                    self.problems.pop(entry.file, None)
            views = failed

    def _definition(self, entry: Entry) -> str:
        fd = os.open(self.folder / entry.file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(fd, encoding="utf-8") as file:
            text = file.read(_VIEW_MAX)
        found = duckdb.extract_statements(text)
        if len(found) != 1 or found[0].type != duckdb.StatementType.SELECT:
            raise ValueError("it is not one SELECT")
        return f"CREATE OR REPLACE VIEW {self._name(entry.name)} AS {found[0].query}"

    def show(self, entry: Entry) -> None:
        """Show one table as its file is.

        Raises:
            duckdb.Error: the file is no Parquet.
        """
        self._db.execute(f"CREATE OR REPLACE VIEW {self._name(entry.name)} AS FROM {self.source(entry)}")

    def path(self, entry: Entry) -> str:
        """The file of a table as a string of SQL."""
        return literal(pattern(str(self.folder / entry.file)))

    def source(self, entry: Entry) -> str:
        """The rows of a table, as SQL."""
        return f"read_parquet({self.path(entry)}, hive_partitioning = false)"

    def find(self, name: Name) -> Entry | None:
        """The table or view of a name, whatever its case."""
        if (entry := self.entries.get(name)) is not None:
            return entry
        return next((entry for entry in self.entries.values() if entry.name.key == name.key), None)

    def _name(self, name: Name) -> str:
        return f"{quote(self.database)}.{name.quoted}"


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
