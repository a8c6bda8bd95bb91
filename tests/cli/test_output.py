"""What the command line writes: nothing that somebody named can command a terminal."""

from __future__ import annotations

import pytest

from nuvo_jupyter.cli.output import Output

NASTY = "a\x1b]0;owned\x07\n\x9b2J\u202e.txt"
SHOWN = "a\\x1b]0;owned\\x07\\n\\x9b2J\\u202e.txt"


def test_names_are_shown_and_not_sent(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(json=False)
    output.line(NASTY)
    output.note(NASTY)
    output.problem("code", NASTY, NASTY)
    output.table(("name",), [[NASTY]])
    written = capsys.readouterr()
    assert written.out == f"{SHOWN}\n{SHOWN}\n"
    assert written.err == f"{SHOWN}\nnuvo: {SHOWN}\n      {SHOWN}\n"


def test_tabs_between_columns_stay(capsys: pytest.CaptureFixture[str]) -> None:
    Output(json=False).line("one\ttwo")
    assert capsys.readouterr().out == "one\ttwo\n"
