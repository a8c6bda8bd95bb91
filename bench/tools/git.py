"""git: states as commits; handing out by clone and pull."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.measuring import NOTHING, Cost, run
from bench.tools.base import Courier, Keeper, Tool
from bench.trees import size_of

# Collecting in the background would disturb whatever is measured next.
CONFIG = (
    "-c",
    "gc.auto=0",
    "-c",
    "maintenance.auto=false",
    "-c",
    "user.name=bench",
    "-c",
    "user.email=bench@localhost",
)
# Nobody's own configuration is to be measured.
ENVIRONMENT = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "GIT_TERMINAL_PROMPT": "0"}


class Repository:
    """A git directory beside the folder whose states it keeps."""

    def __init__(self, live: Path, folder: Path) -> None:
        self.folder = folder
        self._place = (f"--git-dir={folder}", f"--work-tree={live}")
        run(["git", "init", "-q", "--bare", "-b", "main", folder], env=ENVIRONMENT)

    def git(self, *arguments: str, ok: Sequence[int] = (0,), env: dict[str, str] | None = None) -> Cost:
        """Run git on it."""
        return run(["git", *CONFIG, *self._place, *arguments], ok=ok, env={**ENVIRONMENT, **(env or {})})

    def commit(self) -> Cost:
        """``git add -A && git commit``; with nothing to commit the latter ends with 1."""
        return self.git("add", "-A") + self.git("commit", "-q", "-m", "state", ok=(0, 1))


class _Commits(Keeper):
    def __init__(self, live: Path, store: Path) -> None:
        super().__init__(live, store)
        self._repository = Repository(live, store / "repository")

    def snapshot(self) -> Cost:
        return self._repository.commit()

    def look(self) -> Cost | None:
        return self._repository.git("status", "--porcelain")

    def restore(self, target: Path) -> Cost | None:
        target.mkdir()
        index = {"GIT_INDEX_FILE": str(self.store / "index-of-restore")}
        return self._repository.git(f"--work-tree={target}", "checkout", "-q", "HEAD", "--", ".", env=index)

    def restore_file(self, path: str) -> Cost | None:
        return self._repository.git("checkout", "-q", "HEAD", "--", f":/{path}")

    def size(self) -> int | None:
        return size_of(self.store)


class _ClonesAndPulls(Courier):
    def __init__(self, course: Path, targets: Sequence[Path], store: Path, sample: int) -> None:
        super().__init__(course, targets, store, sample)
        self._repository = Repository(course, store / "repository")

    @property
    def reached(self) -> Sequence[Path]:
        return self.targets[: self.sample]

    def deliver(self) -> Cost:
        committed, total = self._repository.commit(), NOTHING
        for target in self.reached:
            command: list[str | Path]
            if (target / ".git").exists():
                command = ["git", *CONFIG, "-C", target, "pull", "-q", "--ff-only"]
            else:
                # By its address, not its path: hard links would let a student change everybody's history.
                command = ["git", *CONFIG, "clone", "-q", f"file://{self._repository.folder}", target]
            total += run(command, env=ENVIRONMENT)
        return committed + total.times(len(self.targets) / len(self.reached))

    def size(self) -> int | None:
        return size_of(self.store)


GIT = Tool(
    "git",
    "git add -A && git commit, clone and pull; flushed as git does by default, not collected (gc.auto=0)",
    ("git", "--version"),
    "git",
    package="git",
    keeper=_Commits,
    courier=_ClonesAndPulls,
    slow=True,
)
