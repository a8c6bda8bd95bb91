"""borg: deduplicated archives."""

from __future__ import annotations

from pathlib import Path

from bench.measuring import Cost, run
from bench.tools.base import Keeper, Tool
from bench.trees import size_of


class _Archives(Keeper):
    def __init__(self, live: Path, store: Path) -> None:
        super().__init__(live, store)
        self._number = 0
        self._repository = store / "repository"
        # Its caches would else stay in the user's home.
        self._environment = {
            "BORG_BASE_DIR": str(store / "base"),
            "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
        }
        self._borg(["init", "--encryption=none", self._repository], live)

    def _borg(self, arguments: list[str | Path], cwd: Path) -> Cost:
        return run(["borg", *arguments], cwd=cwd, env=self._environment)

    @property
    def _archive(self) -> str:
        return f"{self._repository}::{self._number}"

    def snapshot(self) -> Cost:
        self._number += 1
        return self._borg(["create", "--compression=lz4", self._archive, "."], self.live)

    def restore(self, target: Path) -> Cost | None:
        target.mkdir()
        return self._borg(["extract", self._archive], target)

    def restore_file(self, path: str) -> Cost | None:
        return self._borg(["extract", self._archive, path], self.live)

    def size(self) -> int | None:
        return size_of(self._repository)


BORG = Tool(
    "borg",
    "borg create with lz4, no encryption; flushed",
    ("borg", "--version"),
    "borg",
    package="borgbackup",
    keeper=_Archives,
    slow=True,
)
