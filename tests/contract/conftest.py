"""One course per file of tests; each test takes students of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .course import Class


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Class]:
    course = Class(tmp_path_factory.mktemp("course"))
    yield course
    course.close()
