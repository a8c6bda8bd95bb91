"""restic: deduplicated, always encrypted snapshots."""

from __future__ import annotations

from pathlib import Path

from bench.measuring import Cost, run
from bench.tools.base import Keeper, Tool
from bench.trees import size_of


class _Snapshots(Keeper):
    def __init__(self, live: Path, store: Path) -> None:
        super().__init__(live, store)
        self._repository = store / "repository"
        self._environment = {"RESTIC_PASSWORD": "bench", "RESTIC_CACHE_DIR": str(store / "cache")}
        self._restic("init")

    def _restic(self, *arguments: str) -> Cost:
        return run(["restic", "-q", "-r", self._repository, *arguments], cwd=self.live, env=self._environment)

    def snapshot(self) -> Cost:
        return self._restic("backup", ".")

    def restore(self, target: Path) -> Cost | None:
        return self._restic("restore", "latest", "--target", str(target))

    def restore_file(self, path: str) -> Cost | None:
        return self._restic("restore", "latest", "--target", str(self.live), "--include", f"/{path}")

    def size(self) -> int | None:
        return size_of(self._repository)


RESTIC = Tool(
    "restic",
    "restic backup, compression auto, encrypted as it always is; flushed",
    ("restic", "version"),
    "restic",
    package="restic",
    keeper=_Snapshots,
    slow=True,
)
