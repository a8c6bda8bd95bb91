"""Plain copying by ``cp -a``: as it is, with everything flushed at the end, and two at a time."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from bench.measuring import NOTHING, Cost, run, settle
from bench.tools.base import Courier, Keeper, Tool
from bench.trees import size_of


class _Copies(Keeper):
    def snapshot(self) -> Cost:
        return run(["cp", "-a", self.live, self.store / "copy"])

    def snapshot_again(self) -> Cost | None:
        # Nothing but the whole again, which is not measured twice; what is restored later shall be the last state.
        shutil.rmtree(self.store / "copy")
        run(["cp", "-a", self.live, self.store / "copy"])
        return None

    def restore(self, target: Path) -> Cost | None:
        return run(["cp", "-a", self.store / "copy", target])

    def restore_file(self, path: str) -> Cost | None:
        return run(["cp", "-a", self.store / "copy" / path, self.live / path])

    def size(self) -> int | None:
        return size_of(self.store / "copy")


class _Flushed(_Copies):
    def snapshot(self) -> Cost:
        return super().snapshot() + _flush()

    def restore(self, target: Path) -> Cost | None:
        return run(["cp", "-a", self.store / "copy", target]) + _flush()

    def restore_file(self, path: str) -> Cost | None:
        return None

    def size(self) -> int | None:
        return None


class _HandOut(Courier):
    def deliver(self) -> Cost:
        total = NOTHING
        for target in self.targets:
            total += run(["cp", "-a", f"{self.course}/.", target])
        return total


class _HandOutFlushed(_HandOut):
    def deliver(self) -> Cost:
        return super().deliver() + _flush()


class _HandOutTwo(Courier):
    def deliver(self) -> Cost:
        names = self.store / "targets"
        names.write_text("".join(f"{target}\n" for target in self.targets))
        return run(
            ["xargs", "-a", names, "-P", "2", "-d", "\n", "-I", "{}", "cp", "-a", f"{self.course}/.", "{}"]
        )


def _flush() -> Cost:
    started = time.perf_counter()
    settle()
    return Cost(time.perf_counter() - started, 0)


_VERSION = ("cp", "--version")
CP = Tool("cp", "cp -a; nothing is flushed", _VERSION, "cp", keeper=_Copies, courier=_HandOut)
CP_SYNC = Tool("cp+sync", "cp -a, then sync", _VERSION, "cp", keeper=_Flushed, courier=_HandOutFlushed)
CP_TWO = Tool(
    "cp-two", "cp -a for two targets at a time; nothing is flushed", _VERSION, "cp", courier=_HandOutTwo
)
