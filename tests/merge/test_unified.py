"""Unified diffs, beside difflib's and applied by hand."""

from __future__ import annotations

import difflib
import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuvo_jupyter.merge.unified import unified

LINES = st.lists(st.sampled_from("abcdefgh"), max_size=40)


def applied(old: list[str], diff: str) -> list[str]:
    """What ``old`` becomes by a diff, every line of which must fit."""
    new: list[str] = []
    at = 0
    for line in diff.split("\n")[2:]:
        if line.startswith("@@"):
            match = re.fullmatch(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", line)
            assert match is not None
            begin = int(match[1]) - (match[2] != "0")
            new += old[at:begin]
            at = begin
            assert len(new) == int(match[3]) - (match[4] != "0")
        elif line[0] == "+":
            new.append(line[1:])
        else:
            assert old[at] == line[1:]
            at += 1
            if line[0] == " ":
                new.append(line[1:])
    return new + old[at:]


@settings(deadline=None)
@given(LINES, LINES)
def test_a_diff_turns_one_text_into_the_other(old: list[str], new: list[str]) -> None:
    diff = unified(old, new, "left", "right")
    assert (diff == "") == (old == new)
    if diff:
        assert applied(old, diff) == new


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("abc", "abc"),
        ("", "a"),
        ("a", ""),
        ("abcdefghij", "abcdefghiX"),
        ("abcdefghij", "Xbcdefghij"),
        ("abcdefghijklmnop", "abXdefghijklmYop"),
        ("abcdefghijkl", "aXcdefghiYkl"),
    ],
)
def test_it_reads_as_people_know_it(old: str, new: str) -> None:
    theirs = difflib.unified_diff(list(old), list(new), "left", "right", lineterm="")
    assert unified(list(old), list(new), "left", "right") == "\n".join(theirs)


def test_texts_too_different_to_align_are_one_replaced_stretch() -> None:
    choice = random.Random(7)
    old = [str(choice.randrange(90)) for _ in range(60_000)]
    new = [str(choice.randrange(90)) for _ in range(60_000)]
    diff = unified(old, new, "left", "right")
    assert diff.count("@@") == 2
    assert applied(old, diff) == new
