"""``nuvo.connect()``: a DuckDB connection in which the tables of an instance are tables."""

from __future__ import annotations

import builtins
import contextlib
import enum
import functools
import shutil
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, NamedTuple, Self, TypeVar

import duckdb

from nuvo_jupyter.model.errors import InvalidInput, NotNow
from nuvo_jupyter.workspace.tables import lock
from nuvo_jupyter.workspace.tables.changing import Changing
from nuvo_jupyter.workspace.tables.describe import NO_BAR
from nuvo_jupyter.workspace.tables.hints import hint
from nuvo_jupyter.workspace.tables.names import Entry, Kind, Name, quote
from nuvo_jupyter.workspace.tables.relation import Relation, quote_name
from nuvo_jupyter.workspace.tables.shown import Shown
from nuvo_jupyter.workspace.tables.statements import Effect, Statement, mentioned, referenced, statements

_DATABASE = "tables"
_RESULT = 'temp."nuvo result"'
_READS_BY_STRING = {"query", "query_table"}
_INSTEAD = {
    "INDEX": "A query finds its rows without one. For rows that must be unique: CREATE TABLE ... (id INTEGER PRIMARY KEY).",
    "SEQUENCE": "Number new rows with (SELECT coalesce(max(id), 0) + 1 FROM name), or use CREATE TEMP SEQUENCE.",
}
_OF_RESULTS = ("fetch", "to_", "description", "rowcount")
_ABORTS = "abort" in dir(duckdb.DuckDBPyConnection)
_AGAIN = "End it with rollback(), and run it again."
_T = TypeVar("_T")


class _Elsewhere(enum.Enum):
    """A statement changes something that is no table of this folder: temporary, or of another database."""

    ELSEWHERE = 0


_ELSEWHERE = _Elsewhere.ELSEWHERE


