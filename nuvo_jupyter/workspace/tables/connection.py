"""``nuvo.connect()``: a DuckDB connection in which the tables of an instance are tables."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

import duckdb

from nuvo_jupyter.model.errors import InvalidInput, NuvoError
from nuvo_jupyter.workspace.tables import lock
from nuvo_jupyter.workspace.tables.changing import Changing
from nuvo_jupyter.workspace.tables.names import Entry, Name, quote
from nuvo_jupyter.workspace.tables.shown import Shown
from nuvo_jupyter.workspace.tables.statements import Effect, Statement, statements

_DATABASE = "tables"
_T = TypeVar("_T")


class _Outcome(NamedTuple):
    """What a statement gave that changed tables; kept, because DuckDB's own result ends with the transaction."""

    columns: list[str]
    types: list[str]
    rows: list[tuple[Any, ...]]


class Connection:
    """A DuckDB connection in which the Parquet files of a folder are tables.

    It has the methods of :class:`duckdb.DuckDBPyConnection`. Statements that change tables write new files and
    put them in the place of the old ones; a transaction does so for several tables at once. Other kernels
    and captures see the tables before it or after it, never between.

    Args:
        folder: of tables; made when the first table is.
        refusal: why nothing can be changed; ``None`` where it can.
    """

    def __init__(self, folder: Path, *, refusal: str | None = None) -> None:
        self.find_state: Callable[[str], Path] | None = None
        """Gives a folder with the tables of a state; set by who knows states."""
        self._folder = folder
        self._refusal = refusal
        self._scratch = tempfile.mkdtemp(prefix="nuvo-tables-")
        self._db = duckdb.connect(
            config={
                # A file changed in place, which others may do, would be read from DuckDB's cache.
                "enable_external_file_cache": "false",
                "temp_directory": self._scratch,
                # A DataFrame is found by name in the notebook, past the functions in between.
                "python_scan_all_frames": "true",
            }
        )
        self._db.execute(f"ATTACH ':memory:' AS {_DATABASE}; USE {_DATABASE}")
        self._shown = Shown(self._db, folder, _DATABASE)
        self._others: dict[str, Shown] = {}
        self._turn = threading.RLock()
        self._changing: Changing | None = None
        self._open: contextlib.ExitStack | None = None
        with lock.reading(folder):
            self._shown.refresh()

    # SQL

    def execute(self, query: Any, parameters: Any = None) -> Self:
        """Run SQL; fetch the result of its last statement with ``fetchall()``, ``df()``, ``pl()``, ``arrow()``.

        Args:
            query: one or more statements.
            parameters: values for ``?`` or ``$name`` in them.

        Raises:
            duckdb.Error: DuckDB refused it. Nothing was changed.
            NotNow: another notebook has been changing tables for a minute.
        """
        with self._turn:
            if not isinstance(query, str):
                self._db.execute(query, parameters)
                return self
            for statement in statements(query):
                self._run(statement, parameters)
        return self

    def executemany(self, query: str, parameters: Any) -> Self:
        """Run one statement for each set of values, in one transaction."""
        with self.transaction(), self._turn:
            for values in parameters:
                self.execute(query, values)
        return self

    def sql(self, query: str, **options: Any) -> Any:
        """The result of a query as DuckDB's relation; ``None`` for a statement that has none.

        A relation reads the tables when it is shown or used, each of them whole.
        """
        with self._turn:
            found = statements(query)
            if len(found) == 1 and found[0].effect is Effect.READ:
                with self._reading():
                    return _helped(lambda: self._db.sql(query, **options))
            self.execute(query, options.get("params"))
            return None

    query = sql

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Self]:
        """Change several tables at once: all of it is kept at the end of the block, or nothing if that raised."""
        self.begin()
        try:
            yield self
        except BaseException:
            self.rollback()
            raise
        self.commit()

    def begin(self) -> Self:
        """Begin a transaction; other writers wait until it ends.

        Raises:
            InvalidInput: one is open already, or the connection only reads.
        """
        with self._turn:
            if self._changing is not None:
                raise InvalidInput("A transaction is open already.", hint="End it with commit() or rollback().")
            self._start()
        return self

    def commit(self) -> Self:
        """Keep what the open transaction changed."""
        with self._turn:
            if self._changing is not None:
                try:
                    _helped(self._changing.commit)
                except BaseException:
                    self._stop(undo=True)
                    raise
                self._stop(undo=False)
        return self

    def rollback(self) -> Self:
        """Forget what the open transaction changed."""
        with self._turn:
            self._stop(undo=True)
        return self

    # What there is

    @property
    def entries(self) -> list[Entry]:
        """Tables and views, in order of their names."""
        with self._turn, self._reading():
            return sorted(self._shown.entries.values(), key=lambda entry: entry.name)

    @property
    def problems(self) -> dict[str, str]:
        """Files in the folder of tables that are no table, and why."""
        with self._turn, self._reading():
            return dict(self._shown.problems)

    def attach(self, state: str, name: str) -> None:
        """Show the tables of another state as a database of its own, to read and join with.

        Args:
            state: as in ``nuvo.connect()``: ``@3``, ``distributed``, ``intro/anna@latest``.
            name: of the database: its tables are ``name.table``.

        Raises:
            InvalidInput: there is a database of that name.
            NotFound: there is no such state.
        """
        if self.find_state is None:
            raise InvalidInput("This connection knows no other states.", hint="Open it with nuvo.connect().")
        self.attach_folder(name, self.find_state(state))

    def attach_folder(self, name: str, folder: Path) -> None:
        """Show another folder of tables as a database of its own, to read and join with.

        Args:
            name: of the database: its tables are ``name.table``.
            folder: of tables.

        Raises:
            InvalidInput: there is a database of that name.
        """
        with self._turn:
            if name in self._others or name in (_DATABASE, "memory", "system", "temp"):
                raise InvalidInput(f"There is a database {name!r} already.", hint="Choose another name for it.")
            self._db.execute(f"ATTACH ':memory:' AS {quote(name)}")
            self._others[name] = Shown(self._db, folder, name)
            self._others[name].refresh()

    # Like DuckDB's

    def cursor(self) -> Self:
        """This connection: it is its own cursor."""
        return self

    def table(self, name: str) -> Any:
        """A table as DuckDB's relation."""
        return self.sql(f"FROM {'.'.join(quote(part) for part in name.split('.'))}")

    def close(self) -> None:
        """End it; an open transaction is rolled back."""
        with self._turn:
            self._stop(undo=True)
            self._db.close()
            shutil.rmtree(self._scratch, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._db, name)

    # Inside

    def _run(self, statement: Statement, parameters: Any) -> None:
        match statement.effect:
            case Effect.BEGIN:
                self.begin()
            case Effect.COMMIT:
                self.commit()
            case Effect.ROLLBACK:
                self.rollback()
            case Effect.SESSION:
                _helped(lambda: self._db.execute(statement.query, parameters))
            case Effect.READ:
                with self._reading():
                    _helped(lambda: self._db.execute(statement.query, parameters))
            case _:
                self._change(statement, parameters)

    def _change(self, statement: Statement, parameters: Any) -> None:
        name = self._name(statement)
        alone = self._changing is None
        if alone:
            self._start()
        assert self._changing is not None
        try:
            if statement.what != "SCHEMA":
                self._changing.prepare(name, rows=statement.effect is Effect.CHANGE)
            outcome = _helped(lambda: self._outcome(statement, parameters))
            if alone:
                _helped(self._changing.commit)
        except BaseException:
            # DuckDB has ended a transaction in which a statement failed.
            self._stop(undo=True)
            raise
        if alone:
            self._stop(undo=False)
        self._give(outcome)

    def _outcome(self, statement: Statement, parameters: Any) -> _Outcome:
        self._db.execute(statement.query, parameters)
        described = self._db.description or []
        rows = self._db.fetchall() if described else []
        return _Outcome([item[0] for item in described], [str(item[1]) for item in described], rows)

    def _give(self, outcome: _Outcome) -> None:
        """Let the result be fetched as DuckDB's own would be."""
        if not outcome.columns:
            return
        marks = ", ".join(["(" + ", ".join("?" * len(outcome.columns)) + ")"] * len(outcome.rows))
        names = ", ".join(quote(column) for column in outcome.columns)
        if outcome.rows:
            values = [value for row in outcome.rows for value in row]
            self._db.execute(f"SELECT * FROM (VALUES {marks}) AS outcome({names})", values)
        else:
            empty = ", ".join(f"NULL AS {quote(column)}" for column in outcome.columns)
            self._db.execute(f"SELECT {empty} WHERE false")

    def _name(self, statement: Statement) -> Name | None:
        """What a statement changes, as DuckDB would resolve it; ``None`` for a schema."""
        parts = statement.target
        current = self._db.execute("SELECT current_database(), current_schema()").fetchone()
        database, schema = current if current is not None else (_DATABASE, "main")
        if len(parts) == 3:
            database, schema = parts[0], parts[1]
        elif len(parts) == 2:
            databases = {row[0].lower() for row in self._db.execute("SELECT database_name FROM duckdb_databases()").fetchall()}
            if parts[0].lower() in databases:
                database, schema = parts[0], "main"
            else:
                schema = parts[0]
        if database in self._others:
            raise InvalidInput(
                f"{'.'.join(parts)!r} is of a state that was attached to be read.",
                hint="Write into a table of your own: CREATE TABLE name AS FROM " + ".".join(parts),
            )
        if not parts or statement.what == "SCHEMA":
            return None
        return Name(schema, parts[-1])

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        if self._changing is not None:
            yield
            return
        with lock.reading(self._folder):
            self._shown.refresh()
            for other in self._others.values():
                other.refresh()
            yield

    def _start(self) -> None:
        if self._refusal is not None:
            raise InvalidInput(self._refusal, hint="nuvo.connect() without a name changes the current state.")
        stack = contextlib.ExitStack()
        try:
            stack.enter_context(lock.writing(self._folder))
            self._shown.refresh()
            self._changing = Changing(self._db, self._folder, self._shown)
        except BaseException:
            stack.close()
            raise
        self._open = stack

    def _stop(self, *, undo: bool) -> None:
        changing, self._changing = self._changing, None
        stack, self._open = self._open, None
        try:
            if changing is not None and undo:
                with contextlib.suppress(duckdb.Error):
                    changing.roll_back()
        finally:
            if stack is not None:
                stack.close()


def _helped(call: Callable[[], _T]) -> _T:
    """Say what to do about errors that people meet."""
    try:
        return call()
    except duckdb.Error as error:
        hint = _hint(str(error))
        if hint is None:
            raise
        raise type(error)(f"{error}\n\n{hint}") from None


def _hint(message: str) -> str | None:
    if "is not an table" in message or "not a base table" in message:
        return "It is a view, which has no rows of its own: change the tables it selects from."
    if "No space left" in message or "No such file or directory" in message and ".~new" in message:
        return "There is no room to write the table; nothing was changed. Free some space and try again."
    return None
