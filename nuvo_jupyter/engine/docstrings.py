"""Docstrings of the model, read as descriptions for the OpenAPI document."""

from __future__ import annotations

import inspect
import re

_ROLE = re.compile(r":\w+:`([^`]*)`")


def summary(docstring: str) -> str:
    """The docstring without its ``Args`` section, as Markdown."""
    return _markdown(inspect.cleandoc(docstring).partition("\n\nArgs:\n")[0])


def argument_texts(docstring: str) -> dict[str, str]:
    """What the ``Args`` section says of each argument; ``done, total: …`` speaks of both."""
    found: dict[str, str] = {}
    names: list[str] = []
    for line in inspect.cleandoc(docstring).partition("\n\nArgs:\n")[2].splitlines():
        head = re.fullmatch(r" {4}(\w+(?:, \w+)*): (.*)", line)
        if head:
            names = head[1].split(", ")
            found.update(dict.fromkeys(names, head[2]))
        elif line.startswith(" " * 8):
            for name in names:
                found[name] += f" {line.strip()}"
        else:
            break
    return {name: _markdown(text) for name, text in found.items()}


def _markdown(text: str) -> str:
    return _ROLE.sub(r"`\1`", text).replace("``", "`")
