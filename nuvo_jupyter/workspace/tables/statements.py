"""What a SQL text does: its statements, and which table each of them changes, as DuckDB itself reads them."""

from __future__ import annotations

import enum
import re
from typing import Any

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
    REFUSED = enum.auto()
    """It makes what cannot be kept in files: indexes, sequences."""
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
        verb: ``INSERT``, ``CREATE``, …; ``""`` where it does not matter.
        span: where in the query, in bytes, the name of the target is.
        if_missing: it does nothing if its target is there.
        adds: it adds rows and looks at none of its target, unless the target has keys.
        returns: it has a RETURNING clause.
        handle: what DuckDB runs instead of the text, where it has rewritten that.
    """

    query: str
    effect: Effect
    target: tuple[str, ...] = ()
    what: str = "TABLE"
    verb: str = ""
    span: tuple[int, int] = (0, 0)
    if_missing: bool = False
    adds: bool = False
    returns: bool = False
    handle: Any = None

    def on(self, name: str) -> str:
        """The statement with another target.

        Args:
            name: as SQL.
        """
        data = self.query.encode()
        return (data[: self.span[0]] + name.encode() + data[self.span[1] :]).decode()


class Word(msgspec.Struct, frozen=True):
    """One token: its text, whether it is a quoted or bare name or keyword, and where it is in bytes."""

    text: str
    is_name: bool
    start: int
    end: int

    @property
    def upper(self) -> str:
        """For comparing with keywords; a quoted name is none."""
        return self.text.upper()

    @property
    def name(self) -> str:
        """As an identifier, unquoted."""
        return self.text[1:-1].replace('""', '"') if self.text.startswith('"') else self.text


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
_UNKEPT = {"INDEX", "SEQUENCE"}
_NOTHING = Word("", False, 0, 0)
_PIECE = re.compile(
    rb"""(?P<comment>--[^\n]*|/\*.*?\*/)|(?P<name>"(?:[^"]|"")*"|[A-Za-z_\x80-\xff][\w$\x80-\xff]*)|\d[\w.]*|\S""",
    re.DOTALL,
)
_BEFORE_NAME = {
    "INSERT": {"OR", "REPLACE", "IGNORE", "INTO"},
    "UPDATE": {"OR", "REPLACE", "IGNORE", "ONLY"},
    "DELETE": {"FROM", "ONLY"},
    "TRUNCATE": {"TABLE", "ONLY"},
    "MERGE": {"INTO", "ONLY"},
    "ALTER": {"TABLE", "VIEW", "SCHEMA", "IF", "EXISTS", "ONLY"},
    "COMMENT": {"ON", "TABLE", "VIEW", "SCHEMA", "COLUMN"},
}


def statements(text: str) -> list[Statement]:
    """Split a SQL text.

    Raises:
        duckdb.ParserException: it is no SQL.
    """
    result: list[Statement] = []
    for found in duckdb.extract_statements(text):
        if found.type == _KINDS.TRANSACTION and not found.query.strip():
            # DuckDB 1.5 puts COPY FROM DATABASE between these.
            begun = any(statement.effect is Effect.BEGIN and not statement.query for statement in result)
            result.append(Statement("", Effect.COMMIT if begun else Effect.BEGIN))
        else:
            result.append(_statement(found))
    return result


def mentioned(text: str) -> list[str]:
    """Every name in a SQL text, unquoted and in lower case, as often as it is there."""
    return [word.name.lower() for word in _words(text) if word.is_name]


def referenced(text: str) -> list[tuple[str, ...]]:
    """The tables that foreign keys in a SQL text refer to."""
    words = _words(text)
    return [_name(words, at + 1)[0] for at, word in enumerate(words) if word.upper == "REFERENCES"]


def _statement(found: Any) -> Statement:
    kind, query = found.type, found.query
    if not query.strip():
        # DuckDB 1.5 gives PIVOT and COPY FROM DATABASE in parts of its own making.
        return Statement(query, Effect.READ, handle=found)
    if kind == _KINDS.TRANSACTION:
        word = (_words(query) or [_NOTHING])[0].upper
        effect = {
            "COMMIT": Effect.COMMIT,
            "END": Effect.COMMIT,
            "ROLLBACK": Effect.ROLLBACK,
            "ABORT": Effect.ROLLBACK,
        }
        return Statement(query, effect.get(word, Effect.BEGIN))
    if kind == _KINDS.COPY:
        return _copy(query)
    if kind in _WRITES:
        return _write(query)
    if kind in _DEFINES:
        return _define(query)
    if kind in _SESSION or (kind == _KINDS.EXPLAIN and _explains_a_write(query)):
        return Statement(query, Effect.SESSION)
    if kind in (_KINDS.COPY_DATABASE, _KINDS.PRAGMA) and _begins(query, "COPY", "FROM", "DATABASE"):
        return Statement(query, Effect.DEFINE, what="", handle=None if kind == _KINDS.PRAGMA else found)
    if kind == _KINDS.PRAGMA and _begins(query, "IMPORT"):
        return Statement(query, Effect.DEFINE, what="")
    return Statement(query, Effect.READ, verb="SELECT" if kind == _KINDS.SELECT else "")


