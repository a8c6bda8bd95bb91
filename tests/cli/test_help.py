"""Every command explains itself, and the manual names it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from nuvo_jupyter.cli.main import build

MANUAL = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()


def commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command below one, with the words that call it."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            yield (*words, name), inner
            yield from commands(inner, (*words, name))


EVERY = [found for found in commands(build()) if not found[1].hidden]
IDS = [" ".join(words) for words, _ in EVERY]


@pytest.mark.parametrize(("words", "command"), EVERY, ids=IDS)
def test_help(words: tuple[str, ...], command: Any) -> None:
    assert command.help
    if words != ("demo",):
        result = CliRunner().invoke(build(), [*words, "--help"])
        assert result.exit_code == 0
        assert " ".join(words) in result.output


@pytest.mark.parametrize(("words", "command"), EVERY, ids=IDS)
def test_every_option_has_a_help_text(words: tuple[str, ...], command: Any) -> None:
    for parameter in command.params:
        if parameter.param_type_name == "option":
            assert parameter.help or parameter.name in ("space", "instance"), parameter.name


@pytest.mark.parametrize(
    "words", sorted({words[:-1] for words, _ in EVERY}), ids=lambda words: " ".join(words)
)
def test_no_line_in_a_list_of_commands_is_cut_off(words: tuple[str, ...]) -> None:
    listed = (
        CliRunner().invoke(build(), [*words, "--help"], terminal_width=80).output.partition("Commands:")[2]
    )
    assert listed
    assert "..." not in listed


@pytest.mark.parametrize("name", IDS)
def test_the_manual_names_it(name: str) -> None:
    assert re.search(rf"`nuvo {name}[ `]", MANUAL), name


def test_the_manual_lists_the_exit_codes() -> None:
    for code in (0, 1, 2, 3, 4, 5, 130):
        assert re.search(rf"^\| {code} \|", MANUAL, re.MULTILINE)
