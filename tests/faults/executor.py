"""Run as a process of its own: for each line it is told, a child works on a home until it is done or killed.

The children are forked before any engine is opened, so that each costs no imports.
"""

from __future__ import annotations

import faulthandler
import itertools
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

import nuvo_jupyter.engine.tasks
import nuvo_jupyter.workspace.syscalls
from nuvo_jupyter import native
from nuvo_jupyter.delivery.worker import Worker, run_until_finished
from nuvo_jupyter.engine.engine import Engine
from nuvo_jupyter.engine.settings import Nuvo
from nuvo_jupyter.merge.notebook import merge_notebook
from nuvo_jupyter.model.requests import OfInstance, SnapshotCreate, TaskShow
from nuvo_jupyter.native import plain
from nuvo_jupyter.workspace import making
from tests.faults.power import cut

EFFECTS = [
    "write",
    "fsync",
    "open",
    "rename",
    "replace",
    "link",
    "unlink",
    "mkdir",
    "rmdir",
    "symlink",
    "fchmod",
    "utime",
    "listdir",
    "scandir",
    "readlink",
    "dup",
]
"""Functions of ``os`` before which the process may be killed; besides them, each SQL statement, commit and exchange."""


class Count:
    """Counts what has an effect on disk or catalog, in all threads, and kills the process before one of it.

    Args:
        die_at: which; 0 for none.
        disks: folders whose disks lose their power with it.
    """

    def __init__(self, die_at: int, disks: list[str]) -> None:
        self.die_at = die_at
        self.disks = disks
        self._numbers = itertools.count(1)
        self.seen = 0

    def __call__(self, *_: Any) -> None:
        self.seen = next(self._numbers)
        if self.seen == self.die_at:
            cut(self.disks)
            os.kill(os.getpid(), signal.SIGKILL)

    def before(self, owner: Any, name: str) -> None:
        """Count calls of a function."""
        real: Callable[..., Any] = getattr(owner, name)

        def counted(*args: Any, **kwargs: Any) -> Any:
            self()
            return real(*args, **kwargs)

        setattr(owner, name, counted)

    def making(self, compiled: bool) -> None:
        """Count files of new folders: each, where they are made in C, which cannot be interrupted from here; else each call."""
        real: Any = native.make_files if compiled else plain.make_files

        def counted(root: int, rows: list[Any], *others: Any) -> tuple[list[int], int]:
            for end in range(plain.MAKING, len(rows) + 1, plain.MAKING) if compiled else ():
                self.seen = next(self._numbers)
                if self.seen == self.die_at:
                    real(root, rows[:end], *others)
                    folder, name, *_, content = rows[end - plain.MAKING : end]
                    if content is not None:
                        # As if in the middle of it.
                        path = f"/proc/self/fd/{root}/{folder}/{name}"
                        os.truncate(path, os.stat(path).st_size // 2)
                    cut(self.disks)
                    os.kill(os.getpid(), signal.SIGKILL)
            made: tuple[list[int], int] = real(root, rows, *others)
            return made

        vars(making)["make_files"] = counted

    def install(self) -> None:
        """Count from now on."""
        for name in EFFECTS:
            self.before(os, name)
        self.before(nuvo_jupyter.workspace.syscalls, "_renameat2")
        for event in ("before_cursor_execute", "commit"):
            sa.event.listen(sa.Engine, event, self)


def work(order: dict[str, Any], say: Callable[[object], None]) -> int:
    """Do background work until a task is finished; returns how much had an effect."""
    settings: dict[str, Any] = {"home": order["home"]}
    task, count = order["task"], Count(order["die_at"], order["disks"])
    if order["opening"]:
        count.install()
    count.making(order["compiled"])
    engine = Engine.open(Nuvo(**settings))
    if order["states"] < 0:
        engine.close()
        return count.seen
    if order["states"]:
        keep(engine, order, count, say)
        return count.seen
    if order["edit"]:
        edit_in_the_last_moment(*order["edit"])
    worker = Worker(engine.context, order["threads"])
    if not order["opening"]:
        count.install()
    worker.start()
    while not engine.call("task_show", TaskShow(id=task, wait=60)).state.finished:
        pass
    worker.stop()
    engine.close()
    return count.seen


def edit_in_the_last_moment(path: str, text: str) -> None:
    """Let a file be edited right before it is exchanged for its new version, and the process be killed right after that."""
    syscalls = nuvo_jupyter.workspace.syscalls
    real = syscalls._renameat2

    def call(source: int, name: str, target: int, new: str, flags: int) -> bool:
        if flags != syscalls._EXCHANGE or new != os.path.basename(path):
            return real(source, name, target, new, flags)
        Path(path).write_text(text)
        real(source, name, target, new, flags)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    syscalls._renameat2 = call


def keep(engine: Engine, order: dict[str, Any], count: Count, say: Callable[[object], None]) -> None:
    """Take one snapshot of Master after the other, and say each that is reported as done."""
    folder = Path(engine.call("instance_show", OfInstance(instance="intro/master")).workspace)
    count.install()
    for number in range(order["states"]):
        (folder / "changes.txt").write_text(f"{number}\n" * 100)
        (folder / f"new{number}.txt").write_text(f"{number}")
        task = engine.call("snapshot_create", SnapshotCreate(instance="intro/master"))
        run_until_finished(engine.context, task.id)
        done = engine.call("task_show", TaskShow(id=task.id))
        assert done.state == "done", done.problem
        say([number, done.snapshot])
    engine.close()


def child(order: dict[str, Any]) -> None:
    code, answer = 1, 0
    write = os.write

    def say(what: object) -> None:
        write(order["answer"], json.dumps(what).encode() + b"\n")

    try:
        answer = work(order, say)
        code = 0
    finally:
        say(answer)
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    # Should a library crash, the log says where.
    faulthandler.enable()
    # What the first merge imports takes a second.
    empty = [
        json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {"n": n}, "cells": []}).encode()
        for n in range(3)
    ]
    merge_notebook(*empty, label="")
    for line in sys.stdin:
        order = json.loads(line)
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            child(order | {"answer": writer})
        os.close(writer)
        with os.fdopen(reader) as pipe:
            answer = pipe.read()
        _, status = os.waitpid(pid, 0)
        print(
            json.dumps({"status": os.waitstatus_to_exitcode(status), "said": answer.splitlines()}), flush=True
        )


if __name__ == "__main__":
    main()
