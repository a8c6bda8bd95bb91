"""The product in a process of its own, as in a Jupyter server: the engine, and a worker with two threads.

Reads requests as JSON lines ``{"operation": …, "request": {…}}`` and answers each, once its task is finished,
with ``{"answer": …, "seconds": …, "peak": …}``.
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress
from typing import Any

import msgspec

from nuvo_jupyter.delivery.worker import Worker
from nuvo_jupyter.engine.engine import Engine, operation_named
from nuvo_jupyter.engine.settings import Nuvo
from nuvo_jupyter.model.errors import NuvoError
from nuvo_jupyter.model.requests import TaskShow
from nuvo_jupyter.model.tasks import Preview, Task


def main() -> None:
    """Serve until the input ends."""
    engine = Engine.open(Nuvo())
    worker = Worker(engine.context, 2)
    worker.start()
    try:
        for line in sys.stdin:
            print(json.dumps(_serve(engine, json.loads(line))), flush=True)
    finally:
        worker.stop()
        engine.close()


def _serve(engine: Engine, message: dict[str, Any]) -> dict[str, Any]:
    _forget_peak()
    started = time.perf_counter()
    try:
        answer = _finished(engine, message["operation"], message["request"])
    except NuvoError as error:
        return {"problem": f"{error.code}: {error.message}"}
    seconds = time.perf_counter() - started
    return {"answer": msgspec.to_builtins(answer), "seconds": seconds, "peak": _memory("VmHWM")}


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
