"""Fixtures for what runs in the background."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.delivery.course import Course


@pytest.fixture
def make_course(tmp_path: Path) -> Iterator[Callable[..., Course]]:
    """Make courses that are closed at the end of the test."""
    made: list[Course] = []

    def make(*students: str, **settings: Any) -> Course:
        made.append(Course(tmp_path / str(len(made)), students, **settings))
        return made[-1]

    yield make
    for course in made:
        course.close()
