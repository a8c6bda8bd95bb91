"""Results for people (tables on a terminal, tabs in a pipe) and for programs (JSON)."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec


class Output:
    """Writes results to standard output and everything else to standard error.

    Args:
        json: write response structs as JSON instead of text.
    """

    def __init__(self, *, json: bool) -> None:
        self.json = json

    def struct(self, value: Any) -> bool:
        """Write ``value`` as one line of JSON if that was asked for, and say whether it was."""
        if self.json:
            sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
        return self.json

    def line(self, text: str) -> None:
        """Write a line; its columns are separated by tabs."""
        sys.stdout.write("\t".join(map(clean, text.split("\t"))) + "\n")

    def note(self, text: str) -> None:
        """Tell the person something that is no result."""
        sys.stderr.write(clean(text) + "\n")

    def problem(self, code: str, message: str, hint: str | None) -> None:
        """Tell an error."""
        if self.json:
            body = {"code": code, "message": message, "hint": hint}
            sys.stderr.write(msgspec.json.encode(body).decode() + "\n")
            return
        sys.stderr.write(f"nuvo: {clean(message)}\n")
        if hint:
            sys.stderr.write(f"      {clean(hint)}\n")

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Write rows, with a header on a terminal."""
        cells = [[text_of(value) for value in row] for row in rows]
        if not sys.stdout.isatty():
            for row in cells:
                sys.stdout.write("\t".join(row) + "\n")
            return
        if not cells:
            self.note("Nothing to list.")
            return
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(*columns, box=None, pad_edge=False, header_style="bold")
        for row in cells:
            table.add_row(*(Text(cell) for cell in row))
        Console().print(table)


def text_of(value: Any) -> str:
    """A cell's text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M")
    if isinstance(value, dict):
        return ", ".join(f"{count} {clean(str(name))}" for name, count in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(clean(str(item)) for item in value)
    return clean(str(value))


def clean(text: str) -> str:
    """Text that cannot command a terminal: control characters of names are shown, not sent."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def size(count: int) -> str:
    """Bytes for people, in decimal units."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"
