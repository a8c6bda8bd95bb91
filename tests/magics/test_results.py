"""How results are shown: nothing a student named can become markup or command a terminal."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.lib.pretty import pretty

from nuvo_jupyter.magics.problems import concise
from nuvo_jupyter.magics.results import ROWS_SHOWN, Result
from nuvo_jupyter.model.errors import NotFound


class Seen(HTMLParser):
    """Collects tags and text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert all(name == "style" for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@given(st.text(), st.lists(st.text(), min_size=1, max_size=3))
def test_names_stay_text(title: str, cells: list[str]) -> None:
    result = Result((), title, [f"c{i}" for i in range(len(cells))], [cells])
    seen = Seen()
    seen.feed(result._repr_html_())
    assert seen.tags <= {"div", "strong", "table", "thead", "tbody", "tr", "th", "td"}
    plain = pretty(result)
    assert all(c == "\n" or c.isprintable() for c in plain)


def test_markup_is_shown_as_it_is_written() -> None:
    html = Result((), "t", ["object"], [["<img src=x onerror=alert(1)>"]])._repr_html_()
    assert "<img" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html


def test_long_tables_are_cut_and_say_so() -> None:
    result = Result((), "t", ["n"], [[n] for n in range(ROWS_SHOWN + 5)])
    assert "5 more rows" in result._repr_html_()
    assert "5 more rows" in pretty(result)


def test_errors_cannot_command_a_terminal() -> None:
    @concise
    def magic() -> None:
        raise NotFound("There is no \x1b[2J.", hint="Not \x9b2J either.")

    with pytest.raises(NotFound) as caught:
        magic()
    shown: Any = caught.value
    assert shown._render_traceback_() == ["NotFound: There is no \\x1b[2J.", "Not \\x9b2J either."]
