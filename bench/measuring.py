"""Seconds and peak memory of commands."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


class CommandFailed(Exception):
    """A tool that was to be measured did not do its work."""


@dataclass(frozen=True)
class Cost:
    """What a piece of work took.

    Args:
        seconds: from its start to its end.
        peak: the largest resident memory of its processes, in bytes. A child's count begins with its parent's,
            so what this program takes itself is the least that can be seen.
        scaled: whether it was measured on a part and multiplied.
    """

    seconds: float
    peak: int
    scaled: bool = False

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.seconds + other.seconds, max(self.peak, other.peak), self.scaled or other.scaled)

    def times(self, factor: float) -> Cost:
        """The cost of so many times the work, done one after another."""
        return self if factor == 1 else Cost(self.seconds * factor, self.peak, True)


NOTHING = Cost(0.0, 0)
_GIGABYTE = 1_000_000_000

_TOUCH = (
    "import mmap, sys; "
    "mmap.mmap(-1, int(sys.argv[1]), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE).close()"
)


def settle() -> None:
    """Let what earlier work left unwritten reach the disk, so that it does not slow down the next."""
    os.sync()


def make_room(data: int) -> None:
    """Touch as much memory as a step's data may need, and free it at once.

    A virtual machine may have given free memory back to its host, and getting it again costs seconds per gigabyte,
    which whoever runs first would pay for those who run later.

    Args:
        data: bytes the step reads or writes; a quarter more than that is touched, and 1 GB at least twice, at most two thirds
            of what is free.
    """
    wanted = max(2 * min(data, _GIGABYTE), data * 5 // 4)
    size = min(wanted, _free_memory() * 2 // 3) // mmap.PAGESIZE * mmap.PAGESIZE
    if size and hasattr(mmap, "MAP_POPULATE"):
        # In a process of its own: what this one has taken counts as the peak of every program it starts.
        subprocess.run([sys.executable, "-S", "-c", _TOUCH, str(size)], check=True)


def _free_memory() -> int:
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    ok: Sequence[int] = (0,),
) -> Cost:
    """Run a command to its end, its output kept for the error message.

    Args:
        env: variables besides the inherited ones.
        ok: exit codes that mean success.

    Raises:
        CommandFailed: it ended with another exit code.
    """
    started = time.perf_counter()
    with subprocess.Popen(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in ok:
        text = output.decode(errors="replace")[-2_000:]
        raise CommandFailed(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{text}")
    return Cost(seconds, usage.ru_maxrss * 1024)
