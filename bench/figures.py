"""What was measured, as it is printed and stored."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field

from bench.curves import Curve
from bench.measuring import Cost


@dataclass
class Figure:
    """All measurements of one piece of work by one tool."""

    costs: list[Cost] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """The median."""
        return statistics.median(cost.seconds for cost in self.costs)

    @property
    def peak(self) -> int:
        """The largest, in bytes."""
        return max(cost.peak for cost in self.costs)

    @property
    def scaled(self) -> bool:
        """Whether it was measured on a part."""
        return any(cost.scaled for cost in self.costs)


@dataclass
class Figures:
    """Everything one run measured.

    Args:
        times: (work, tool) → its measurements, in the order they were first made.
        idle: tool → bytes of memory it takes before any work, where it is a server.
        sizes: (what, tool) → bytes stored.
        checks: (work, tool) → whether the result was right; a wrong one makes the whole run fail.
        failures: tool → why it could not be measured to the end.
        curves: (what grows, work) → how ours grows with it.
    """

    times: dict[tuple[str, str], Figure] = field(default_factory=dict)
    idle: dict[str, int] = field(default_factory=dict)
    sizes: dict[tuple[str, str], int] = field(default_factory=dict)
    checks: dict[tuple[str, str], bool] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    curves: dict[tuple[str, str], Curve] = field(default_factory=dict)
    memory: int | None = None
    """What :meth:`above_idle` was, where only that is known."""

    def above_idle(self, tool: str) -> int | None:
        """The most memory any work took above what the idle server takes, in bytes."""
        if self.memory is not None:
            return self.memory
        peaks = [figure.peak for (_, name), figure in self.times.items() if name == tool]
        return max(peaks) - self.idle[tool] if peaks and self.idle.get(tool) else None

    def add(self, work: str, tool: str, cost: Cost | None) -> None:
        """Note a measurement; ``None`` for a tool that does not do such work."""
        if cost is not None:
            self.times.setdefault((work, tool), Figure()).costs.append(cost)

    def check(self, work: str, tool: str, wrong: list[str]) -> None:
        """Note whether a result was right, given the paths that are wrong."""
        self.checks[work, tool] = self.checks.get((work, tool), True) and not wrong
        if wrong:
            self.failures[tool] = f"{work}: {len(wrong)} files are wrong, among them {wrong[0]}"
