"""Names of copies put beside."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuvo_jupyter.merge import plan
from nuvo_jupyter.merge.beside import Besides, beside_name, free_beside, is_beside
from nuvo_jupyter.model.changes import Action, Strategy
from nuvo_jupyter.model.paths import from_name, parse_path, to_name

from .trees import FOLDER, file


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("notes.ipynb", "notes (from DS 1).ipynb"),
        ("notes", "notes (from DS 1)"),
        (".bashrc", ".bashrc (from DS 1)"),
        ("data.tar.gz", "data (from DS 1).tar.gz"),
        ("a.b.csv", "a.b (from DS 1).csv"),
        ("-rf", "-rf (from DS 1)"),
        ("x (from DS 0).py", "x (from DS 0) (from DS 1).py"),
    ],
)
def test_the_label_goes_before_the_extension(name: str, expected: str) -> None:
    assert beside_name(name, "from DS 1") == expected


def test_folders_have_no_extension() -> None:
    assert beside_name("v1.2", "from DS 1", folder=True) == "v1.2 (from DS 1)"


def test_taken_names_are_numbered() -> None:
    taken = {"w/a (from DS 1).txt", "w/a (from DS 1) 2.txt"}
    assert free_beside("w/a.txt", "from DS 1", taken) == "w/a (from DS 1) 3.txt"


def test_a_label_holds_nothing_a_name_cannot() -> None:
    assert beside_name("a", "from a/b\0c\n1") == "a (from a-b-c-1)"


def test_a_long_label_keeps_its_date() -> None:
    name = beside_name("a.txt", f"from {'é' * 200} 2026-11-20")
    assert name.endswith("… 2026-11-20).txt")


_RAW = st.binary(min_size=1, max_size=255).filter(
    lambda raw: b"/" not in raw and b"\0" not in raw and raw not in (b".", b"..")
)


@given(
    _RAW, st.text(st.characters(exclude_categories=["Cs"]), max_size=200), st.integers(1, 12), st.booleans()
)
@settings(deadline=None)
def test_every_name_fits_is_path_text_and_is_recognised(
    raw: bytes, label: str, number: int, folder: bool
) -> None:
    name = from_name(os.fsdecode(raw))
    beside = beside_name(name, f"from {label}", number, folder=folder)
    assert parse_path(beside) == beside
    assert len(os.fsencode(to_name(beside))) <= 255
    assert from_name(to_name(beside)) == beside
    if " (from" not in label:
        assert is_beside(beside, name, folder=folder)


def test_other_names_are_not_taken_for_copies() -> None:
    assert not is_beside("b (from DS 1).txt", "a.txt")
    assert not is_beside("a (from DS 1).csv", "a.txt")
    assert not is_beside("a.txt", "a.txt")
    assert not is_beside("a (copy).txt", "a.txt")


def test_what_was_distributed_under_such_a_name_is_neither_taken_for_a_copy_nor_put_over() -> None:
    base, target = {"a (from DS 1)": FOLDER}, {"a": file("mine")}
    besides = Besides({"a": FOLDER}, target, base, "from DS 1")
    assert besides.place("a", lambda place: True, folder=True) == ("a (from DS 1) 2", False)


def test_of_two_folders_beside_the_complete_one_is_the_copy() -> None:
    source = {"a": FOLDER, "a/b": FOLDER}
    target = {
        "a": file("mine"),
        "a (from DS 1)": FOLDER,
        "a (from DS 1) 2": FOLDER,
        "a (from DS 1) 2/b": FOLDER,
    }
    changes = plan(source, target, source, strategy=Strategy.OVERWRITE, objects=None, label="from DS 1")
    assert [change for change in changes if change.action is not Action.KEEP] == []
