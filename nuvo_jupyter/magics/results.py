"""What magics return: the response, shown as a table in HTML and in plain text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.lib.pretty import RepresentationPrinter

ROWS_SHOWN = 200


class Result:
    """A response with the table that shows it. Attributes are those of the response.

    Args:
        value: the response: a struct, or a tuple of structs.
        title: a line above the table.
        columns: its header.
        rows: its cells.
        note: a line below the title.
    """

    def __init__(
        self,
        value: Any,
        title: str,
        columns: Sequence[str] = (),
        rows: Sequence[Sequence[Any]] = (),
        note: str = "",
    ) -> None:
        self.value = value
        self.title = cell_text(title)
        self.note = cell_text(note)
        self.columns = list(columns)
        self.rows = [[cell_text(cell) for cell in row] for row in rows]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.value, name)

    def __getitem__(self, index: Any) -> Any:
        return self.value[index]

    def __len__(self) -> int:
        return len(self.value) if isinstance(self.value, tuple) else len(self.rows)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return self._text()

    def _repr_pretty_(self, printer: RepresentationPrinter, _cycle: bool) -> None:
        printer.text(self._text())

    def _repr_html_(self) -> str:
        # Names in here were chosen by students: everything is escaped.
        head = "".join(f'<th style="text-align: left">{escape(name)}</th>' for name in self.columns)
        body = "".join(
            "<tr>" + "".join(f'<td style="text-align: left">{escape(cell)}</td>' for cell in row) + "</tr>"
            for row in self.rows[:ROWS_SHOWN]
        )
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if self.rows else ""
        more = f"<div>{escape(self._more())}</div>" if self._more() else ""
        note = f"<div>{escape(self.note)}</div>" if self.note else ""
        return f"<div><strong>{escape(self.title)}</strong></div>{note}{table}{more}"

    def _text(self) -> str:
        lines = [self.title, self.note] if self.note else [self.title]
        shown = self.rows[:ROWS_SHOWN]
        if shown:
            every = [self.columns, *shown]
            widths = [max(len(row[i]) for row in every) for i in range(len(self.columns))]
            lines += [
                "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
                for row in every
            ]
        return "\n".join([*lines, self._more()]).rstrip("\n")

    def _more(self) -> str:
        left = len(self.rows) - ROWS_SHOWN
        return f"… {left} more rows; .value holds them all." if left > 0 else ""


def cell_text(value: Any) -> str:
    """A cell's text, in one line that cannot command a terminal."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M")
    if isinstance(value, dict):
        value = ", ".join(f"{count} {name}" for name, count in value.items())
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(value))
