"""Campuses: an engine on a real home, with and without a course in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .campus import PROFESSOR, Campus, Keeper


@pytest.fixture
def campus(tmp_path: Path) -> Iterator[Campus]:
    """An empty home."""
    campus = Campus(tmp_path)
    yield campus
    campus.close()


@pytest.fixture
def course(campus: Campus) -> Campus:
    """A home with the course `intro`: the professor's Master holds two files; anna and ben have instances."""
    campus.space()
    campus.write("intro/master", {"a.txt": "one\n", "week1/b.txt": "two\n"})
    campus.run("roster_add", PROFESSOR, space="intro", people="anna\nben")
    return campus


@pytest.fixture(scope="module")
def shared_course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campus]:
    """As `course`, made once per file."""
    campus = Campus(tmp_path_factory.mktemp("campus"))
    campus.space()
    campus.write("intro/master", {"a.txt": "one\n", "week1/b.txt": "two\n"})
    campus.run("roster_add", PROFESSOR, space="intro", people="anna\nben")
    yield campus
    campus.close()


@pytest.fixture(scope="module")
def keeper(shared_course: Campus) -> Iterator[Keeper]:
    keeper = Keeper(shared_course)
    yield keeper
    keeper.close()


@pytest.fixture
def known(shared_course: Campus, keeper: Keeper) -> Iterator[Campus]:
    """The shared course, its catalog as it was at first; for tests that deliver nothing."""
    yield shared_course
    keeper.restore()
