"""Keeping states of a folder and bringing them back, by each tool in turn."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench import corpora
from bench.figures import Figures
from bench.measuring import CommandFailed, Cost, make_room, settle
from bench.tools.base import Keeper, Tool
from bench.trees import differences, files_of

Say = Callable[[str], None]


def measure_states(
    corpus: str,
    live: Path,
    tools: Sequence[Tool],
    runs: int,
    folder: Path,
    figures: Figures,
    say: Say,
    *,
    small_files: bool,
    size: int,
    slow_runs: int,
) -> None:
    """Measure snapshots and restores of one corpus.

    Tools take turns in each step, and each run begins with another one. All of a run have the same changes to find.

    Args:
        corpus: its letter; begins the works' names.
        live: the corpus, edited in place from run to run.
        folder: for stores and restored folders; emptied again.
        size: bytes of the corpus.
        slow_runs: how many of the runs slow tools take part in.
        small_files: whether editing one per cent of them and restoring one of them is worth measuring.
    """
    for number in range(runs):
        say(f"{corpus}: run {number + 1} of {runs}")
        racing = [tool for tool in tools if not tool.slow or number < slow_runs]
        turn = number % max(1, len(racing))
        order = [*racing[turn:], *racing[:turn]]
        with _keepers(order, live, folder / f"run-{number}", figures) as keepers:
            step = _Step(corpus, size, keepers, figures)
            step("first snapshot", lambda keeper: keeper.snapshot())
            step.sizes()
            step("no change", lambda keeper: keeper.snapshot_again())
            step("no change, looking only", lambda keeper: keeper.look())
            if small_files:
                corpora.make("change", live, number)
                step("1 % changed", lambda keeper: keeper.snapshot_again())
            _restore(step, live, folder / f"run-{number}", check=number == 0)
            if small_files:
                _restore_one(step, live)
        shutil.rmtree(folder / f"run-{number}")


class _Step:
    """Runs one piece of work with every tool that is still in the race."""

    def __init__(self, corpus: str, size: int, keepers: dict[str, Keeper], figures: Figures) -> None:
        self.corpus = corpus
        self.size = size
        self.keepers = keepers
        self.figures = figures

    def __call__(self, work: str, do: Callable[[Keeper], Cost | None]) -> None:
        for name in list(self.keepers):
            self.one(work, name, do)

    def one(self, work: str, name: str, do: Callable[[Keeper], Cost | None]) -> bool:
        """Measure one tool; ``False`` if it has no such work or failed."""
        settle()
        make_room(self.size)
        try:
            cost = do(self.keepers[name])
        except CommandFailed as error:
            self.figures.failures[name] = f"{self.corpus} {work}: {error}"
            self.keepers.pop(name).close()
            return False
        self.figures.add(f"{self.corpus} {work}", name, cost)
        return cost is not None

    def sizes(self) -> None:
        """Note how much each tool stored."""
        for name, keeper in self.keepers.items():
            if (size := keeper.size()) is not None:
                self.figures.sizes[f"{self.corpus} store", name] = size


@contextmanager
def _keepers(
    tools: Sequence[Tool], live: Path, folder: Path, figures: Figures
) -> Iterator[dict[str, Keeper]]:
    keepers: dict[str, Keeper] = {}
    try:
        for tool in tools:
            if tool.keeper is not None:
                (folder / tool.name).mkdir(parents=True)
                try:
                    keepers[tool.name] = tool.keeper(live, folder / tool.name)
                except CommandFailed as error:
                    figures.failures[tool.name] = str(error)
        figures.idle |= {name: keeper.idle for name, keeper in keepers.items() if keeper.idle}
        yield keepers
    finally:
        for keeper in keepers.values():
            keeper.close()


def _restore(step: _Step, live: Path, folder: Path, *, check: bool) -> None:
    for name in list(step.keepers):
        target = folder / f"restored-{name.replace('+', '-')}"
        done = step.one("full restore", name, lambda keeper, target=target: keeper.restore(target))  # type: ignore[misc]
        if done and check:
            step.figures.check(f"{step.corpus} full restore", name, differences(live, target))
        shutil.rmtree(target, ignore_errors=True)


def _restore_one(step: _Step, live: Path) -> None:
    files = files_of(live)
    path = sorted(files)[len(files) // 3]
    content = files[path].read_bytes()
    for name in list(step.keepers):
        files[path].write_bytes(b"spoiled by mistake\n")
        done = step.one("one file restored", name, lambda keeper: keeper.restore_file(path))
        if done:
            wrong = [] if files[path].read_bytes() == content else [path]
            step.figures.check(f"{step.corpus} one file restored", name, wrong)
    files[path].write_bytes(content)
