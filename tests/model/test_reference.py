"""References as people type them."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nuvo_jupyter.model.errors import InvalidInput, InvalidReference
from nuvo_jupyter.model.reference import (
    Reference,
    check_name,
    check_snapshot_name,
    parse_reference,
    parse_time,
)

PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            ["@", ":", "/", "a", " ", "2026-11-20", "T10", ":00", "Z", "+01", "current", "./", "30", "é"]
        ),
        st.text(max_size=3),
    ),
    max_size=10,
).map("".join)


@given(PIECES)
@example("a@2026-11-20T10:00:./30")
@example("a@2026-11-20:./10")
@example("a@current:b")
def test_what_parses_is_written_so_that_it_parses_to_the_same(text: str) -> None:
    try:
        reference = parse_reference(text)
    except InvalidInput:
        return
    assert parse_reference(str(reference)) == reference
    assert str(parse_reference(str(reference))) == str(reference)


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("anna", Reference("anna")),
        ("intro/anna", Reference("anna", "intro")),
        ("home/intro/anna@3:week 1/a.ipynb", Reference("anna", "intro", "home", "3", "week 1/a.ipynb")),
        ("anna@latest", Reference("anna", snapshot="latest")),
        ("anna@current:a", Reference("anna", path="a")),
        ("anna:", Reference("anna")),
        ("anna@week 3 released", Reference("anna", snapshot="week 3 released")),
        ("anna@2026-11-20", Reference("anna", snapshot="2026-11-20")),
        ("anna@2026-11-20:a", Reference("anna", snapshot="2026-11-20", path="a")),
        ("anna@2026-11-20T10:00", Reference("anna", snapshot="2026-11-20T10:00")),
        ("anna@2026-11-20 10:00:a", Reference("anna", snapshot="2026-11-20 10:00", path="a")),
        ("anna@2026-11-20T10:00:30Z:a:b", Reference("anna", snapshot="2026-11-20T10:00:30Z", path="a:b")),
        ("anna@2026-11-20T10:00+01:00:a", Reference("anna", snapshot="2026-11-20T10:00+01:00", path="a")),
        ("anna@2026-11-20 release:a", Reference("anna", snapshot="2026-11-20 release", path="a")),
        ("anna:mail@2026-11-20", Reference("anna", path="mail@2026-11-20")),
        ("müller/Änna:ü", Reference("Änna", "müller", path="ü")),
    ],
)
def test_references(text: str, reference: Reference) -> None:
    assert parse_reference(text) == reference


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "a/",
        "/a",
        "a//b",
        "a/b/c/d",
        "a@",
        "@1",
        ":a",
        "a\nb",
        "a@1\n2",
        "\udcff",
        "a@\udcff",
        "a:/b",
        "a:../b",
    ],
)
def test_what_is_no_reference_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_reference(text)
    assert caught.value.hint


@pytest.mark.parametrize(
    "name", ["", " ", "a/b", "a@b", "a:b", ".", "..", "a\tb", "x" * 201, "\udcff", "a\x7f"]
)
def test_names_that_references_could_not_hold_are_refused(name: str) -> None:
    with pytest.raises(InvalidReference) as caught:
        check_name(name, "space name")
    assert "space name" in caught.value.message


@given(st.text(max_size=20))
def test_a_name_that_is_taken_can_be_referred_to(name: str) -> None:
    try:
        checked = check_name(name)
    except InvalidReference:
        return
    assert parse_reference(f"{checked}/{checked}") == Reference(checked, checked)


@pytest.mark.parametrize(
    "name", ["3", "٣", "²", "latest", "current", "2026-11-20", "2026-11-20T10", "2026-11-20 10", " 7 "]
)
def test_snapshot_names_that_would_read_as_something_else_are_refused(name: str) -> None:
    with pytest.raises(InvalidReference, match="would read as"):
        check_snapshot_name(name)


@given(st.one_of(st.text(max_size=20), PIECES))
@example("2026-11-20 release")
@example("2026-11-20T")
def test_a_snapshot_name_that_is_taken_can_be_referred_to(name: str) -> None:
    try:
        checked = check_snapshot_name(name)
    except InvalidReference:
        return
    assert parse_reference(f"a@{checked}:b") == Reference("a", snapshot=checked, path="b")
    assert parse_reference(f"a@{checked}") == Reference("a", snapshot=checked)
    assert parse_time(checked) is None
