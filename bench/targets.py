"""Which ratios are to be reached, and whether they were."""

from __future__ import annotations

from dataclasses import dataclass

from bench.figures import Figures
from bench.scales import MB, Scale

OTHERS = "others wait during "
"""How the names of the works begin that say how long other requests take meanwhile."""
REST = "REST: one file restored, p"
START = "server: started later with Nuvo by"
IDLE = "server: idle, processor time per second"
MANY = "D preview for many"


@dataclass(frozen=True)
class Target:
    """A ratio between our figure and another tool's, for the same work or another one.

    Args:
        work: ours; for ``worst`` how the names of several begin, of which the largest figure counts.
        peer: the other tool; ``""`` for an absolute figure in seconds (or bytes, for a size).
        most: what it must not exceed.
        goal: what to go for.
        its_work: the other tool's work, where it is called otherwise.
        per: divide our figure first: by the ``targets`` of a hand-out, or by those that are ``watched`` only.
        size: compare bytes stored, not seconds.
        called: the row's heading, where it is not made of work and peer.
    """

    work: str
    peer: str
    most: float
    goal: float | None = None
    its_work: str = ""
    tool: str = "ours"
    per: str = ""
    size: bool = False
    worst: bool = False
    called: str = ""

    @property
    def label(self) -> str:
        """The row's heading."""
        if self.called:
            return self.called
        if not self.peer:
            return f"{self.work}, seconds{' per target' if self.per else ''}"
        its = f" ({self.its_work.split(' ', 1)[1]})" if self.its_work else ""
        return f"{self.work} ÷ {self.peer}{its}"

    def reached(self, figures: Figures, scale: Scale) -> float | None:
        """The ratio in these figures, or ``None`` if it was not measured."""
        other = (self.its_work or self.work, self.peer)
        if self.size:
            mine, its = figures.sizes.get((self.work, self.tool)), figures.sizes.get(other)
            return mine / its if mine and its else None
        seconds = self._seconds(figures)
        if seconds is None or not self.peer:
            divisor: int = getattr(scale, self.per) if self.per else 1
            return None if seconds is None else seconds / divisor
        there = figures.times.get(other)
        return None if there is None else seconds / there.seconds

    def _seconds(self, figures: Figures) -> float | None:
        if not self.worst:
            figure = figures.times.get((self.work, self.tool))
            return None if figure is None else figure.seconds
        found = [
            figure.seconds
            for (work, tool), figure in figures.times.items()
            if work.startswith(self.work) and work.endswith("p99") and tool == self.tool
        ]
        return max(found, default=None)


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
    Target(f"{REST}50", "", 0.025, 0.012, called="one file restored over REST, p50, seconds"),
    Target(f"{REST}99", "", 0.08, called="one file restored over REST, p99, seconds"),
    Target(_FIRST, "cp", 0.8, 0.5),
    Target(_FIRST, "nbgitpuller", 0.1),
    Target("D 4 files updated", "cp", 0.2, 0.1, its_work=_FIRST),
    Target("D 4 files updated", "rsync", 0.2, 0.1, its_work=_FIRST),
    Target("D nothing new", "", 0.015, 0.008, per="targets"),
    Target("D preview for all", "", 0.015, 0.01, per="targets"),
    Target(MANY, "", 0.015, 0.01, per="watched"),
    Target("A store", "restic", 1.08, 1.0, size=True),
    Target("C store", "restic", 1.08, 1.0, size=True),
    Target("start: nuvo --help", "", 0.15, tool="ours-cli"),
    Target("start: nuvo snapshot, 50 files unchanged", "", 0.35, tool="ours-cli"),
    Target(START, "", 0.06, called="server: start-up cost of the extension, seconds"),
    Target(IDLE, "", 0.002, called="server: idle, share of one processor"),
    Target(OTHERS, "", 0.05, 0.02, worst=True, called="other requests meanwhile, p99 of the worst, seconds"),
)
MEMORY_MOST, MEMORY_GOAL = 150 * MB, 80 * MB
