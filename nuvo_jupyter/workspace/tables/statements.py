"""What a SQL text does: its statements, and which table each of them changes, as DuckDB itself reads them."""

from __future__ import annotations

import enum

import duckdb
import msgspec


class Effect(enum.Enum):
    """What has to be done around a statement."""

    READ = enum.auto()
    """It sees tables and changes none."""
    CHANGE = enum.auto()
    """It changes rows or columns of its targets, which must be loaded."""
    DEFINE = enum.auto()
    """It creates or drops its targets without looking at what they hold."""
    SESSION = enum.auto()
    """It concerns this connection alone: settings, temporary tables, macros."""
    BEGIN = enum.auto()
    COMMIT = enum.auto()
    ROLLBACK = enum.auto()


class Statement(msgspec.Struct, frozen=True):
    """One statement.

    Args:
        query: its text.
        effect: what it does.
        target: parts of the name of the table, view or schema it changes, unquoted; empty if none.
        what: ``TABLE``, ``VIEW`` or ``SCHEMA``.
    """

    query: str
    effect: Effect
    target: tuple[str, ...] = ()
    what: str = "TABLE"


_KINDS = duckdb.StatementType
_WRITES = {_KINDS.INSERT, _KINDS.UPDATE, _KINDS.DELETE, _KINDS.MERGE_INTO, _KINDS.ALTER}
_DEFINES = {_KINDS.CREATE, _KINDS.DROP}
_SESSION = {
    _KINDS.SET,
    _KINDS.VARIABLE_SET,
    _KINDS.PREPARE,
    _KINDS.LOAD,
    _KINDS.ATTACH,
    _KINDS.DETACH,
    _KINDS.VACUUM,
}
_VERBS = {"INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "ALTER", "DROP", "CREATE", "TRUNCATE", "COMMENT"}
_BEFORE_NAME = {
    "OR", "REPLACE", "IGNORE", "INTO", "FROM", "ONLY", "IF", "NOT", "EXISTS", "ON",
    "TABLE", "VIEW", "SCHEMA", "COLUMN", "RECURSIVE",
}  # fmt: skip


def statements(text: str) -> list[Statement]:
    """Split a SQL text.

    Raises:
        duckdb.ParserException: it is no SQL.
    """
    return [_statement(found.type, found.query) for found in duckdb.extract_statements(text)]


def _statement(kind: object, query: str) -> Statement:
    if kind == _KINDS.TRANSACTION:
        word = (_words(query) or [("", "")])[0][0].upper()
        effect = {"COMMIT": Effect.COMMIT, "END": Effect.COMMIT, "ROLLBACK": Effect.ROLLBACK, "ABORT": Effect.ROLLBACK}
        return Statement(query, effect.get(word, Effect.BEGIN))
    if kind in _SESSION:
        return Statement(query, Effect.SESSION)
    if kind == _KINDS.COPY:
        return _copy(query)
    if kind in _WRITES:
        return Statement(query, Effect.CHANGE, *_target(query))
    if kind in _DEFINES:
        target, what, temporary, replaces = _definition(query)
        if temporary or what not in ("TABLE", "VIEW", "SCHEMA"):
            return Statement(query, Effect.SESSION)
        # CREATE OR REPLACE may read what it replaces.
        return Statement(query, Effect.CHANGE if replaces else Effect.DEFINE, target, what)
    if kind == _KINDS.EXPLAIN and _explains_a_write(query):
        return Statement(query, Effect.SESSION)
    if kind == _KINDS.PRAGMA and query.strip().upper().startswith("IMPORT"):
        return Statement(query, Effect.DEFINE)
    return Statement(query, Effect.READ)


def _copy(query: str) -> Statement:
    words = _words(query)
    rest = _after_verb(words)
    if rest and words[rest][0] == "(":
        return Statement(query, Effect.READ)
    depth = 0
    for text, _ in words[rest:]:
        depth += (text == "(") - (text == ")")
        if depth == 0 and text.upper() in ("FROM", "TO"):
            if text.upper() == "FROM":
                return Statement(query, Effect.CHANGE, _name(words, rest))
            break
    return Statement(query, Effect.READ)


def _explains_a_write(query: str) -> bool:
    return any(text.upper() in _VERBS for text, kind in _words(query)[:4] if kind != "identifier")


def _target(query: str) -> tuple[tuple[str, ...], str]:
    words = _words(query)
    start = _after_verb(words)
    what = "TABLE"
    while start < len(words) and words[start][0].upper() in _BEFORE_NAME:
        if words[start][0].upper() in ("VIEW", "SCHEMA"):
            what = words[start][0].upper()
        start += 1
    name = _name(words, start)
    is_column = any(text.upper() == "COLUMN" for text, _ in words[:start])
    return (name[:-1] if is_column and words[0][0].upper() == "COMMENT" else name), what


def _definition(query: str) -> tuple[tuple[str, ...], str, bool, bool]:
    words = _words(query)
    start = _after_verb(words)
    what, temporary, replaces = "", False, False
    while start < len(words):
        word = words[start][0].upper()
        if word in ("TEMP", "TEMPORARY"):
            temporary = True
        elif word == "REPLACE":
            replaces = True
        elif what and word not in ("IF", "NOT", "EXISTS"):
            break
        elif not what and word not in ("OR", "RECURSIVE", "UNIQUE"):
            what = word
        start += 1
    return _name(words, start), what, temporary, replaces


def _after_verb(words: list[tuple[str, str]]) -> int:
    depth = 0
    for index, (text, _) in enumerate(words):
        depth += (text == "(") - (text == ")")
        if depth == 0 and text.upper() in _VERBS:
            return index + 1
    return 0


def _name(words: list[tuple[str, str]], start: int) -> tuple[str, ...]:
    parts: list[str] = []
    for text, _ in words[start:]:
        if text == ".":
            continue
        parts.append(text[1:-1].replace('""', '"') if text.startswith('"') else text)
        start += 1
        following = words[start][0] if start < len(words) else ""
        if following != ".":
            break
        start += 1
    return tuple(parts)


def _words(query: str) -> list[tuple[str, str]]:
    """Text and kind of each token; DuckDB gives where tokens begin, in bytes, and leaves out the dots in names."""
    data = query.encode()
    tokens = [item for item in duckdb.tokenize(query)]
    words: list[tuple[str, str]] = []
    for index, (offset, kind) in enumerate(tokens):
        if kind == duckdb.token_type.comment:
            continue
        end = tokens[index + 1][0] if index + 1 < len(tokens) else len(data)
        text = data[offset:end].decode(errors="replace").strip()
        name = kind.name
        if text.startswith('"'):
            close = _closing(text)
            words.append((text[: close + 1], name))
            text = text[close + 1 :].strip()
        elif kind in (duckdb.token_type.keyword, duckdb.token_type.identifier):
            bare = text
            for stop, character in enumerate(text):
                if not (character.isalnum() or character in "_$" or ord(character) > 127):
                    bare = text[:stop]
                    break
            words.append((bare, name))
            text = text[len(bare) :].strip()
        if text:
            words.extend((character, "operator") if character in ".();" else (character, name) for character in text)
    return words


def _closing(text: str) -> int:
    position = 1
    while position < len(text):
        if text[position] == '"':
            if text[position + 1 : position + 2] != '"':
                return position
            position += 1
        position += 1
    return len(text) - 1


def view_query(created: str) -> str:
    """The SELECT of a view, from the ``CREATE VIEW`` DuckDB shows for it."""
    data = created.encode()
    depth, columns = 0, ""
    tokens = duckdb.tokenize(created)
    for index, (offset, kind) in enumerate(tokens):
        end = tokens[index + 1][0] if index + 1 < len(tokens) else len(data)
        text = data[offset:end].decode(errors="replace").strip()
        if kind == duckdb.token_type.keyword and text.upper() == "AS" and depth == 0:
            query = data[end:].decode().strip().rstrip(";")
            before = data[:offset].decode().rstrip()
            if before.endswith(")"):
                columns = before[_opening(before) :]
            return f"SELECT * FROM ({query}) AS v{columns}" if columns else query
        if kind == duckdb.token_type.operator:
            depth += text.count("(") - text.count(")")
    raise ValueError("It is no CREATE VIEW.")


def table_body(created: str) -> str:
    """The columns and constraints in brackets, from the ``CREATE TABLE`` DuckDB shows for a table."""
    data = created.encode()
    for offset, kind in duckdb.tokenize(created):
        if kind == duckdb.token_type.operator and data[offset : offset + 1] == b"(":
            return data[offset:].decode().strip().rstrip(";")
    raise ValueError("It is no CREATE TABLE.")


def _opening(text: str) -> int:
    """Where the bracket that closes at the end of a text was opened; quoted names may hold brackets."""
    depth, quoted = 0, False
    for position in range(len(text) - 1, -1, -1):
        character = text[position]
        if character == '"':
            quoted = not quoted
        elif not quoted:
            depth += (character == ")") - (character == "(")
            if depth == 0:
                return position
    return 0
