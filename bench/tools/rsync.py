"""rsync: states as folders that share unchanged files by hard links; handing out by ``rsync -a``."""

from __future__ import annotations

from pathlib import Path

from bench.measuring import NOTHING, Cost, run
from bench.tools.base import Courier, Keeper, Tool
from bench.trees import size_of


class _LinkedCopies(Keeper):
    def __init__(self, live: Path, store: Path) -> None:
        super().__init__(live, store)
        self._number = 0

    def snapshot(self) -> Cost:
        self._number += 1
        before = [f"--link-dest=../{self._number - 1}"] if self._number > 1 else []
        return run(["rsync", "-a", *before, f"{self.live}/", f"{self.store}/{self._number}/"])

    def restore(self, target: Path) -> Cost | None:
        return run(["rsync", "-a", f"{self.store}/{self._number}/", f"{target}/"])

    def restore_file(self, path: str) -> Cost | None:
        return run(["rsync", "-a", self.store / str(self._number) / path, self.live / path])

    def size(self) -> int | None:
        return size_of(self.store)


class _HandOut(Courier):
    def deliver(self) -> Cost:
        total = NOTHING
        for target in self.targets:
            total += run(["rsync", "-a", f"{self.course}/", f"{target}/"])
        return total


RSYNC = Tool(
    "rsync",
    "rsync -a, for states with --link-dest; nothing is flushed",
    ("rsync", "--version"),
    "rsync",
    package="rsync",
    keeper=_LinkedCopies,
    courier=_HandOut,
    slow=True,
)
