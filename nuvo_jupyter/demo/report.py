"""What a check of the story found, told line by line while it goes on."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from typing import TextIO

_SHOWN = 5


class Report:
    """Tells steps, figures and findings, and remembers what was off.

    Args:
        out: where to tell; standard output by default.
    """

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out if out is not None else sys.stdout
        self._begun = time.monotonic()
        self.checks = 0
        self.off: list[str] = []

    def step(self, title: str) -> None:
        """Begin a step of the story."""
        self._tell(f"\n[{time.monotonic() - self._begun:5.1f} s] {title}")

    def figure(self, text: str) -> None:
        """Tell a figure that cannot be wrong or right."""
        self._tell(f"    {text}")

    def check(self, ok: bool, what: str, instead: object = "") -> None:
        """Tell a finding.

        Args:
            what: what has to hold.
            instead: what was found where it does not.
        """
        self.checks += 1
        self._tell(f"  {'✓' if ok else '✗'} {what}")
        if not ok:
            self.off.append(what)
            if instead != "":
                self._tell(f"      instead: {instead}")

    def none(self, found: Iterable[str], what: str) -> None:
        """Tell a finding that holds where a list of exceptions is empty."""
        every = list(found)
        more = f" … and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
        self.check(not every, what, "; ".join(every[:_SHOWN]) + more)

    def end(self) -> int:
        """Tell the result; the exit code."""
        seconds = time.monotonic() - self._begun
        if self.off:
            self._tell(f"\n{len(self.off)} of {self.checks} checks failed, in {seconds:.0f} s:")
            for what in self.off:
                self._tell(f"  ✗ {what}")
            return 1
        self._tell(f"\nAll {self.checks} checks passed, in {seconds:.0f} s.")
        return 0

    def _tell(self, text: str) -> None:
        # A terminal that cannot show a name still shows the rest.
        encoding = self._out.encoding or "utf-8"
        self._out.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        self._out.flush()
