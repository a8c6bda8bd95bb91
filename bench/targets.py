"""Which ratios are to be reached, and whether they were."""

from __future__ import annotations

from dataclasses import dataclass

from bench.figures import Figures


@dataclass(frozen=True)
class Target:
    """A ratio between our figure and another tool's, for the same work or another one.

    Args:
        work: ours.
        peer: the other tool; ``""`` for an absolute figure in seconds (or bytes, for a size).
        most: what it must not exceed.
        goal: what to go for.
        its_work: the other tool's work, where it is called otherwise.
        per: divide our figure by the number of targets first.
        size: compare bytes stored, not seconds.
    """

    work: str
    peer: str
    most: float
    goal: float | None = None
    its_work: str = ""
    tool: str = "ours"
    per_target: bool = False
    size: bool = False

    @property
    def label(self) -> str:
        """The row's heading."""
        if not self.peer:
            return f"{self.work}, seconds{' per target' if self.per_target else ''}"
        its = f" ({self.its_work.split(' ', 1)[1]})" if self.its_work else ""
        return f"{self.work} ÷ {self.peer}{its}"

    def reached(self, figures: Figures, targets: int) -> float | None:
        """The ratio in these figures, or ``None`` if it was not measured."""
        other = (self.its_work or self.work, self.peer)
        if self.size:
            mine, its = figures.sizes.get((self.work, self.tool)), figures.sizes.get(other)
            return mine / its if mine and its else None
        figure = figures.times.get((self.work, self.tool))
        if figure is None:
            return None
        if not self.peer:
            return figure.seconds / (targets if self.per_target else 1)
        there = figures.times.get(other)
        return None if there is None else figure.seconds / there.seconds


_FIRST = "D first hand-out"
TARGETS = (
    Target("A first snapshot", "cp", 1.5, 1.2),
    Target("A first snapshot", "borg", 0.42),
    Target("C first snapshot", "cp", 0.5, 0.35),
    Target("C first snapshot", "borg", 0.3),
    Target("B first snapshot", "borg", 0.45, 0.35),
    Target("A no change", "git", 2.0, 1.2, its_work="A no change, looking only"),
    Target("C no change", "git", 2.7, 1.8, its_work="C no change, looking only"),
    Target("A 1 % changed", "git", 0.75, 0.5),
    Target("A full restore", "cp", 0.9, 0.7),
    Target("C full restore", "cp", 0.45, 0.35),
    Target(_FIRST, "cp", 0.8, 0.5),
    Target(_FIRST, "nbgitpuller", 0.1),
    Target("D 4 files updated", "cp", 0.2, 0.1, its_work=_FIRST),
    Target("D 4 files updated", "rsync", 0.2, 0.1),
    Target("D nothing new", "", 0.015, 0.008, per_target=True),
    Target("D preview for all", "", 0.015, 0.01, per_target=True),
    Target("A store", "restic", 1.08, 1.0, size=True),
    Target("C store", "restic", 1.08, 1.0, size=True),
    Target("start: nuvo --help", "", 0.15, tool="ours-cli"),
    Target("start: nuvo snapshot, 50 files unchanged", "", 0.35, tool="ours-cli"),
)
