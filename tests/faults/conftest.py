"""Executors in processes of their own, and empty homes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.campus import Campus

from .processes import Executor


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    executor = Executor()
    yield executor
    executor.close()


@pytest.fixture
def campus(tmp_path: Path) -> Iterator[Campus]:
    campus = Campus(tmp_path / "campus")
    campus.space()
    yield campus
    campus.close()
