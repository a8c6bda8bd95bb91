"""Run as a process of its own: one of many that capture, restore, deliver, delete and collect at once on one home."""

from __future__ import annotations

import json
import random
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from nuvo_jupyter.delivery.worker import run_until_finished
from nuvo_jupyter.engine.engine import Engine
from nuvo_jupyter.engine.operations import BY_NAME
from nuvo_jupyter.engine.settings import Nuvo
from nuvo_jupyter.model.errors import AlreadyExists, Gone, NotFound, NotNow, NuvoError
from nuvo_jupyter.model.requests import TaskShow
from nuvo_jupyter.model.tasks import Task

EXPECTED = (NotFound, Gone, NotNow, AlreadyExists)
"""What one is told if another was quicker: that a snapshot is gone, that something is being worked on."""


class Member:
    """What one of the processes does, at random."""

    def __init__(self, home: str, number: int, seed: int) -> None:
        settings: dict[str, Any] = {"home": home}
        self.engine = Engine.open(Nuvo(**settings))
        self.number = number
        self.chance = random.Random(f"{seed} {number}")
        self.done: dict[str, int] = {}
        self.late: dict[str, int] = {}
        self.wrong: list[str] = []

    def call(self, operation: str, **fields: Any) -> Any:
        return self.engine.call(operation, msgspec.convert(fields, BY_NAME[operation].request))

    def finish(self, task: Task) -> None:
        """A task to its end, which has to be a good one."""
        run_until_finished(self.engine.context, task.id)
        shown: Task = self.engine.call("task_show", TaskShow(id=task.id))
        if shown.state != "done":
            self.wrong.append(f"{shown.title}: {shown.state}, {shown.problem}")
            for one in (
                self.call("distribution_show", id=shown.distribution).deliveries if shown.distribution else ()
            ):
                if one.state != "done":
                    bad = [
                        item
                        for item in self.call("delivery_show", id=one.id).outcomes
                        if item.outcome.value == "failed"
                    ]
                    self.wrong.append(f"  {one.instance}: {one.problem} {bad[:3]}")

    def anyone(self) -> str:
        return self.chance.choice(["master", "s0", "s1", "s2", "s3"])

    def write(self) -> None:
        """Work, as the owner of a folder does."""
        name = self.anyone()
        folder = Path(self.call("instance_show", instance=f"intro/{name}").workspace) / f"by{self.number}"
        folder.mkdir(exist_ok=True)
        for _ in range(5):
            path = folder / f"{self.chance.randrange(20)}.txt"
            path.write_bytes(self.chance.randbytes(self.chance.choice([10, 1000, 100_000])))

    def capture(self) -> None:
        self.write()
        self.finish(self.call("snapshot_create", instance=f"intro/{self.anyone()}"))

    def restore(self) -> None:
        name = self.anyone()
        known = self.call("snapshot_list", instance=f"intro/{name}", limit=20)
        if known:
            self.finish(self.call("restore", source=f"intro/{name}@{self.chance.choice(known).number}"))

    def deliver(self) -> None:
        to = self.chance.choice([["all"], ["intro/s0", "intro/s1"], ["intro/s3"]])
        strategy = self.chance.choice(["overwrite", "merge", "rename", "extra"])
        self.finish(
            self.call("distribute", source="intro/master", whole=True, to=to, strategies={"file": strategy})
        )

    def delete(self) -> None:
        name = self.anyone()
        known = self.call("snapshot_list", instance=f"intro/{name}", limit=100)
        for item in self.chance.sample(known, len(known) // 2):
            self.call("snapshot_delete", state=f"intro/{name}@{item.number}")

    def collect(self) -> None:
        self.finish(self.call("collect", now=True))

    def go_on(self, until: float, at_most: int) -> None:
        """Do one thing after the other."""
        works: list[Callable[[], None]] = [
            self.capture,
            self.capture,
            self.restore,
            self.deliver,
            self.delete,
            self.collect,
        ]
        count = 0
        while count < at_most and time.monotonic() < until:
            count += 1
            work = self.chance.choice(works)
            name = work.__name__
            try:
                work()
                self.done[name] = self.done.get(name, 0) + 1
            except EXPECTED as error:
                self.late[f"{name}: {error.code}"] = self.late.get(f"{name}: {error.code}", 0) + 1
            except NuvoError as error:
                self.wrong.append(f"{name}: {error.code}: {error.message}")
            except Exception:
                self.wrong.append(f"{name}: {traceback.format_exc()}")


def main() -> None:
    home, number, seed, seconds, at_most = sys.argv[1], *map(int, sys.argv[2:])
    member = Member(home, number, seed)
    member.go_on(time.monotonic() + seconds, at_most)
    member.engine.close()
    print(json.dumps({"done": member.done, "late": member.late, "wrong": member.wrong}))


if __name__ == "__main__":
    main()
