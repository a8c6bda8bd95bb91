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
from typing import Any

import sqlalchemy as sa

import nuvo_jupyter.engine.tasks
import nuvo_jupyter.workspace.syscalls
from nuvo_jupyter.delivery.worker import Worker
from nuvo_jupyter.engine.engine import Engine
from nuvo_jupyter.engine.settings import Nuvo
from nuvo_jupyter.merge.notebook import merge_notebook
from nuvo_jupyter.model.requests import TaskShow

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
    """

    def __init__(self, die_at: int) -> None:
        self.die_at = die_at
        self._numbers = itertools.count(1)
        self.seen = 0

    def __call__(self, *_: Any) -> None:
        self.seen = next(self._numbers)
        if self.seen == self.die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(self, owner: Any, name: str) -> None:
        """Count calls of a function."""
        real: Callable[..., Any] = getattr(owner, name)

        def counted(*args: Any, **kwargs: Any) -> Any:
            self()
            return real(*args, **kwargs)

        setattr(owner, name, counted)

    def install(self) -> None:
        """Count from now on."""
        for name in EFFECTS:
            self.before(os, name)
        self.before(nuvo_jupyter.workspace.syscalls, "_renameat2")
        for event in ("before_cursor_execute", "commit"):
            sa.event.listen(sa.Engine, event, self)


def work(home: str, task: int, die_at: int, threads: int) -> int:
    """Do background work until a task is finished; returns how much had an effect."""
    settings: dict[str, Any] = {"home": home}
    engine = Engine.open(Nuvo(**settings))
    worker = Worker(engine.context, threads)
    count = Count(die_at)
    count.install()
    worker.start()
    while not engine.call("task_show", TaskShow(id=task, wait=60)).state.finished:
        pass
    worker.stop()
    engine.close()
    return count.seen


def child(order: dict[str, Any]) -> None:
    code, answer = 1, 0
    try:
        answer = work(order["home"], order["task"], order["die_at"], order["threads"])
        code = 0
    finally:
        os.write(order["answer"], str(answer).encode())
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
            json.dumps({"status": os.waitstatus_to_exitcode(status), "effects": int(answer or 0)}), flush=True
        )


if __name__ == "__main__":
    main()
