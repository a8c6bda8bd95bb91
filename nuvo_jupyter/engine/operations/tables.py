"""Operations on the tables of states."""

from __future__ import annotations

from nuvo_jupyter.engine.operations.declaration import Operation, declare, of
from nuvo_jupyter.model import requests as r
from nuvo_jupyter.model import tables as m
from nuvo_jupyter.model.roles import Need

OPERATIONS: tuple[Operation, ...] = of(
    "tables",
    declare(
        "table_list",
        "GET /tables",
        r.OfState,
        tuple[m.Table, ...],
        (Need.VIEWER, "state"),
        "List the tables of a state.",
    ),
    declare(
        "table_show",
        "GET /table",
        r.TableShow,
        m.TableRows,
        (Need.VIEWER, "state"),
        "Show a table's columns and first rows.",
    ),
    declare(
        "table_compare",
        "GET /table/compare",
        r.TableCompare,
        m.TableComparison,
        (Need.VIEWER, "left"),
        "Show how a table differs between two states.",
    ),
    declare(
        "table_import",
        "POST /tables",
        r.TableImport,
        tuple[m.Table, ...],
        (Need.EDITOR, "instance"),
        "Make tables of a CSV, Parquet, JSON or SQLite file.",
    ),
    declare(
        "table_rename",
        "PATCH /table",
        r.TableRename,
        m.Table,
        (Need.EDITOR, "instance"),
        "Rename a table of a current state.",
    ),
    declare(
        "table_delete",
        "DELETE /table",
        r.TableDelete,
        m.Table,
        (Need.EDITOR, "instance"),
        "Delete a table of a current state.",
    ),
)
