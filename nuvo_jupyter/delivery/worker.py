"""Executors: threads that claim tasks and do them, in a server or just until one task is finished."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Self

from sqlalchemy.engine import Row

from nuvo_jupyter.catalog import queue
from nuvo_jupyter.catalog.queue import Claimed
from nuvo_jupyter.delivery.context import Context
from nuvo_jupyter.delivery.execution import Execution
from nuvo_jupyter.delivery.giving_back import GivingBack
from nuvo_jupyter.delivery.run import execute
from nuvo_jupyter.delivery.timetable import Timetable
from nuvo_jupyter.model.tasks import TaskState

POLL_SECONDS = 2.0
"""How often work queued by other processes is looked for."""
MAIL_SECONDS = 30.0
MAIL_PATIENCE_SECONDS = 3.0
"""How long a command waits for the mail server at its end; what it could not send is sent by the next."""

log = logging.getLogger(__name__)


class _Leases:
    """Renews the leases of this process's executions from a thread of its own, so that long work cannot block it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._running: dict[str, Execution] = {}
        self._giving_back = GivingBack()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="nuvo-leases", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def run(self, claimed: Claimed, stopping: threading.Event) -> None:
        """Execute a claimed task with its lease kept alive."""
        execution = Execution(self._context, claimed, stopping)
        with self._lock:
            self._running[claimed.lease] = execution
        try:
            execution.announce()
            execute(execution)
        finally:
            with self._lock:
                self._running.pop(claimed.lease, None)
            del execution
            self._giving_back.look()

    def _renew(self) -> None:
        while not self._stop.wait(self._context.lease_seconds / 3):
            with self._lock:
                running = dict(self._running)
            try:
                kept = queue.renew(self._context.catalog, running, self._context.lease_seconds)
            except Exception:
                # The database may come back before the leases run out.
                log.warning("Leases could not be renewed.", exc_info=True)
                continue
            for lease, execution in running.items():
                if lease not in kept:
                    execution.lost = True


class Worker:
    """Background threads of a server.

    Args:
        context: what to work with.
        threads: tasks done at a time.
    """

    def __init__(self, context: Context, threads: int = 2) -> None:
        self._context = context
        # Together they look once per interval.
        self._patience = POLL_SECONDS * threads
        self._threads = [
            threading.Thread(target=self._loop, name=f"nuvo-worker-{number}", daemon=True)
            for number in range(threads)
        ]
        if context.mail.host and threads:
            self._threads.append(threading.Thread(target=self._mail, name="nuvo-mail", daemon=True))
        self._leases = _Leases(context)
        self._timetable = Timetable(context)
        self._stopping = threading.Event()
        self._mail_wake = threading.Event()

    def start(self) -> None:
        """Start the threads."""
        self._leases.__enter__()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop: work is given back at its next step, for another executor or the next start; an apply is completed."""
        self._stopping.set()
        self._mail_wake.set()
        self._context.wake.set()
        for thread in self._threads:
            thread.join()
        self._leases.__exit__()

    def _loop(self) -> None:
        claimed = None
        while not self._stopping.is_set():
            try:
                # Cleared before looking, so that nothing queued meanwhile is missed.
                self._context.wake.clear()
                expected = claimed is not None
                claimed = None
                claimed = queue.claim(self._context.catalog, self._context.lease_seconds, expected=expected)
                if claimed is not None:
                    # There may be more for the other threads.
                    self._context.wake.set()
                    self._leases.run(claimed, self._stopping)
                    self._mail_wake.set()
                    continue
                self._context.spools.clear()
                self._context.store.states.forget_large()
                self._timetable.look(self._stopping.is_set)
            except Exception:
                log.warning("Background work could not be claimed.", exc_info=True)
                self._stopping.wait(POLL_SECONDS)
                continue
            if not self._stopping.is_set():
                self._context.wake.wait(self._patience)

    def _mail(self) -> None:
        while not self._stopping.is_set():
            self._mail_wake.clear()
            _send_mail(self._context)
            self._mail_wake.wait(MAIL_SECONDS)


def run_until_finished(
    context: Context, task_id: int, on_progress: Callable[[Row[Any]], None] | None = None
) -> Row[Any]:
    """Do work in this thread until a task is finished, for processes without a server.

    The task and its children come first; what they wait for is done, too. Where another process executes
    them already, this one waits.

    Args:
        on_progress: called with the task's row whenever it changed.

    Returns:
        The finished task's row.

    Raises:
        NotFound: there is no such task.
    """
    stopping = threading.Event()
    last: tuple[Any, ...] = ()

    def look() -> Row[Any]:
        nonlocal last
        with context.catalog.read() as connection:
            row = queue.get(connection, task_id)
        seen = (row.state, row.step, row.done, row.total)
        if on_progress is not None and seen != last:
            last = seen
            on_progress(row)
        return row

    claimed = None
    with _Leases(context) as leases:
        while True:
            context.wake.clear()
            row = look()
            if TaskState(row.state).finished:
                break
            expected = claimed is not None
            claimed = queue.claim(context.catalog, context.lease_seconds, family=task_id, expected=expected)
            if claimed is None:
                with context.catalog.read() as connection:
                    busy = queue.is_executed(connection, task_id)
                claimed = None if busy else queue.claim(context.catalog, context.lease_seconds)
            if claimed is None:
                context.wake.wait(0.1)
            elif on_progress is None:
                leases.run(claimed, stopping)
            else:
                _run_watched(leases, claimed, stopping, look)
    context.spools.clear()
    _send_mail(context, MAIL_PATIENCE_SECONDS)
    return row


def _run_watched(
    leases: _Leases, claimed: Claimed, stopping: threading.Event, look: Callable[[], Row[Any]]
) -> None:
    """Execute a task in another thread, so that this one can tell how far it is."""
    thread = threading.Thread(target=leases.run, args=(claimed, stopping), name="nuvo-work", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(0.25)
            look()
    except BaseException:
        # Interrupted by its user: the work is given back, and can go on later.
        stopping.set()
        thread.join()
        raise


def _send_mail(context: Context, patience: float | None = None) -> None:
    if not context.mail.host:
        return
    # Its libraries are for those who have set up e-mail.
    from nuvo_jupyter.delivery.mail import send_due

    try:
        send_due(context, patience)
    except Exception:
        log.warning("E-mail could not be sent.", exc_info=True)
