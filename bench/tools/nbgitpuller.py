"""nbgitpuller: what a course pulls into each student's folder today."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.measuring import NOTHING, Cost, run
from bench.setup.pypi import program
from bench.tools.base import Courier, Tool
from bench.tools.git import ENVIRONMENT, Repository
from bench.trees import size_of


class _Pulls(Courier):
    def __init__(self, course: Path, targets: Sequence[Path], store: Path, sample: int) -> None:
        super().__init__(course, targets, store, sample)
        self._repository = Repository(course, store / "repository")

    @property
    def reached(self) -> Sequence[Path]:
        return self.targets[: self.sample]

    def deliver(self) -> Cost:
        committed, total = self._repository.commit(), NOTHING
        puller = program("gitpuller")
        for target in self.reached:
            total += run([puller, f"file://{self._repository.folder}", "main", target], env=ENVIRONMENT)
        return committed + total.times(len(self.targets) / len(self.reached))

    def size(self) -> int | None:
        return size_of(self.store)


NBGITPULLER = Tool(
    "nbgitpuller",
    "git commit, then gitpuller for each target, without a backup",
    (str(program("python")), "-c", "import importlib.metadata as m; print(m.version('nbgitpuller'))"),
    "gitpuller",
    requirement="nbgitpuller",
    courier=_Pulls,
    slow=True,
)
