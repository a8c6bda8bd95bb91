"""A notebook as lines that people can compare: each cell's source, and its outputs in short."""

from __future__ import annotations

import json
from typing import Any


def notebook_lines(text: str) -> list[str] | None:
    """The lines of a notebook's cells; ``None`` if the text is no notebook."""
    try:
        cells = json.loads(text)["cells"]
        lines: list[str] = []
        for cell in cells:
            lines.append(f"## {cell['cell_type']} cell {cell.get('id', '')}".rstrip())
            lines += _joined(cell["source"]).splitlines()
            for output in cell.get("outputs", ()):
                lines += _output(output)
            lines.append("")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return lines


def _joined(source: Any) -> str:
    return source if isinstance(source, str) else "".join(source)


def _output(output: dict[str, Any]) -> list[str]:
    if "text" in output:
        return [f"   | {line}" for line in _joined(output["text"]).splitlines()]
    if "ename" in output:
        return [f"   | {output['ename']}: {output.get('evalue', '')}"]
    data = output.get("data", {})
    plain = _joined(data["text/plain"]).splitlines() if "text/plain" in data else []
    shown = [f"   | {line}" for line in plain]
    # Pictures are named, with their size as a hint whether they differ.
    return shown + [
        f"   | <{kind}, {len(_joined(value))} characters>"
        for kind, value in data.items()
        if kind.startswith("image/")
    ]
