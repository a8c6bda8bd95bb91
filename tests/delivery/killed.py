"""Processes that work on a course's tasks and are killed at a chosen moment; prints how each of them ended.

Commands on standard input: ``HOME TASK CALLS``. A forked child works until the task is finished, and kills itself
(SIGKILL) at its CALLS-th call of a function of the product; 0 lets it finish. The answer is ``killed`` or
``finished CALLS``.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

PACKAGE = "nuvo_jupyter" + os.sep


def work(home: Path, task: int, calls: int) -> int:
    """Do the work; never returns if ``calls`` is reached before it is done."""
    from nuvo_jupyter.catalog.database import Catalog
    from nuvo_jupyter.delivery.context import Context
    from nuvo_jupyter.delivery.worker import run_until_finished
    from nuvo_jupyter.store.store import Store

    counter = itertools.count(1)
    seen = 0

    def count(frame: FrameType, event: str, _: Any) -> None:
        nonlocal seen
        if event == "call" and PACKAGE in frame.f_code.co_filename:
            seen = next(counter)
            if seen == calls:
                os.kill(os.getpid(), signal.SIGKILL)

    catalog = Catalog(f"sqlite:///{home / 'catalog.sqlite'}")
    context = Context(
        catalog=catalog, store=Store.open(str(home / "store"), catalog), home=home, lease_seconds=0.2
    )
    threading.setprofile(count)
    sys.setprofile(count)
    run_until_finished(context, task)
    sys.setprofile(None)
    threading.setprofile(None)
    return seen


def main() -> None:
    """Answer commands until standard input ends."""
    # Imported before forking, so that each child starts at once.
    import nuvo_jupyter.delivery.worker
    import nuvo_jupyter.store.folder  # noqa: F401

    for line in sys.stdin:
        home, task, calls = line.rsplit(" ", 2)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            try:
                os.write(writing, str(work(Path(home), int(task), int(calls))).encode())
                os._exit(0)
            except BaseException as error:
                print(f"{error!r}", file=sys.stderr, flush=True)
                os._exit(1)
        os.close(writing)
        told = os.read(reading, 100).decode()
        os.close(reading)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            print("killed", flush=True)
        else:
            print(f"finished {told}" if status == 0 else f"broken {status}", flush=True)


if __name__ == "__main__":
    main()
