"""A course in which one student's folder is brought to any state, and things are distributed to them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from nuvo_jupyter.model.changes import ObjectOutcome
from nuvo_jupyter.model.paths import from_name
from nuvo_jupyter.model.tasks import Delivery, Preview, TargetPreview, Task
from tests.engine.campus import Campus

from .disk import Tree, found_in, lay_out

SPACE = "intro"
MASTER = f"{SPACE}/master"


def text_of(path: bytes) -> str:
    """Path text of a path as the file system spells it."""
    return from_name(os.fsdecode(path))


class Done(NamedTuple):
    """A distribution to one target that is over."""

    task: Task
    delivery: Delivery

    @property
    def outcomes(self) -> dict[str, str]:
        """Path → outcome; of a path with two, the last."""
        return {item.path: item.outcome.value for item in self.delivery.outcomes}

    @property
    def backup(self) -> str:
        """Reference of the backup."""
        assert self.delivery.task.backup is not None
        return self.delivery.task.backup


class Class:
    """One course on a real home."""

    def __init__(self, folder: Path) -> None:
        self.campus = Campus(folder)
        self.campus.space(SPACE)
        self._numbers = itertools.count(1)
        self.master = self.campus.workspace(MASTER)

    def student(self) -> str:
        """Reference of a new student's instance, empty."""
        name = f"student {next(self._numbers)}"
        self.campus.call("instance_create", space=SPACE, name=name, source="")
        return f"{SPACE}/{name}"

    def folder(self, instance: str) -> Path:
        """An instance's folder."""
        return self.campus.workspace(instance)

    def teach(self, wanted: Tree) -> None:
        """Make Master hold exactly this."""
        lay_out(self.master, wanted)

    def work(self, student: str, wanted: Tree) -> None:
        """Make a student's folder hold exactly this."""
        lay_out(self.folder(student), wanted)

    def holds(self, student: str) -> Tree:
        """What a student's folder holds."""
        return found_in(self.folder(student))

    def distribute(
        self, student: str, strategy: str, objects: Sequence[str] | None = None, source: str = MASTER
    ) -> Done:
        """Distribute the whole state, or objects of it; whether or not each object could be delivered."""
        return self._done(
            self.campus.finish(self.campus.call("distribute", **_asked(student, strategy, objects, source)))
        )

    def preview(
        self, student: str, strategy: str, objects: Sequence[str] | None = None, source: str = MASTER
    ) -> TargetPreview:
        """What that would do."""
        task = self.campus.run("distribute_preview", **_asked(student, strategy, objects, source))
        shown: Preview = self.campus.call("preview_show", id=task.id, objects=10_000)
        (target,) = shown.targets
        return target

    def restore(self, snapshot: str, instance: str = "") -> Done:
        """Restore a whole snapshot."""
        return self._done(self.campus.run("restore", source=snapshot, instance=instance))

    def pull(self, student: str, strategy: str = "merge", paths: Sequence[str] = ()) -> Done:
        """Pull what Master holds now."""
        snapshot = self.campus.snapshot(MASTER)
        strategies = {"file": strategy}
        asked = self.campus.call(
            "pull", instance=student, source=snapshot, strategies=strategies, paths=list(paths)
        )
        return self._done(self.campus.finish(asked))

    def read(self, snapshot: str, path: bytes) -> bytes:
        """A file of a snapshot, as its user reads it."""
        return self.campus.content(f"{snapshot}:{text_of(path)}")

    def close(self) -> None:
        """Close the engine."""
        self.campus.close()

    def _done(self, task: Task) -> Done:
        (delivery,) = self.campus.deliveries(task).values()
        return Done(task, delivery)


def _asked(student: str, strategy: str, objects: Sequence[str] | None, source: str) -> dict[str, object]:
    asked: dict[str, object] = {"source": source, "to": [student], "strategies": {"file": strategy}}
    if objects is None:
        return asked | {"whole": True}
    return asked | {"objects": [{"path": path} for path in objects]}


def lines(outcomes: Sequence[ObjectOutcome]) -> list[tuple[str, str, str]]:
    """Outcomes as (path, outcome, where else), in their order."""
    return [(item.path, item.outcome.value, item.at) for item in outcomes]
