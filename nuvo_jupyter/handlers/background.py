"""The engine beside the server's event loop: opened in a thread, called in threads, its announcements heard."""

from __future__ import annotations

import asyncio
import functools
import gc
import logging
import sys
import threading
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec

from nuvo_jupyter.engine.operations import BY_NAME

if TYPE_CHECKING:
    from nuvo_jupyter.delivery.worker import Worker
    from nuvo_jupyter.engine.engine import Engine
    from nuvo_jupyter.engine.settings import Nuvo
    from nuvo_jupyter.model.tasks import Task

CALL_THREADS = 8
LONG_THREADS = 2
"""For calls that may read a whole folder: however many of them are asked for, the others are answered."""
NEW_OBJECTS = 5_000
"""So many new objects make Python search for garbage among them, ten times as many among those that were new before."""
SEARCHES = 30
"""After so many of the latter it searches among all objects."""
SWITCH_SECONDS = 0.0005
"""How long a thread that computes may keep Python to itself while another waits for it. With Python's own 5 ms a request,
which waits for it ten times and more, takes longer than the next takes to come, and all queue up behind a restore."""


class Background:
    """Opens the engine off the start-up path and keeps blocking work off the loop.

    Args:
        settings: the configuration.
        log: for what goes wrong where nobody waits for an answer.
        on_change: called on the loop with the id of a task whose row changed in this process.
        on_end: called on the loop with the id of a task that came to its end in this process.
    """

    def __init__(
        self,
        settings: Nuvo,
        log: logging.Logger,
        on_change: Callable[[int], None],
        on_end: Callable[[int], None],
    ) -> None:
        self.settings = settings
        self.log = log
        self._on_change = on_change
        self._on_end = on_end
        self._loop: asyncio.AbstractEventLoop | None = None
        self._threads = ThreadPoolExecutor(CALL_THREADS, thread_name_prefix="nuvo-call")
        self._long = ThreadPoolExecutor(LONG_THREADS, thread_name_prefix="nuvo-long")
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._worker: Worker | None = None
        self._closed = False

    def start(self) -> None:
        """Open the engine and start the worker in a thread; called on the loop."""
        self._loop = asyncio.get_running_loop()
        self._threads.submit(self._open).add_done_callback(self._report)

    async def call(self, name: str, request: msgspec.Struct) -> Any:
        """Run an operation in a thread.

        Raises:
            NuvoError: what the engine raises, or why it cannot be opened.
        """
        threads = self._long if BY_NAME[name].long else self._threads
        return await self._run_in(threads, lambda: self._open().call(name, request))

    async def tasks(self, ids: Collection[int]) -> tuple[Task, ...]:
        """How tasks stand.

        Raises:
            NuvoError: why the engine cannot be opened, or the catalog not read.
        """
        found: tuple[Task, ...] = await self.run(lambda: self._open().tasks(ids))
        return found

    async def run(self, function: Callable[[], Any]) -> Any:
        """Run something that blocks in a thread."""
        return await self._run_in(self._threads, function)

    async def _run_in(self, threads: ThreadPoolExecutor, function: Callable[[], Any]) -> Any:
        self._loop = asyncio.get_running_loop()
        return await self._loop.run_in_executor(threads, function)

    async def stop(self) -> None:
        """Stop the worker, then close the engine; work that was running is taken up by whoever comes next."""
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(None, self._close)

    def _open(self) -> Engine:
        # Opening is tried again with each call, so that a repaired catalog needs no restart.
        with self._lock:
            if self._engine is None:
                from nuvo_jupyter.engine.engine import Engine
                from nuvo_jupyter.model.errors import ServiceUnavailable

                if self._closed:
                    raise ServiceUnavailable("The server is shutting down.")
                engine = Engine.open(self.settings)
                engine.listen(functools.partial(self._tell, self._on_change))
                engine.listen_for_ends(functools.partial(self._tell, self._on_end))
                if self.settings.workers:
                    from nuvo_jupyter.delivery.worker import Worker

                    self._worker = Worker(engine.context, self.settings.workers)
                    self._worker.start()
                self._engine = engine
                suit_interpreter()
            return self._engine

    def _close(self) -> None:
        for threads in (self._long, self._threads):
            threads.shutdown(wait=True, cancel_futures=True)
        with self._lock:
            if self._worker is not None:
                self._worker.stop()
                self._worker = None
            if self._engine is not None:
                self._engine.close()
                self._engine = None

    def _tell(self, listener: Callable[[int], None], task_id: int) -> None:
        if self._loop is None or self._closed:
            return
        try:
            self._loop.call_soon_threadsafe(listener, task_id)
        except RuntimeError:
            # The loop closed between the two lines: nobody is left to be told.
            return

    def _report(self, opened: Future[Engine]) -> None:
        if not opened.cancelled() and (error := opened.exception()) is not None:
            self.log.error("Nuvo could not be opened: %s", error)


def suit_interpreter() -> None:
    """Have Python work as is good for a process whose threads capture and deliver while others wait for answers."""
    # What the server has loaded by now stays. Looking through it for garbage again and again, while a snapshot
    # allocates, would make every other request wait a tenth of a second each time.
    gc.freeze()
    # For the same reason it begins to look after 5,000 new objects rather than 700, and less often through all that
    # a large restore holds, which takes 60 ms each time. The last is a precaution: p99 did not show it.
    first, second, third = gc.get_threshold()
    gc.set_threshold(max(first, NEW_OBJECTS) if first else 0, second, max(third, SEARCHES))
    # The whole server's, as there is no other; a longer one that was chosen on purpose is of no use beside us.
    sys.setswitchinterval(min(SWITCH_SECONDS, sys.getswitchinterval()))
