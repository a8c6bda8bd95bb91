"""What errors tell users to do next can be done."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import click
import pytest

import nuvo_jupyter
from nuvo_jupyter.cli.main import build

PACKAGE = Path(nuvo_jupyter.__file__).parent
SPOKEN = re.compile(r"(?:`|\()nuvo ((?:[a-z]+ ?)+)")


def commands() -> set[str]:
    found: set[str] = set()

    def walk(command: Any, name: str) -> None:
        found.add(name)
        if isinstance(command, click.Group):
            context = click.Context(command)
            for below in command.list_commands(context):
                walk(command.get_command(context, below), f"{name} {below}".strip())

    walk(build(), "")
    return found


def spoken() -> list[tuple[str, str]]:
    """Every command that a text in the parts below the faces names: file and command."""
    found = []
    for part in ("model", "catalog", "store", "workspace", "delivery", "engine"):
        for path in sorted((PACKAGE / part).glob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found += [(path.stem, words.strip()) for words in SPOKEN.findall(node.value)]
    return found


def test_commands_are_found() -> None:
    assert {"stage add", "space list", "verify"} <= commands()
    assert len(spoken()) > 10


@pytest.mark.parametrize(("where", "command"), sorted(set(spoken())))
def test_a_command_that_a_hint_names_exists(where: str, command: str) -> None:
    words = command.split()
    assert any(" ".join(words[:length]) in commands() for length in (1, 2, 3)[: len(words)]), where
    group = next(iter(words))
    if any(name.startswith(f"{group} ") for name in commands()):
        assert " ".join(words[:2]) in commands(), where
