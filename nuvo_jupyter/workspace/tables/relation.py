"""DuckDB's relations over tables that others may change: used under the lock, so that they see one point."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import duckdb

from nuvo_jupyter.workspace.tables.names import quote

_STREAMS = {
    "arrow",
    "fetch_arrow_reader",
    "fetch_record_batch",
    "to_arrow_reader",
    "__arrow_c_stream__",
}
"""Methods whose rows are read after they have returned."""
_KEEPS = "materialize" in dir(duckdb.DuckDBPyRelation)


class Relation:
    """A relation of DuckDB, with its methods.

    Args:
        relation: what is used.
        reading: no table changes while it is held.
        execute: runs SQL that changes tables.
    """

    def __init__(
        self,
        relation: Any,
        reading: Callable[[], AbstractContextManager[None]],
        execute: Callable[[str], Any],
    ) -> None:
        self._relation = relation
        self._reading = reading
        self._execute = execute
        self._whole: Any = None
        self._rows: Iterator[tuple[Any, ...]] | None = None

    def create(self, table_name: str) -> None:
        """Make a table of its rows."""
        rows = self._relation
        assert rows is not None
        self._execute(f"CREATE TABLE {quote_name(table_name)} AS FROM rows")

    to_table = create

    @property
    def inner(self) -> Any:
        """DuckDB's own."""
        return self._relation

    def insert_into(self, table_name: str) -> None:
        """Add its rows to a table."""
        rows = self._relation
        assert rows is not None
        self._execute(f"INSERT INTO {quote_name(table_name)} FROM rows")

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        """Its next rows; all of them are read at the first call."""
        if self._rows is None:
            with self._reading():
                self._rows = iter(self._again().fetchall())
        return list(itertools.islice(self._rows, size))

    def fetchone(self) -> tuple[Any, ...] | None:
        """Its next row; ``None`` after the last."""
        return next(iter(self.fetchmany(1)), None)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        with self._reading():
            value = getattr(self._streamed() if name in _STREAMS else self._again(), name)
        return self._wrapped(value) if callable(value) else value

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        with self._reading():
            return self._streamed().__arrow_c_stream__(requested_schema)

    def __getitem__(self, name: Any) -> Any:
        return self._give(self._relation[name])

    def __contains__(self, name: str) -> bool:
        return name in self._relation

    def __len__(self) -> int:
        with self._reading():
            return len(self._again())

    def __repr__(self) -> str:
        with self._reading():
            return repr(self._again())

    def __str__(self) -> str:
        with self._reading():
            return str(self._again())

    def _wrapped(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def call(*values: Any, **options: Any) -> Any:
            given = [value._relation if isinstance(value, Relation) else value for value in values]
            named = {
                key: value._relation if isinstance(value, Relation) else value
                for key, value in options.items()
            }
            with self._reading():
                return self._give(method(*given, **named))

        return call

    def _give(self, value: Any) -> Any:
        if isinstance(value, duckdb.DuckDBPyRelation):
            return Relation(value, self._reading, self._execute)
        return value

    def _again(self) -> Any:
        """Itself without the rows that DuckDB 1 keeps of an earlier use."""
        return self._relation if _KEEPS else self._relation.project("*")

    def _streamed(self) -> Any:
        """Itself with its rows read, for what fetches them later."""
        if self._whole is None:
            whole = getattr(self._relation, "materialize" if _KEEPS else "execute")()
            self._whole = whole
        return self._whole


def quote_name(name: str) -> str:
    """A name as a person gives it to a method: with dots between its parts, or quoted as in SQL."""
    return name if '"' in name else ".".join(quote(part) for part in name.split("."))
