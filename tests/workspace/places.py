"""A store, and captures and deliveries as the engine makes them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from nuvo_jupyter.catalog.database import Catalog
from nuvo_jupyter.merge.plan import plan
from nuvo_jupyter.model.changes import Change, ObjectOutcome, Strategy
from nuvo_jupyter.model.nodes import Node
from nuvo_jupyter.store.store import Store
from nuvo_jupyter.workspace.apply import apply
from nuvo_jupyter.workspace.capture import Captured, capture
from nuvo_jupyter.workspace.memory import Memory
from nuvo_jupyter.workspace.safe import Root


class Place:
    """A store in a temporary folder, with captures and deliveries as the engine makes them."""

    def __init__(self, home: Path) -> None:
        self.catalog = Catalog(f"sqlite:///{home}/catalog.sqlite")
        self.store = Store.open(str(home / "store"), self.catalog)

    def close(self) -> None:
        self.store.close()
        self.catalog.close()

    def capture(
        self,
        folder: Path,
        memory: Memory | None = None,
        *,
        now: Callable[[], int] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Captured:
        with Root(folder) as root, self.store.writer() as writer:
            # By default a clock that finds every file old enough to be remembered.
            captured = capture(root, self.store, memory, writer=writer, now=now or later, cancelled=cancelled)
            writer.flush()
            with self.catalog.write() as connection:
                writer.commit(connection)
        return captured

    def apply(self, folder: Path, changes: list[Change], backup: Captured) -> list[ObjectOutcome]:
        with Root(folder) as root:
            return apply(root, self.store, changes, backup.fingerprints)

    def restore(self, folder: Path, source: Captured) -> list[ObjectOutcome]:
        """Make a folder exactly what was captured."""
        backup = self.capture(folder)
        return self.apply(folder, exactly(source.nodes, backup.nodes), backup)


def exactly(source: Mapping[str, Node], target: Mapping[str, Node]) -> list[Change]:
    """The plan that makes a target the source."""
    return plan(source, target, {}, strategy=Strategy.REPLACE, objects=None, label="")


def later() -> int:
    return time.time_ns() + 3_600_000_000_000


def names(folder: Path) -> set[str]:
    """Everything below a folder, links not followed, as the system spells it."""
    found = set()
    for top, folders, files in os.walk(folder):
        for name in folders + files:
            found.add(os.path.relpath(os.path.join(top, name), folder))
    return found
