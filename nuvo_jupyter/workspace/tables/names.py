"""Which file holds which table: ``tables/[schema/]name.parquet``, and ``….sql`` for a view."""

from __future__ import annotations

import enum
import os
import re
import stat
from pathlib import Path

import msgspec

from nuvo_jupyter.model.errors import InvalidInput
from nuvo_jupyter.model.objects import TABLE, TABLES, VIEW
from nuvo_jupyter.model.paths import NAME_MAX

MAIN = "main"
"""DuckDB's default schema: the files directly in ``tables/``."""
OURS = ".~"
"""How names of what is ours in ``tables/`` begin; captures leave such names out."""

_RESERVED = frozenset({"information_schema", "pg_catalog", "temp", "system"})
_UNFIT = re.compile(r"[/\x00-\x1f\x7f]")


class Kind(enum.StrEnum):
    """What a file in ``tables/`` is."""

    TABLE = "table"
    VIEW = "view"


class Seen(msgspec.Struct, frozen=True, gc=False):
    """How a file looked: a version of a table, since writers replace files by rename."""

    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


class Name(msgspec.Struct, frozen=True, order=True, gc=False):
    """A table's or view's name; DuckDB does not tell upper from lower case.

    Args:
        schema: ``main`` for files directly in ``tables/``.
        name: within the schema.
    """

    schema: str
    name: str

    @property
    def key(self) -> tuple[str, str]:
        """What two names share that mean the same table."""
        return self.schema.lower(), self.name.lower()

    @property
    def quoted(self) -> str:
        """As SQL."""
        return f"{quote(self.schema)}.{quote(self.name)}"

    def __str__(self) -> str:
        return self.name if self.schema == MAIN else f"{self.schema}.{self.name}"


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One table or view of a folder of tables.

    Args:
        name: of the table.
        kind: table or view.
        file: name of the file relative to the folder of tables, as the system gives it.
        seen: how the file looked.
    """

    name: Name
    kind: Kind
    file: str
    seen: Seen


class Listing(msgspec.Struct):
    """What lies in a folder of tables.

    Args:
        entries: name → table or view.
        problems: file that cannot be one → why.
        schemas: names of the folders in it.
    """

    entries: dict[Name, Entry]
    problems: dict[str, str]
    schemas: set[str]


def quote(identifier: str) -> str:
    """An identifier as SQL."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string as SQL."""
    return "'" + text.replace("'", "''") + "'"


def pattern(path: str) -> str:
    """A path for ``read_parquet``, which would take ``*``, ``?`` and ``[`` in it for wildcards."""
    return re.sub(r"[*?\[]", lambda found: f"[{found[0]}]", path)


def file_of(name: Name, kind: Kind) -> str:
    """The file of a table or view, relative to the folder of tables.

    Raises:
        InvalidInput: no file can have that name.
    """
    parts = [name.name] if name.schema == MAIN else [name.schema, name.name]
    suffix = TABLE if kind is Kind.TABLE else VIEW
    for part in parts:
        if (
            not part
            or part.startswith(".")
            or _UNFIT.search(part)
            or len(os.fsencode(part + suffix)) > NAME_MAX
        ):
            raise InvalidInput(
                f"{part!r} cannot be the name of a table or schema.",
                hint="Names are files: without /, control characters and a leading dot, and not too long.",
            )
    if name.schema.lower() in _RESERVED:
        raise InvalidInput(f"The schema {name.schema!r} is DuckDB's own.")
    return os.path.join(*parts) + suffix


def check_schema(schema: str) -> None:
    """Refuse a schema that no folder can stand for.

    Raises:
        InvalidInput: no folder can have that name.
    """
    if schema != MAIN:
        file_of(Name(schema, "x"), Kind.TABLE)


def listing(folder: Path) -> Listing:
    """Every table and view in a folder of tables, and the files that cannot be one."""
    result = Listing({}, {}, set())
    _list(folder, MAIN, "", result)
    by_key: dict[tuple[str, str], Entry] = {}
    for entry in sorted(result.entries.values(), key=lambda entry: entry.file):
        other = by_key.setdefault(entry.name.key, entry)
        if other is not entry:
            del result.entries[entry.name]
            result.problems[entry.file] = (
                f"it has the same name as {other.file}: SQL does not tell upper from lower case; rename one of them"
            )
    return result


def _list(folder: Path, schema: str, prefix: str, result: Listing) -> None:
    try:
        entries = os.scandir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    except PermissionError:
        result.problems[prefix.rstrip("/") or TABLES] = "you may not look into this folder"
        return
    with entries:
        # Sorted, so that of two files of one name it is always the same one that counts.
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name.startswith("."):
                continue
            if not prefix and entry.is_dir(follow_symlinks=False):
                _list_schema(folder, entry.name, result)
            else:
                _list_file(entry, schema, prefix, result)


def _list_schema(folder: Path, name: str, result: Listing) -> None:
    if not _is_text(name):
        result.problems[os.fsencode(name).decode(errors="backslashreplace")] = "its name is not valid text"
    elif name.lower() in _RESERVED or name.lower() == MAIN:
        result.problems[name] = "a schema cannot have this name"
    elif name.lower() in {schema.lower() for schema in result.schemas}:
        result.problems[name] = (
            "there is another schema of this name: SQL does not tell upper from lower case; rename one"
        )
    else:
        result.schemas.add(name)
        _list(folder / name, name, f"{name}/", result)


def _list_file(entry: os.DirEntry[str], schema: str, prefix: str, result: Listing) -> None:
    stem, suffix = os.path.splitext(entry.name)
    if suffix not in (TABLE, VIEW) or entry.is_dir(follow_symlinks=False):
        return
    file = prefix + entry.name
    if not _is_text(file):
        result.problems[os.fsencode(file).decode(errors="backslashreplace")] = "its name is not valid text"
        return
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return
    if not stat.S_ISREG(status.st_mode):
        result.problems[file] = "it is a link or something else that is no file"
        return
    name, kind = Name(schema, stem), Kind.TABLE if suffix == TABLE else Kind.VIEW
    if name in result.entries:
        result.problems[file] = f"there is also {result.entries[name].file}"
        return
    seen = Seen(status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    result.entries[name] = Entry(name, kind, file, seen)


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