class _Outcome(NamedTuple):
    """What a statement gave that changed tables; kept, because DuckDB's own result ends with the transaction."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    returned: Any = None


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
        if not (sys.stdout.isatty() or hasattr(builtins, "__IPYTHON__")):
            self._db.execute(NO_BAR)
        self._db.execute(f"ATTACH ':memory:' AS {_DATABASE}; USE {_DATABASE}")
        self._shown = Shown(self._db, folder, _DATABASE)
        self._others: dict[str, Shown] = {}
        self._turn = threading.RLock()
        self._changing: Changing | None = None
        self._open: contextlib.ExitStack | None = None
        self._named: dict[str, Any] = {}
        self._failed = False
        """A statement of the open transaction failed: it is undone, and waits for its end."""
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
            InvalidInput: the tables can only be read here, or a statement of the open transaction failed before.
            NotNow: another notebook has been changing tables for a minute.
        """
        with self._turn:
            text = query if isinstance(query, str) else query.query
            with self._relations_for(text):
                for statement in statements(text):
                    self._run(statement, parameters)
        return self

    def executemany(self, query: str, parameters: Any) -> Self:
        """Run one statement for each set of values, in one transaction."""
        with self._turn:
            found = statements(query)
            if len(found) != 1 or found[0].effect is not Effect.CHANGE:
                for values in parameters:
                    self.execute(query, values)
            else:
                self._change(found[0], parameters, many=True)
        return self

    def sql(self, query: str, **options: Any) -> Any:
        """The result of a query as DuckDB's relation; ``None`` for a statement that has none.

        A relation reads the tables when it is shown or used, all of them at one point.
        """
        with self._turn:
            found = statements(query)
            if len(found) != 1 or found[0].effect is not Effect.READ or found[0].handle is not None:
                self.execute(query, options.get("params"))
                if not found or not found[-1].returns:
                    return None
                return Relation(self._db.sql(f"FROM {_RESULT}"), self._reading, self.execute)
            self._check_transaction()
            with self._relations_for(query), self._reading():
                relation: Any = self._helped(query, lambda: self._db.sql(query, **options))
            return None if relation is None else Relation(relation, self._reading, self.execute)

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
            if self._changing is not None or self._failed:
                raise InvalidInput(
                    "A transaction is open already.", hint="End it with commit() or rollback()."
                )
            self._start()
        return self

    def commit(self) -> Self:
        """Keep what the open transaction changed.

        Raises:
            InvalidInput: a statement in it failed, so there is nothing to keep.
        """
        with self._turn:
            if self._failed:
                self._failed = False
                raise InvalidInput(
                    "A statement of this transaction failed, so nothing of it is kept.", hint=_AGAIN
                )
            if self._changing is not None:
                self._let_go()
                try:
                    self._helped("", self._changing.commit)
                except BaseException:
                    self._stop(undo=True)
                    raise
                self._stop(undo=False)
        return self

    def rollback(self) -> Self:
        """Forget what the open transaction changed."""
        with self._turn:
            self._failed = False
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
                raise InvalidInput(
                    f"There is a database {name!r} already.", hint="Choose another name for it."
                )
            self._db.execute(f"ATTACH ':memory:' AS {quote(name)}")
            self._others[name] = Shown(self._db, folder, name)
            with self._reading():
                pass

    # Like DuckDB's

    def cursor(self) -> Self:
        """This connection: it is its own cursor."""
        return self

    def table(self, name: str) -> Any:
        """A table as DuckDB's relation."""
        return self.sql(f"FROM {quote_name(name)}")

    view = table

    def df(self, **options: Any) -> Any:
        """What is left of the result as a pandas DataFrame."""
        return self._db.fetchdf(**options)

    fetchdf = fetch_df = df

    def pl(self) -> Any:
        """What is left of the result as a polars DataFrame."""
        import polars

        return polars.from_arrow(self.arrow())

    def arrow(self) -> Any:
        """What is left of the result as a PyArrow table."""
        name = next(name for name in ("to_arrow_table", "fetch_arrow_table") if name in dir(self._db))
        with warnings.catch_warnings():
            # DuckDB 2 advises con.sql(), which people may choose themselves.
            warnings.simplefilter("ignore", UserWarning)
            return getattr(self._db, name)()

    fetch_arrow_table = to_arrow_table = arrow

    def append(self, table_name: str, df: Any, *, by_name: bool = False) -> Self:
        """Add the rows of a DataFrame to a table."""
        assert df is not None
        return self.execute(f"INSERT INTO {quote_name(table_name)} {'BY NAME ' if by_name else ''}FROM df")

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
        value = getattr(self._db, name)
        if not callable(value):
            return value

        @functools.wraps(value)
        def call(*values: Any, **options: Any) -> Any:
            with self._turn:
                if not name.startswith(_OF_RESULTS):
                    self._let_go()
                result = value(*values, **options)
            if isinstance(result, duckdb.DuckDBPyRelation):
                return Relation(result, self._reading, self.execute)
            return self if result is self._db else result

        return call

    # Inside

    def _run(self, statement: Statement, parameters: Any) -> None:
        if statement.effect is Effect.COMMIT:
            self.commit()
        elif statement.effect is Effect.ROLLBACK:
            self.rollback()
        else:
            self._check_transaction()
            if statement.effect is Effect.BEGIN:
                self.begin()
            elif statement.effect is Effect.REFUSED:
                raise InvalidInput(
                    f"A table kept as a file has no {statement.what.lower()}.", hint=_INSTEAD[statement.what]
                )
            elif statement.effect in (Effect.CHANGE, Effect.DEFINE):
                self._change(statement, parameters)
            else:
                self._read(statement, parameters)

    def _read(self, statement: Statement, parameters: Any) -> None:
        query = statement.query
        with self._reading():
            if statement.handle is not None:
                self._helped(query, lambda: self._db.execute(statement.handle, parameters))
            elif statement.verb == "SELECT" and self._changing is None and self._reads_several(query):
                # DuckDB opens files while rows are fetched, when others may have changed one of them.
                self._helped(
                    query,
                    lambda: self._db.execute(
                        f"CREATE OR REPLACE TEMP TABLE {_RESULT} AS FROM ({query}\n)", parameters
                    ),
                )
                self._db.execute(f"FROM {_RESULT}")
            else:
                self._helped(query, lambda: self._db.execute(query, parameters))

    def _reads_several(self, query: str) -> bool:
        names = {
            entry.name.name.lower(): entry.kind
            for shown in (self._shown, *self._others.values())
            for entry in shown.entries.values()
        }
        found = mentioned(query)
        tables = [name for name in found if name in names]
        return (
            len(tables) > 1
            or Kind.VIEW in {names[name] for name in tables}
            or any(name in _READS_BY_STRING for name in found)
        )

    def _change(self, statement: Statement, parameters: Any, *, many: bool = False) -> None:
        self._check_transaction()
        self._let_go()
        name = self._target(statement)
        if name is _ELSEWHERE:
            with self._reading():
                run = self._db.executemany if many else self._db.execute
                self._helped(statement.query, lambda: run(statement.query, parameters))
            return
        if self._changing is None and statement.if_missing and self._is_there(statement, name):
            self._db.execute("SELECT 0::BIGINT AS Count WHERE false")
            return
        alone = self._changing is None
        try:
            if alone:
                self._start()
            outcome = self._carry_out(statement, name, parameters, many)
            if alone:
                assert self._changing is not None
                self._helped("", self._changing.commit)
        except BaseException:
            # DuckDB has ended a transaction in which a statement failed.
            self._stop(undo=True)
            self._failed = not alone
            raise
        if alone:
            self._stop(undo=False)
        self._give(outcome)

    def _is_there(self, statement: Statement, name: Name | None) -> bool:
        with self._reading():
            if statement.what == "SCHEMA":
                return statement.target[-1].lower() in {
                    schema.lower() for schema in (*self._shown.schemas, "main")
                }
            entry = None if name is None else self._shown.find(name)
            return entry is not None and entry.kind is Kind(statement.what.lower())

    def _carry_out(self, statement: Statement, name: Name | None, parameters: Any, many: bool) -> _Outcome:
        changing = self._changing
        assert changing is not None
        self._let_go()
        query, was = statement.query, None
        if statement.adds and (beside := changing.beside(name)) is not None:
            query = statement.on(beside)
        elif statement.what != "SCHEMA":
            for referenced_name in referenced(query) if statement.effect is Effect.DEFINE else []:
                changing.load(self._resolve(referenced_name))
            if statement.effect is Effect.CHANGE or statement.if_missing:
                changing.load(name)
            else:
                changing.empty(name)
                was = changing.number(name)
        outcome = self._helped(statement.query, lambda: self._outcome(statement, query, parameters, many))
        if statement.verb in ("INSERT", "COPY"):
            self._check_added(statement, query, outcome)
        changing.unless_used(name, was)
        return outcome

    def _outcome(self, statement: Statement, query: str, parameters: Any, many: bool) -> _Outcome:
        if many:
            self._db.executemany(query, parameters)
            return _Outcome([], [])
        if statement.returns:
            returned = self._db.sql(query, params=parameters)
            return _Outcome([], [], returned)
        self._db.execute(query if statement.handle is None else statement.handle, parameters)
        described = self._db.description or []
        return _Outcome([item[0] for item in described], self._db.fetchall() if described else [])

    def _check_added(self, statement: Statement, query: str, outcome: _Outcome) -> None:
        """DuckDB (1.5 and 2.0) loses what is inserted after no rows at all were, in one transaction."""
        returned = outcome.returned
        added = returned.limit(1).fetchall() if returned is not None else any(row[0] for row in outcome.rows)
        (found,) = statements(query)
        name = ".".join(map(quote, found.target))
        if added and not self._db.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchall():
            raise NotNow(
                f"DuckDB lost the rows that were added to {'.'.join(statement.target)}, so nothing was changed.",
                hint="Leave out the INSERT before it, in the same transaction, that added no rows.",
            )

    def _give(self, outcome: _Outcome) -> None:
        """Let the result be fetched as DuckDB's own would be."""
        if outcome.returned is not None:
            returned = outcome.returned
            assert returned is not None
            self._db.execute(f"CREATE OR REPLACE TEMP TABLE {_RESULT} AS FROM returned")
            self._db.execute(f"FROM {_RESULT}")
        elif outcome.columns:
            values = [value for row in outcome.rows for value in row]
            names = ", ".join(quote(column) for column in outcome.columns)
            if values:
                marks = ", ".join(["(" + ", ".join("?" * len(outcome.columns)) + ")"] * len(outcome.rows))
                self._db.execute(f"SELECT * FROM (VALUES {marks}) AS outcome({names})", values)
            else:
                self._db.execute(
                    f"SELECT {', '.join(f'0::BIGINT AS {name}' for name in names.split(', '))} WHERE false"
                )

    def _target(self, statement: Statement) -> Name | _Elsewhere | None:
        """What a statement changes, as DuckDB would resolve it; ``None`` for a schema."""
        parts = statement.target
        if not parts:
            return None
        if statement.verb != "CREATE" and self._is_temporary(parts):
            return _ELSEWHERE
        database, name = self._place(parts, is_schema=statement.what == "SCHEMA")
        if database in self._others:
            raise InvalidInput(
                f"{'.'.join(parts)!r} is of a state that was attached to be read.",
                hint="Write into a table of your own: CREATE TABLE name AS FROM " + ".".join(parts),
            )
        if database.lower() != _DATABASE:
            return _ELSEWHERE
        return None if statement.what == "SCHEMA" else name

    def _resolve(self, parts: tuple[str, ...]) -> Name | None:
        database, name = self._place(parts, is_schema=False)
        return name if database.lower() == _DATABASE else None

    def _place(self, parts: tuple[str, ...], *, is_schema: bool) -> tuple[str, Name]:
        current = self._db.execute("SELECT current_database(), current_schema()").fetchone()
        database, schema = current if current is not None else (_DATABASE, "main")
        before = parts[:-1]
        if is_schema:
            return (before[0] if before else database), Name(parts[-1], "")
        if len(before) == 2:
            database, schema = before
        elif len(before) == 1:
            if before[0].lower() in self._databases():
                database, schema = before[0], "main"
            else:
                schema = before[0]
        return database, Name(schema, parts[-1])

    def _databases(self) -> set[str]:
        return {
            row[0].lower()
            for row in self._db.execute("SELECT database_name FROM duckdb_databases()").fetchall()
        }

    def _is_temporary(self, parts: tuple[str, ...]) -> bool:
        if len(parts) > 1:
            return parts[0].lower() == "temp"
        found = self._db.execute(
            "SELECT count(*) FROM (SELECT table_name FROM duckdb_tables() WHERE temporary "
            "UNION ALL SELECT view_name FROM duckdb_views() WHERE temporary AND NOT internal) WHERE lower(table_name) = lower(?)",
            [parts[0]],
        ).fetchone()
        return found is not None and found[0] > 0

    @contextlib.contextmanager
    def _relations_for(self, query: str) -> Iterator[None]:
        """Let a query name relations in variables, which DuckDB finds only as what they stand for."""
        names, before = set(mentioned(query)), self._named
        frame: FrameType | None = sys._getframe(1)
        found: dict[str, Any] = {}
        while frame is not None:
            for variables in (frame.f_locals, frame.f_globals):
                for name, value in variables.items():
                    if isinstance(value, Relation) and name.lower() in names:
                        found.setdefault(name, value.inner)
            frame = frame.f_back
        self._named = found
        try:
            yield
        except (RuntimeError, duckdb.InterruptException) as error:
            if "interrupted" in str(error).lower() and not isinstance(error, NotImplementedError):
                raise KeyboardInterrupt from None
            raise
        finally:
            self._named = before

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        with self._turn:
            self._let_go()
            if self._changing is not None:
                yield
                return
            with contextlib.ExitStack() as stack:
                for shown in (self._shown, *self._others.values()):
                    stack.enter_context(lock.reading(shown.folder))
                    shown.refresh()
                yield

    def _let_go(self) -> None:
        """End the result that was not fetched to its end; DuckDB 2 does nothing else before."""
        if _ABORTS:
            self._db.abort()  # type: ignore[attr-defined,unused-ignore]

    def _check_transaction(self) -> None:
        if self._failed:
            raise InvalidInput(
                "A statement of this transaction failed, so all of it was undone.", hint=_AGAIN
            )

    def _start(self) -> None:
        if self._refusal is not None:
            raise InvalidInput(self._refusal, hint="nuvo.connect() without a name changes the current state.")
        self._let_go()
        with contextlib.ExitStack() as stack:
            stack.enter_context(lock.writing(self._shown.folder))
            with lock.reading(self._shown.folder):
                self._shown.refresh()
            for other in self._others.values():
                other.refresh()
            self._changing = Changing(self._db, self._shown.folder, self._shown)
            self._open = stack.pop_all()

    def _stop(self, *, undo: bool) -> None:
        changing, self._changing = self._changing, None
        stack, self._open = self._open, None
        try:
            if changing is not None and undo:
                with contextlib.suppress(duckdb.Error):
                    self._let_go()
                    changing.roll_back()
        finally:
            if stack is not None:
                stack.close()

    def _helped(self, query: str, call: Callable[[], _T]) -> _T:
        """Say what to do about errors that people meet."""
        try:
            return eval("call()", {"call": call, **self._named}) if self._named else call()  # noqa: S307
        except duckdb.Error as error:
            advice = hint(error, query, [self._shown, *self._others.values()])
            if advice is None:
                raise
            raise type(error)(f"{error}\n\n{advice}") from None
