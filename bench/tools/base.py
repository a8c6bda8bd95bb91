"""What each tool implements: keeping states of a folder, handing a course out, or both."""

from __future__ import annotations

import subprocess
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.measuring import Cost


class Keeper(ABC):
    """Keeps states of one folder. Making one is not measured.

    Args:
        live: the folder whose states are kept.
        store: an empty folder for whatever the tool needs.
    """

    idle = 0
    """Bytes of memory its process takes before any work, for a tool that is a server."""

    def __init__(self, live: Path, store: Path) -> None:
        self.live = live
        self.store = store

    @abstractmethod
    def snapshot(self) -> Cost:
        """Keep the folder's current state."""

    def snapshot_again(self) -> Cost | None:
        """The same when an earlier state is kept already; ``None`` where that makes no difference."""
        return self.snapshot()

    def look(self) -> Cost | None:
        """Find out what has changed since the last state, keeping nothing."""
        return None

    def restore(self, target: Path) -> Cost | None:
        """Bring the last state back into a folder that is not there yet."""
        return None

    def restore_file(self, path: str) -> Cost | None:
        """Bring one file of the last state back to where it was."""
        return None

    def size(self) -> int | None:
        """Bytes stored."""
        return None

    def close(self) -> None:
        """End whatever is running."""


class Courier(ABC):
    """Hands a course out to folders. Making one is not measured.

    Args:
        course: the folder that is handed out.
        targets: the folders that receive it; they exist if ``holds`` says so.
        store: an empty folder for whatever the tool needs.
        sample: to how many targets a slow tool delivers.
    """

    holds = False
    """Whether the targets' own files matter to the tool, and so are made before."""
    idle = 0
    """As of a keeper."""

    def __init__(self, course: Path, targets: Sequence[Path], store: Path, sample: int) -> None:
        self.course = course
        self.targets = targets
        self.store = store
        self.sample = sample

    @property
    def reached(self) -> Sequence[Path]:
        """The targets the tool really delivers to."""
        return self.targets

    def preview(self) -> Cost | None:
        """Tell what handing out would do."""
        return None

    @abstractmethod
    def deliver(self) -> Cost:
        """Hand out the course as it is now."""

    def size(self) -> int | None:
        """Bytes stored besides the targets."""
        return None

    def close(self) -> None:
        """End whatever is running."""


@dataclass(frozen=True)
class Tool:
    """One column of the tables.

    Args:
        name: as ``--tools`` takes it.
        mode: how it is used, and what it promises about a power cut.
        version_command: prints its version on the first line.
        package: Debian package it comes from; ``""`` if it comes with every system, or with us.
        requirement: what pip installs for it.
        slow: whether ``--slow-runs`` limits it.
        program: looked for among what pip installed, or on the PATH.
    """

    name: str
    mode: str
    version_command: tuple[str, ...] = ()
    program: str = ""
    package: str = ""
    requirement: str = ""
    keeper: type[Keeper] | None = None
    courier: type[Courier] | None = None
    slow: bool = False

    def version(self) -> str:
        """The first line it prints about itself, without where it lies: that is this machine's business."""
        if not self.version_command:
            return ""
        done = subprocess.run(self.version_command, capture_output=True, text=True, check=False)
        lines = (done.stdout or done.stderr).strip().splitlines()
        return lines[0].partition(" from /")[0] if lines else "unknown"
