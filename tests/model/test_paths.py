"""Path text: every file name has exactly one, and nothing typed leaves the instance."""

from __future__ import annotations

import os

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nuvo_jupyter.model.errors import InvalidPath
from nuvo_jupyter.model.paths import basename, from_name, is_inside, join, parent, parse_path, to_name

# Names that look like escapes are what could go wrong, so they are made more often than chance would.
NAMES = st.one_of(
    st.binary(min_size=1, max_size=255),
    st.lists(
        st.sampled_from(
            [b"\\", b"x", b"\\x", b"5c", b"ff", b"\xff", b"\xc3", b"\xa9", b"a", b"\xed\xb3\xbf"]
        ),
        min_size=1,
        max_size=12,
    ).map(b"".join),
).filter(lambda name: b"/" not in name and b"\0" not in name)


@given(NAMES)
@example(b"\\x5cx41")
@example(b"\\\\xff\xff")
def test_a_name_comes_back_from_its_text(name: bytes) -> None:
    text = from_name(os.fsdecode(name))
    text.encode()  # always valid UTF-8
    assert os.fsencode(to_name(text)) == name


@given(NAMES, NAMES)
@example(b"\xff", b"\\xff")
@example(b"\\x5c", b"\\")
@example(b"\xc3\xa9", b"\\xc3\\xa9")
def test_two_names_never_share_a_text(one: bytes, other: bytes) -> None:
    assert (one == other) == (from_name(os.fsdecode(one)) == from_name(os.fsdecode(other)))


@given(st.lists(NAMES, min_size=1, max_size=4))
def test_what_listings_show_is_what_can_be_typed(names: list[bytes]) -> None:
    texts = [from_name(os.fsdecode(name)) for name in names]
    path = "/".join(texts)
    if any(name in (b".", b"..") for name in names):
        return
    assert parse_path(path) == path
    assert parse_path(f"./{path}//") == path


@given(st.text(max_size=40))
def test_parsing_is_refused_or_gives_one_form(text: str) -> None:
    try:
        path = parse_path(text)
    except InvalidPath:
        return
    assert parse_path(path) == path
    assert not path.startswith("/")
    assert ".." not in path.split("/")


@pytest.mark.parametrize(
    ("typed", "path"), [("", ""), (".", ""), ("./a/./b/", "a/b"), ("a//b", "a/b"), (" ", " ")]
)
def test_paths_are_normalised(typed: str, path: str) -> None:
    assert parse_path(typed) == path


def test_a_file_has_one_path_however_it_is_escaped() -> None:
    assert parse_path("\\x61\\xc3\\xa9\\xff") == "aé\\xff"


@pytest.mark.parametrize(
    "typed",
    [
        "/etc/passwd",
        "..",
        "a/../../b",
        "a/..",
        "\\x2e\\x2e/b",
        "\\x2e",
        "a\\x2fb",
        "a\\x00b",
        "a\0b",
        "\ud800",
        "x" * 256,
        "é" * 128,
    ],
)
def test_paths_that_leave_the_instance_or_are_no_names_are_refused(typed: str) -> None:
    with pytest.raises(InvalidPath):
        parse_path(typed)


def test_names_up_to_the_limit_are_taken() -> None:
    assert parse_path("x" * 255) == "x" * 255
    assert parse_path("\\xff" * 255) == "\\xff" * 255


def test_joining_and_splitting() -> None:
    assert (join("", "a"), join("a", "b"), parent("a/b"), parent("a"), basename("a/b")) == (
        "a",
        "a/b",
        "a",
        "",
        "b",
    )
    assert is_inside("a/b", "a")
    assert is_inside("a", "a")
    assert is_inside("a", "")
    assert not is_inside("ab", "a")
