"""Random draws that give the same numbers on every Python version and platform."""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import TypeVar

T = TypeVar("T")


class Draw:
    """A seeded source of random values, built on ``random.Random.random`` alone.

    Only that method's sequence is promised to stay the same between Python releases
    (library reference, "Notes on Reproducibility"), so ``choice``, ``gauss`` and others are not used.

    Args:
        seed: any text; equal text gives equal draws.
    """

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed).random

    def uniform(self, low: float, high: float) -> float:
        """A number between ``low`` and ``high``."""
        return low + (high - low) * self.random()

    def normal(self, mean: float, deviation: float) -> float:
        """A normally distributed number (Box and Muller, 1958)."""
        radius = math.sqrt(-2.0 * math.log(1.0 - self.random()))
        return mean + deviation * radius * math.cos(2.0 * math.pi * self.random())

    def integer(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        return low + int(self.random() * (high - low + 1))

    def chance(self, probability: float) -> bool:
        """True with the given probability, 0 to 1."""
        return self.random() < probability

    def choice(self, items: Sequence[T]) -> T:
        """One of the items, each equally likely."""
        return items[int(self.random() * len(items))]

    def weighted(self, items: Sequence[T], weights: Sequence[float]) -> T:
        """One of the items, with likelihood in proportion to its weight."""
        edges = list(accumulate(weights))
        return items[min(bisect_right(edges, self.random() * edges[-1]), len(items) - 1)]

    def sample(self, items: Sequence[T], count: int) -> list[T]:
        """``count`` different items in random order; all of them when there are fewer."""
        pool = list(items)
        return [pool.pop(int(self.random() * len(pool))) for _ in range(min(count, len(pool)))]
