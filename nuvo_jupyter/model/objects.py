"""Which paths of a state are files, tables and applications: all of them are files to capture, store and apply.

A table is ``tables/[schema/]name.parquet``, a view ``….sql``. An application's definition is the folder
``.nuvo/applications/NAME``. Both are merged as whole objects, with a strategy of their own.
"""

from __future__ import annotations

from nuvo_jupyter.model.changes import ObjectKind

TABLES = "tables"
"""The folder of tables."""
APPLICATIONS = ".nuvo/applications"
"""The folder of applications' definitions."""
TABLE, VIEW = ".parquet", ".sql"

_IN_TABLES, _IN_APPLICATIONS = TABLES + "/", APPLICATIONS + "/"


def kind_of(path: str) -> ObjectKind:
    """What a path of a state belongs to; folders of tables count as files, since they hold other files too."""
    if path.startswith(_IN_TABLES):
        if path.endswith((TABLE, VIEW)) and path.count("/") <= 2:
            return ObjectKind.TABLE
    elif path.startswith(_IN_APPLICATIONS):
        return ObjectKind.APPLICATION
    return ObjectKind.FILE


def name_of(path: str) -> str:
    """The name under which people know the table or application a path belongs to; the path itself of a file."""
    match kind_of(path):
        case ObjectKind.TABLE:
            return path[len(_IN_TABLES) : path.rindex(".")].replace("/", ".")
        case ObjectKind.APPLICATION:
            return path[len(_IN_APPLICATIONS) :].partition("/")[0]
        case _:
            return path


def application_of(path: str) -> str:
    """The folder of the application that a path is or lies in; ``""`` if of none."""
    if not path.startswith(_IN_APPLICATIONS):
        return ""
    return _IN_APPLICATIONS + path[len(_IN_APPLICATIONS) :].partition("/")[0]


def paths_of(kind: ObjectKind, name: str) -> tuple[str, ...]:
    """Where an object lies, the first of these that a state has: several names of files mean one table's.

    Args:
        name: path text of a file or folder, ``[schema.]name`` of a table or view, or an application's name.
    """
    match kind:
        case ObjectKind.TABLE:
            inside = [name]
            if "." in name:
                schema, _, table = name.partition(".")
                inside.insert(0, f"{schema}/{table}")
            return tuple(_IN_TABLES + one + suffix for one in inside for suffix in (TABLE, VIEW))
        case ObjectKind.APPLICATION:
            return (_IN_APPLICATIONS + name,)
        case _:
            return (name,)