def _begins(query: str, *words: str) -> bool:
    return tuple(word.upper for word in _words(query)[: len(words)]) == words


def _copy(query: str) -> Statement:
    words = _words(query)
    rest = _after_verb(words)
    if rest < len(words) and words[rest].text == "(":
        return Statement(query, Effect.READ)
    depth = 0
    for word in words[rest:]:
        depth += (word.text == "(") - (word.text == ")")
        if depth == 0 and word.upper in ("FROM", "TO"):
            if word.upper == "FROM":
                target, span = _name(words, rest)
                return Statement(query, Effect.CHANGE, target, verb="COPY", span=span, adds=True)
            break
    return Statement(query, Effect.READ)


def _explains_a_write(query: str) -> bool:
    return any(word.upper in _VERBS for word in _words(query)[:4])


def _write(query: str) -> Statement:
    words = _words(query)
    start = _after_verb(words)
    verb = words[start - 1].upper
    before = set()
    while start < len(words) and words[start].upper in _BEFORE_NAME.get(verb, ()):
        before.add(words[start].upper)
        start += 1
    target, span = _name(words, start)
    if verb == "COMMENT" and "COLUMN" in before:
        target = target[:-1]
    return Statement(
        query,
        Effect.CHANGE,
        target,
        what=next((what for what in ("VIEW", "SCHEMA") if what in before), "TABLE"),
        verb=verb,
        span=span,
        adds=verb == "INSERT" and "OR" not in before,
        returns=any(word.upper == "RETURNING" for word in words),
    )


def _define(query: str) -> Statement:
    words = _words(query)
    start = _after_verb(words)
    verb = words[start - 1].upper
    what, before = "", set()
    while start < len(words):
        word = words[start].upper
        if what and word not in ("IF", "NOT", "EXISTS"):
            break
        if word in (
            "OR",
            "REPLACE",
            "TEMP",
            "TEMPORARY",
            "LOCAL",
            "GLOBAL",
            "RECURSIVE",
            "UNIQUE",
            "PERSISTENT",
            "IF",
            "NOT",
            "EXISTS",
        ):
            before.add(word)
        else:
            what = word
        start += 1
    target, span = _name(words, start)
    if before & {"TEMP", "TEMPORARY"}:
        return Statement(query, Effect.SESSION, target)
    if verb == "CREATE" and what in _UNKEPT:
        return Statement(query, Effect.REFUSED, target, what=what)
    if what not in ("TABLE", "VIEW", "SCHEMA"):
        return Statement(query, Effect.SESSION, target)
    return Statement(
        query,
        # CREATE OR REPLACE may read what it replaces.
        Effect.CHANGE if "REPLACE" in before else Effect.DEFINE,
        target,
        what=what,
        verb=verb,
        span=span,
        if_missing=verb == "CREATE" and "NOT" in before,
    )


def _after_verb(words: list[Word]) -> int:
    depth = 0
    for index, word in enumerate(words):
        depth += (word.text == "(") - (word.text == ")")
        if depth == 0 and word.upper in _VERBS:
            return index + 1
    return 0


def _name(words: list[Word], start: int) -> tuple[tuple[str, ...], tuple[int, int]]:
    """The parts of the name that begins at a word, and where it is."""
    parts: list[str] = []
    at = start
    while at < len(words) and words[at].is_name:
        parts.append(words[at].name)
        at += 1
        if at >= len(words) or words[at].text != ".":
            break
        at += 1
    if not parts:
        return (), (0, 0)
    return tuple(parts), (words[start].start, words[at - 1].end)


def _words(query: str) -> list[Word]:
    """The tokens as DuckDB gives them: where they begin, in bytes; dots and brackets it may leave to the one before."""
    data = query.encode()
    tokens = duckdb.tokenize(query)
    words: list[Word] = []
    for index, (offset, kind) in enumerate(tokens):
        end = tokens[index + 1][0] if index + 1 < len(tokens) else len(data)
        if kind == duckdb.token_type.comment:
            continue
        if kind == duckdb.token_type.string_const:
            words.append(Word(data[offset:end].decode(errors="replace").strip(), False, offset, end))
            continue
        for found in _PIECE.finditer(data, offset, end):
            if not found["comment"]:
                words.append(
                    Word(found[0].decode(errors="replace"), found["name"] is not None, *found.span())
                )
    return words


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


def is_table_body(text: str) -> bool:
    """Whether a text is one pair of brackets with what is in them, and nothing after (such as ``AS SELECT``)."""
    words = _words(text)
    depth = 0
    for at, word in enumerate(words):
        depth += (word.text == "(") - (word.text == ")")
        if depth == 0:
            return at == len(words) - 1 and word.text == ")"
    return False


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
