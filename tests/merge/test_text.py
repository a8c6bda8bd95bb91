"""Three-way merges of text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuvo_jupyter.merge.text import TEXT_MAX, merge_text

BASE = b"one\ntwo\nthree\nfour\nfive\n"


@pytest.mark.parametrize(
    ("target", "source", "merged"),
    [
        (
            b"ONE\ntwo\nthree\nfour\nfive\n",
            b"one\ntwo\nthree\nfour\nFIVE\n",
            b"ONE\ntwo\nthree\nfour\nFIVE\n",
        ),
        (
            b"one\ntwo\nthree\nfour\n",
            b"zero\none\ntwo\nthree\nfour\nfive\n",
            b"zero\none\ntwo\nthree\nfour\n",
        ),
        (b"one\nthree\nfour\nfive\nsix\n", b"one\ntwo\nthree\n4\nfive\n", b"one\nthree\n4\nfive\nsix\n"),
        (b"ONE\ntwo\nthree\nfour\nFIVE\n", b"ONE\ntwo\n3\nfour\nfive\n", b"ONE\ntwo\n3\nfour\nFIVE\n"),
        (b"ONE\ntwo\nthree\nfour\nfive\n", b"1\ntwo\nthree\nfour\nfive\n", None),
        (b"one\nTWO\nthree\nfour\nfive\n", b"one\ntwo\nTHREE\nfour\nfive\n", None),
        (BASE + b"mine\n", BASE + b"theirs\n", None),
        (BASE + b"same\n", BASE + b"same\n", BASE + b"same\n"),
    ],
    ids=[
        "apart",
        "insert and delete",
        "delete and edit",
        "partly alike",
        "same line",
        "neighbours",
        "both append",
        "both alike",
    ],
)
def test_merges(target: bytes, source: bytes, merged: bytes | None) -> None:
    assert merge_text(BASE, target, source) == merged


@pytest.mark.parametrize("ending", [b"\r\n", b"\r", b"\n"])
def test_the_targets_line_endings_stay(ending: bytes) -> None:
    target = BASE.replace(b"one", b"ONE").replace(b"\n", ending)
    source = BASE.replace(b"five", b"FIVE\nsix")
    assert merge_text(BASE, target, source) == b"ONE\ntwo\nthree\nfour\nFIVE\nsix\n".replace(b"\n", ending)


def test_a_line_ending_of_its_own_stays() -> None:
    assert merge_text(b"a\nb\nc\nd\n", b"a\r\nb\nc\nd\n", b"a\nb\nc\nD\n") == b"a\r\nb\nc\nD\n"


@pytest.mark.parametrize(
    ("base", "target", "source", "merged"),
    [
        (b"a\nb\nc\n", b"A\nb\nc", b"a\nb\nC\n", b"A\nb\nC"),
        (b"a\nb\nc", b"A\nb\nc", b"a\nb\nC\n", b"A\nb\nC\n"),
        (b"a\nb\nc", b"A\nb\nc", b"a\nb\nC", b"A\nb\nC"),
        (b"a\nb\nc", b"A\nb\nc\n", b"a\nb\nc\nd\n", b"A\nb\nc\nd\n"),
    ],
)
def test_the_last_line_break_is_merged_like_a_line(
    base: bytes, target: bytes, source: bytes, merged: bytes
) -> None:
    assert merge_text(base, target, source) == merged


@pytest.mark.parametrize(
    "other", [b"\xff\xfe", b"a\0b\n", b"x" * (TEXT_MAX + 1)], ids=["not UTF-8", "NUL", "too large"]
)
def test_what_is_no_text_is_not_merged(other: bytes) -> None:
    assert merge_text(BASE, BASE, other) is None
    assert merge_text(BASE, other, BASE) is None
    assert merge_text(other, BASE, BASE) is None


def test_a_byte_order_mark_stays() -> None:
    bom = "\ufeff".encode()
    assert merge_text(bom + b"a\nb\nc\n", bom + b"A\nb\nc\n", b"a\nb\nC\n") == b"A\nb\nC\n"
    assert merge_text(b"a\nb\nc\n", bom + b"A\nb\nc\n", b"a\nb\nC\n") == bom + b"A\nb\nC\n"


_TEXTS = st.lists(st.sampled_from(["a", "b", "c", "", "d d"]), max_size=10).flatmap(
    lambda lines: st.sampled_from(["\n".join(lines), "".join(line + "\n" for line in lines)]).map(str.encode)
)


@given(_TEXTS, _TEXTS)
@settings(deadline=None)
def test_one_side_alone_is_taken_as_it_is(base: bytes, changed: bytes) -> None:
    assert merge_text(base, changed, base) == changed
    assert merge_text(base, base, changed) == changed
    assert merge_text(base, changed, changed) == changed


@given(_TEXTS, _TEXTS, _TEXTS)
@settings(deadline=None)
def test_sides_can_be_exchanged(base: bytes, target: bytes, source: bytes) -> None:
    assert merge_text(base, target, source) == merge_text(base, source, target)


_LINES = st.integers(3, 30)


@given(_LINES, st.data())
@settings(deadline=None)
def test_edits_with_a_line_between_them_all_arrive(count: int, data: st.DataObject) -> None:
    base = [f"line {number}" for number in range(count)]
    cut = data.draw(st.integers(1, count - 2))
    edit = st.sampled_from(["keep", "change", "delete", "insert"])

    def worked(lines: list[str], who: str) -> list[str]:
        done: list[str] = []
        for line in lines:
            match data.draw(edit):
                case "keep":
                    done.append(line)
                case "change":
                    done.append(f"{line} {who}")
                case "insert":
                    done += [f"{who} {line}", line]
        return done

    head, middle, tail = base[:cut], base[cut], base[cut + 1 :]
    mine, theirs = worked(head, "mine"), worked(tail, "theirs")
    texts = ["".join(line + "\n" for line in lines).encode() for lines in (
        base, [*mine, middle, *tail], [*head, middle, *theirs], [*mine, middle, *theirs],
    )]  # fmt: skip
    assert merge_text(*texts[:3]) == texts[3]


def test_long_texts_are_merged_too() -> None:
    base = [f"{number},{number % 7}\n" for number in range(60_000)]
    target = ["mine\n" if number in (5, 30_000) else line for number, line in enumerate(base)]
    source = [line for number, line in enumerate(base) if number not in (9, 59_990)]
    both = [line for number, line in enumerate(target) if number not in (9, 59_990)]
    base_text, target_text, source_text, merged = (
        "".join(lines).encode() for lines in (base, target, source, both)
    )
    assert merge_text(base_text, target_text, source_text) == merged


def test_a_long_rewrite_without_any_landmark_is_a_conflict() -> None:
    base = b"0,1\n0,2\n" * 30_000
    target = b"mine\n" + base.replace(b"0,1", b"0,3") + b"mine\n"
    assert merge_text(base, target, b"new\n" + base) is None
