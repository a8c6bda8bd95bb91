"""The product in a process of its own, as in a Jupyter server: the engine, a worker with its threads, and the interpreter as it is set there.

Reads requests as JSON lines ``{"operation": …, "request": {…}}`` and answers each, once its task is finished,
with ``{"answer": …, "seconds": …, "peak": …}``.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import msgspec

from nuvo_jupyter.delivery.worker import Worker
from nuvo_jupyter.engine.engine import Engine, operation_named
from nuvo_jupyter.engine.settings import Nuvo
from nuvo_jupyter.handlers.background import suit_interpreter
from nuvo_jupyter.model.errors import NuvoError
from nuvo_jupyter.model.requests import TaskShow
from nuvo_jupyter.model.tasks import Preview, Task

_LOOK_SECONDS = 0.02
_OURSELVES = Path("/proc/self/cmdline").read_bytes()


def main() -> None:
    """Serve until the input ends."""
    settings = Nuvo()
    engine = Engine.open(settings)
    worker = Worker(engine.context, settings.workers)
    worker.start()
    suit_interpreter()
    try:
        for line in sys.stdin:
            print(json.dumps(_serve(engine, json.loads(line))), flush=True)
    finally:
        worker.stop()
        engine.close()


def _serve(engine: Engine, message: dict[str, Any]) -> dict[str, Any]:
    _forget_peak()
    with _Below() as below:
        started = time.perf_counter()
        try:
            answer = _finished(engine, message["operation"], message["request"])
        except NuvoError as error:
            return {"problem": f"{error.code}: {error.message}"}
        seconds = time.perf_counter() - started
    peak = _memory("VmHWM") + below.most
    return {"answer": msgspec.to_builtins(answer), "seconds": seconds, "peak": peak}


class _Below(threading.Thread):
    """Looks how much memory processes take that are started for the work: the most at any time, in bytes.

    What they share with others, such as the interpreter's code, counts in part.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most = 0
        self._done = threading.Event()

    def run(self) -> None:
        while not self._done.wait(_LOOK_SECONDS):
            self.most = max(self.most, sum(map(_proportional, _children())))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self.join()


def _children() -> list[str]:
    found: list[str] = []
    for thread in os.listdir("/proc/self/task"):
        # Threads come and go. In as few steps as can be: what is measured waits for Python's lock meanwhile.
        with suppress(OSError):
            file = os.open(f"/proc/self/task/{thread}/children", os.O_RDONLY)
            try:
                found += os.read(file, 4096).decode().split()
            finally:
                os.close(file)
    return found


def _proportional(pid: str) -> int:
    with suppress(OSError):
        if Path(f"/proc/{pid}/cmdline").read_bytes() == _OURSELVES:
            # It is about to become another program; until then all of this process's memory would be counted twice.
            return 0
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def _finished(engine: Engine, operation: str, arguments: dict[str, Any]) -> Any:
    request = msgspec.convert(arguments, operation_named(operation).request)
    answer = engine.call(operation, request)
    task = answer.task if isinstance(answer, Preview) else answer
    while isinstance(task, Task) and not task.state.finished:
        answer = task = engine.call("task_show", TaskShow(id=task.id, wait=30))
    return answer


def _forget_peak() -> None:
    # Not everywhere allowed; then the peak is that of the whole life.
    with suppress(OSError), open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def _memory(field: str) -> int:
    with open(f"/proc/{os.getpid()}/status") as file:
        for line in file:
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) * 1024
    return 0


if __name__ == "__main__":
    main()
