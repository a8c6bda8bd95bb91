"""Executors in processes of their own, and empty homes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.engine.campus import Campus

from .processes import Executor

SEED = 20261121


class Extent(NamedTuple):
    """How much to try.

    Args:
        long: everything, rather than what takes seconds.
        seed: of all that is random.
    """

    long: bool
    seed: int

    def runs(self, short: int, long: int) -> int:
        """As many as the form of the run says."""
        return long if self.long else short

    def chance(self, *what: object) -> random.Random:
        """Random numbers for one purpose, the same for the same seed."""
        return random.Random(f"{self.seed} {what}")


@pytest.fixture(scope="session")
def extent(pytestconfig: pytest.Config, testrun_uid: str) -> Extent:
    """The form of this run; its seed is part of every message, and of the output of the long form."""
    long = bool(pytestconfig.getoption("--long-faults"))
    seed = pytestconfig.getoption("--faults-seed")
    if seed is None:
        # The same in all processes of one run.
        seed = int(testrun_uid[:8], 16) if long else SEED
    return Extent(long, seed)


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
