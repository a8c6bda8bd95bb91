"""Edits to a notebook file such as a person makes them in JupyterLab; the result is as JupyterLab saves it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

Cell = dict[str, Any]

METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
        "version": "3.11.9",
    },
}


def lines(text: str) -> list[str]:
    """Text in the form in which notebooks store it: lines that keep their ends."""
    return text.splitlines(keepends=True)


class OpenNotebook:
    """A notebook (format 4.5) that is read, edited cell by cell, and saved.

    Args:
        path: the file; a new notebook is begun when it does not exist.
        author: makes the ids of new cells differ from those of other authors.
    """

    def __init__(self, path: Path, author: str) -> None:
        self.path, self.author = path, author
        if path.exists():
            self.content: dict[str, Any] = json.loads(path.read_text("utf-8"))
        else:
            self.content = {"cells": [], "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}
        self.cells: list[Cell] = self.content["cells"]

    def answers(self) -> list[Cell]:
        """The cells meant for answers, in order of the exercises."""
        return [cell for cell in self.cells if "answer" in cell["metadata"].get("tags", ())]

    def find(self, text: str) -> int:
        """The index of the first cell that contains the text.

        Raises:
            LookupError: no cell contains it.
        """
        for index, cell in enumerate(self.cells):
            if text in "".join(cell["source"]):
                return index
        raise LookupError(f"{self.path.name} has no cell with {text!r}")

    def insert(self, index: int, kind: str, source: str, outputs: list[Cell] | None = None) -> None:
        """Insert a ``markdown`` or ``code`` cell before the cell at the index."""
        taken = {cell["id"] for cell in self.cells}
        salt = 0
        while (name := self._name(source, salt)) in taken:
            salt += 1
        cell: Cell = {"cell_type": kind, "id": name, "metadata": {}, "source": lines(source)}
        if kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        self.cells.insert(index, cell)
        if outputs is not None:
            self.run(cell, outputs)

    def write(self, cell: Cell, source: str, outputs: list[Cell]) -> None:
        """Replace a code cell's source and run it."""
        cell["source"] = lines(source)
        self.run(cell, outputs)

    def run(self, cell: Cell, outputs: list[Cell]) -> None:
        """Give a code cell the outputs of having been run as the latest of all cells."""
        count = 1 + max((c.get("execution_count") or 0 for c in self.cells), default=0)
        cell["execution_count"] = count
        cell["outputs"] = [
            output | {"execution_count": count} if output["output_type"] == "execute_result" else dict(output)
            for output in outputs
        ]

    def save(self) -> None:
        """Write the file as nbformat does: keys sorted, one space of indent."""
        text = json.dumps(self.content, indent=1, ensure_ascii=False, sort_keys=True)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(f"{text}\n".encode())

    def _name(self, source: str, salt: int) -> str:
        seed = f"{self.author}\n{self.path.name}\n{source}\n{salt}"
        return hashlib.sha256(seed.encode()).hexdigest()[:8]


def stdout(text: str) -> list[Cell]:
    """The outputs of a cell that printed the text."""
    return [{"name": "stdout", "output_type": "stream", "text": lines(text)}]
