"""The tables of any state: list, look into, compare; rename, delete and import those of a current state."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy.engine import Row

from nuvo_jupyter.engine import present
from nuvo_jupyter.engine.call import Call
from nuvo_jupyter.engine.lookup import find_instance, find_snapshot, parse_state, parse_whole_state
from nuvo_jupyter.engine.writable import require_writable
from nuvo_jupyter.model.changes import ObjectKind
from nuvo_jupyter.model.errors import AlreadyExists, InvalidInput, NotFound, NuvoError
from nuvo_jupyter.model.nodes import Node, NodeKind, TreeEntry
from nuvo_jupyter.model.objects import TABLE, TABLES, kind_of, name_of, paths_of
from nuvo_jupyter.model.paths import join, parse_path, to_name
from nuvo_jupyter.model.requests import (
    OfState,
    TableCompare,
    TableDelete,
    TableImport,
    TableRename,
    TableShow,
)
from nuvo_jupyter.model.roles import Need
from nuvo_jupyter.model.tables import Table, TableComparison, TableRows
from nuvo_jupyter.store import tree
from nuvo_jupyter.workspace.live import live_entries, live_node
from nuvo_jupyter.workspace.safe import Root
from nuvo_jupyter.workspace.tables.files import Copies, live_table
from nuvo_jupyter.workspace.tables.lock import writing


class _State(NamedTuple):
    instance: Row[Any]
    snapshot: Row[Any] | None

    @property
    def text(self) -> str:
        name = f"{self.instance.space}/{self.instance.name}"
        return name if self.snapshot is None else f"{name}@{self.snapshot.number}"


def table_list(call: Call, request: OfState) -> tuple[Table, ...]:
    """The tables and views of a state, by name. A file that is no table is listed with the reason."""
    state = _state(call, request.state)
    return tuple(
        sorted(
            (_shown(call, state, path, node) for path, node in _files(call, state)),
            key=lambda table: table.name,
        )
    )


def table_show(call: Call, request: TableShow) -> TableRows:
    """Some rows of a table.

    Raises:
        NotFound: the state has no such table.
        InvalidInput: it is a view, or its file is no Parquet.
    """
    from nuvo_jupyter.workspace.tables.describe import definition_text, describe, first_rows

    state = _state(call, request.state)
    path, node = _find(call, state, request.table)
    table = _shown(call, state, path, node)
    if table.view:
        return TableRows(table, (), 0, _text(call, state, path, node))
    with _file(call, state, path, node) as file:
        rows = first_rows(file, request.limit, request.offset)
        return TableRows(table, rows, request.offset, definition_text(table.name, describe(file)))


def table_compare(call: Call, request: TableCompare) -> TableComparison:
    """How a table differs between two states.

    Raises:
        NotFound: neither has such a table.
        Refused: not a viewer of the right one.
    """
    from nuvo_jupyter.workspace.tables.compare import compare

    left = _state(call, request.left)
    with call.read() as connection:
        access = call.access(connection)
        reference = parse_whole_state(request.right)
        other = find_instance(connection, access, reference)
        access.require_instance(other, Need.VIEWER, "compare with its tables")
        right = _State(
            other, None if reference.is_current else find_snapshot(connection, other, reference.snapshot)
        )
    found = [_find_or_none(call, state, request.table) for state in (left, right)]
    if found[0] is None and found[1] is None:
        raise _no_table(left, request.table)
    tables = [
        None if item is None else _shown(call, state, *item)
        for state, item in zip((left, right), found, strict=True)
    ]
    if found[0] is None or found[1] is None:
        there = tables[0] or tables[1]
        assert there is not None
        names = tuple(column.name for column in there.columns)
        gone = found[1] is None
        return TableComparison(
            left=tables[0],
            right=tables[1],
            added=() if gone else names,
            removed=names if gone else (),
            changed=(),
            key=(),
            rows_added=0 if gone else there.rows,
            rows_removed=there.rows if gone else 0,
            rows_changed=0,
            rows=(),
        )
    with _file(call, left, *found[0]) as first, _file(call, right, *found[1]) as second:
        compared = compare(first, second, request.key)
    return TableComparison(
        tables[0],
        tables[1],
        compared.added,
        compared.removed,
        compared.changed,
        compared.key,
        compared.rows_added,
        compared.rows_removed,
        compared.rows_changed,
        compared.rows,
    )


def table_rename(call: Call, request: TableRename) -> Table:
    """Give a table or view another name.

    Raises:
        NotFound: there is no such table.
        AlreadyExists: the new name is taken.
        InvalidInput: no table can have it.
    """
    from nuvo_jupyter.workspace.tables.names import MAIN, Kind, Name, file_of, quote

    state = _writable(call)
    path, _ = _find(call, state, request.table)
    file_of(Name(MAIN, request.name.rpartition(".")[2]), Kind.TABLE)
    if _find_or_none(call, state, request.name) is not None:
        raise AlreadyExists(
            f"{state.text} has a table {request.name!r} already.", hint="Choose another name."
        )
    schema = name_of(path).rpartition(".")[0]
    new_schema, _, new = request.name.rpartition(".")
    if schema != new_schema and new_schema:
        raise InvalidInput(
            "A table cannot be moved to another schema by renaming it.", hint="Give the name alone."
        )
    what = "TABLE" if path.endswith(TABLE) else "VIEW"
    with _connection(state) as connection:
        connection.execute(f"ALTER {what} {_quoted(name_of(path))} RENAME TO {quote(new)}")
    found, node = _find(call, state, f"{schema}.{new}" if schema else new)
    return _shown(call, state, found, node)


def table_delete(call: Call, request: TableDelete) -> Table:
    """Delete a table or view of a current state; snapshots keep theirs.

    Raises:
        NotFound: there is no such table.
    """
    state = _writable(call)
    path, node = _find(call, state, request.table)
    table = _shown(call, state, path, node)
    folder = Path(state.instance.workspace) / TABLES
    if table.problem or table.view:
        # What does not work is not shown by DuckDB, which so cannot drop it.
        with writing(folder):
            os.unlink(folder.parent / to_name(path))
    else:
        with _connection(state) as connection:
            connection.execute(f"DROP TABLE {_quoted(name_of(path))}")
    return table


def table_import(call: Call, request: TableImport) -> tuple[Table, ...]:
    """Make tables of a CSV, Parquet, JSON or SQLite file that lies in the instance.

    Raises:
        NotFound: there is no such file.
        InvalidInput: it is none of these, or cannot be read.
        AlreadyExists: there is a table of that name.
    """
    from nuvo_jupyter.workspace.tables.importing import import_file

    state = _writable(call)
    path = parse_path(request.path)
    with Root(state.instance.workspace) as root:
        node = live_node(root, path)
        if node is None or node.kind is not NodeKind.FILE:
            raise NotFound(
                f"{state.text} holds no file {path!r}.", hint="Upload it first, then give its path."
            )
    name = request.table or ""
    wanted = name or os.path.basename(path).partition(".")[0]
    if not request.replace and _find_or_none(call, state, wanted) is not None:
        raise AlreadyExists(
            f"{state.text} has a table {wanted!r} already.", hint="Choose another name, or replace it."
        )
    with _connection(state) as connection:
        made = import_file(
            connection, Path(state.instance.workspace, to_name(path)), name, replace=request.replace
        )
    return tuple(_shown(call, state, *_find(call, state, one)) for one in made)


def _state(call: Call, text: str) -> _State:
    assert call.instance is not None
    reference = parse_state(text)
    if reference.path:
        raise InvalidInput(f"{text!r} names a path.", hint="Give the state, and the table by its name.")
    if reference.is_current:
        return _State(call.instance, None)
    with call.read() as connection:
        return _State(call.instance, find_snapshot(connection, call.instance, reference.snapshot))


def _writable(call: Call) -> _State:
    assert call.instance is not None
    require_writable(call.instance)
    return _State(call.instance, None)


def _files(call: Call, state: _State) -> Iterator[tuple[str, Node]]:
    for path, node in _entries(call, state, TABLES):
        if node.kind is NodeKind.FILE and kind_of(path) is ObjectKind.TABLE:
            yield path, node
        elif node.kind is NodeKind.FOLDER:
            for below, inner in _entries(call, state, path):
                if inner.kind is NodeKind.FILE and kind_of(below) is ObjectKind.TABLE:
                    yield below, inner


def _entries(call: Call, state: _State, path: str) -> list[tuple[str, Node]]:
    found: list[TreeEntry]
    try:
        if state.snapshot is not None:
            found = tree.entries(call.engine.store, state.snapshot.root, path)
        else:
            with Root(state.instance.workspace) as root:
                found = live_entries(root, path)
    except NotFound:
        return []
    return [(join(path, entry.name), entry.node) for entry in found]


def _find(call: Call, state: _State, name: str) -> tuple[str, Node]:
    found = _find_or_none(call, state, name)
    if found is None:
        raise _no_table(state, name)
    return found


def _find_or_none(call: Call, state: _State, name: str) -> tuple[str, Node] | None:
    by_path = dict(_files(call, state))
    for path in paths_of(ObjectKind.TABLE, name):
        if path in by_path:
            return path, by_path[path]
    for path, node in sorted(by_path.items()):
        # SQL does not tell upper from lower case.
        if name_of(path).lower() == name.lower():
            return path, node
    return None


def _no_table(state: _State, name: str) -> NotFound:
    return NotFound(f"{state.text} has no table {name!r}.", hint="`nuvo table list` lists them.")


@contextmanager
def _file(call: Call, state: _State, path: str, node: Node) -> Iterator[str]:
    if state.snapshot is None:
        with Root(state.instance.workspace) as root, live_table(root, path) as file:
            yield file
    else:
        found = tree.find(call.engine.store, state.snapshot.root, path) or node
        copies = Copies(call.engine.context.home / "cache" / "tables")
        yield str(copies.path(found, call.engine.store.stream_file(found)))


def _text(call: Call, state: _State, path: str, node: Node) -> str:
    """The SELECT of a view."""
    with _file(call, state, path, node) as file:
        return Path(file).read_bytes()[: 1 << 20].decode(errors="replace")


def _shown(call: Call, state: _State, path: str, node: Node) -> Table:
    from nuvo_jupyter.workspace.tables.describe import describe

    name, changed = name_of(path), present.moment(node.mtime_ns / 1e9)
    if not path.endswith(TABLE):
        return Table(name, path, True, (), 0, node.size, changed)
    try:
        with _file(call, state, path, node) as file:
            described = describe(file)
    except (NuvoError, OSError) as error:
        return Table(name, path, False, (), 0, node.size, changed, problem=str(error))
    return Table(name, path, False, described.columns, described.rows, node.size, changed)


def _quoted(name: str) -> str:
    from nuvo_jupyter.workspace.tables.names import quote

    schema, _, table = name.rpartition(".")
    return f"{quote(schema)}.{quote(table)}" if schema else quote(table)


@contextmanager
def _connection(state: _State) -> Iterator[Any]:
    from nuvo_jupyter.workspace.tables.connection import Connection

    with Connection(Path(state.instance.workspace) / TABLES) as connection:
        yield connection
