"""How a cost grows: its points, the exponent that fits them, and whether that is as it should be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

LINEAR = 1.1
"""Largest exponent that counts as linear: measured twice, a straight line comes out between 0.9 and 1.1."""
CONSTANT = 0.25
"""Largest exponent that counts as near constant."""


@dataclass
class Curve:
    """One cost against one size.

    Args:
        work: what was done.
        of: what grows: files, targets or snapshots.
        flat: whether it should not depend on the size at all, or next to nothing.
        points: (size, seconds, bytes of memory above the idle engine), in the order of size.
    """

    work: str
    of: str
    flat: bool = False
    points: list[tuple[int, float, int]] = field(default_factory=list)

    @property
    def exponent(self) -> float:
        """The p of size^p that fits the seconds best (least squares of the logarithms)."""
        return _slope([(size, seconds) for size, seconds, _ in self.points])

    @property
    def steepest(self) -> float:
        """The larger of the exponent of all points and that of the last two, where fixed costs hide nothing."""
        last = _slope([(size, seconds) for size, seconds, _ in self.points[-2:]])
        return max(self.exponent, last)

    @property
    def verdict(self) -> str:
        """In words."""
        if self.flat:
            return "near constant" if self.exponent <= CONSTANT else "GROWS"
        if self.exponent <= CONSTANT:
            return "near constant"
        return "linear or better" if self.steepest <= LINEAR else "WORSE THAN LINEAR"


def _slope(points: Sequence[tuple[int, float]]) -> float:
    logs = [(math.log(size), math.log(max(cost, 1e-9))) for size, cost in points]
    if len(logs) < 2:
        return 0.0
    middle_x = sum(x for x, _ in logs) / len(logs)
    middle_y = sum(y for _, y in logs) / len(logs)
    spread = sum((x - middle_x) ** 2 for x, _ in logs)
    return sum((x - middle_x) * (y - middle_y) for x, y in logs) / spread
