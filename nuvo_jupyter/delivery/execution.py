"""One claimed task while it is being executed: progress, cancelling, fencing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import SQLAlchemyError

from nuvo_jupyter.catalog import families, queue
from nuvo_jupyter.catalog.queue import Claimed
from nuvo_jupyter.delivery.context import Context
from nuvo_jupyter.delivery.settle import settle
from nuvo_jupyter.delivery.trail import note_end
from nuvo_jupyter.model.errors import Cancelled, LeaseLost, NuvoError
from nuvo_jupyter.model.tasks import Problem, TaskKind, TaskState

T = TypeVar("T")

TELL_SECONDS = 0.25
"""Progress is written, and the wish to cancel read, about this often."""


class Execution:
    """A task that is ours.

    Args:
        context: what to work with.
        claimed: the row and its lease.
        stopping: set when this process is shutting down: give the task back at the next step.
    """

    def __init__(self, context: Context, claimed: Claimed, stopping: threading.Event | None = None) -> None:
        self.context = context
        self.id = claimed.id
        self.lease = claimed.lease
        self.kind: TaskKind = claimed.kind
        self.row: Row[Any] = claimed.row
        self.stopping = stopping or threading.Event()
        self.step = str(claimed.row.step)
        self.cancel = bool(claimed.row.cancel_requested)
        self.lost = False
        # The row is as of just now.
        self._told = time.monotonic()
        self._untold: tuple[str, int, int] | None = None
        self._ended: list[int] = []
        self._lock = threading.Lock()

    def progress(self, step: str, done: int = 0, total: int = 0) -> None:
        """Note how far it is; written about four times a second, so that what is done quickly writes none.

        Never raises: progress is for people. Whether the task is still ours is settled where something is changed.
        """
        with self._lock:
            self.step = step
            self._untold = (step, done, total)
            if time.monotonic() - self._told < TELL_SECONDS:
                return
        self._tell()

    def _tell(self) -> None:
        """Write what is not written yet, and learn whether to go on."""
        with self._lock:
            self._told = time.monotonic()
            told, self._untold = self._untold, None
        try:
            if told is None:
                with self.context.catalog.read() as connection:
                    row = queue.get(connection, self.id)
                self.cancel = self.cancel or bool(row.cancel_requested)
                self.lost = self.lost or row.lease_id != self.lease
                return
            with self.context.catalog.write() as connection:
                wanted = queue.progress(connection, self.id, self.lease, *told)
        except LeaseLost:
            self.lost = True
            return
        except (NuvoError, SQLAlchemyError):
            return
        self.cancel = self.cancel or wanted
        self.announce()

    def cancelled(self) -> bool:
        """Whether to stop: cancelled by a user, taken over by another executor, or shutting down."""
        if self._unwanted():
            return True
        if time.monotonic() - self._told < TELL_SECONDS:
            return False
        self._tell()
        return self._unwanted()

    def _unwanted(self) -> bool:
        return self.cancel or self.lost or self.stopping.is_set()

    def check(self) -> None:
        """Raise if the task is to stop.

        Raises:
            Cancelled: it is.
        """
        if self.cancelled():
            raise Cancelled("The task was cancelled.")

    def begin(self, step: str) -> None:
        """Enter a step that is not cancelled any more.

        Raises:
            Cancelled: that was asked for already.
            LeaseLost: somebody else has taken over.
        """
        if self.stopping.is_set():
            raise Cancelled("The task is given back.")
        try:
            # With it the backup survives a power failure, before anything is changed.
            with self.context.catalog.write(durable=True) as connection:
                self._fenced(lambda: queue.begin(connection, self.id, self.lease, step))
        except Cancelled:
            self.cancel = True
            raise
        self.entered(step)

    def entered(self, step: str) -> None:
        """Take note of a step that was written with :meth:`fence`."""
        with self._lock:
            self.step = step
            self._untold = None
        self.announce()

    def fence(self, connection: Connection, **values: Any) -> None:
        """Change the row in the caller's transaction, while it is ours.

        Raises:
            LeaseLost: somebody else has taken over; the transaction must not be committed.
        """
        self._fenced(lambda: queue.update(connection, self.id, self.lease, **values))

    def finish(
        self,
        connection: Connection,
        state: TaskState,
        *,
        result: bytes | None = None,
        problem: Problem | None = None,
    ) -> None:
        """End the task, and whatever its end ends or starts, in the caller's transaction.

        Raises:
            LeaseLost: somebody else has taken over; the transaction must not be committed.
        """
        row = self._fenced(
            lambda: queue.finish(connection, self.id, self.lease, state, result=result, problem=problem)
        )
        note_end(connection, row, problem)
        self._ended.append(self.id)
        if self.row.parent_id is not None:
            parent = families.count_finished(connection, self.row.parent_id, 1)
            if settle(self.context, connection, self.row.parent_id, parent):
                self._ended.append(self.row.parent_id)

    def suspend(self, connection: Connection, state: TaskState, **values: Any) -> None:
        """Give the task back without an end, in the caller's transaction.

        Raises:
            LeaseLost: somebody else has taken over; the transaction must not be committed.
        """
        self._fenced(lambda: queue.suspend(connection, self.id, self.lease, state, **values))

    def announce(self) -> None:
        """Tell that the task, and so its parent, changed."""
        self.context.announce(self.id)
        if self.row.parent_id is not None:
            self.context.announce(self.row.parent_id)
        while self._ended:
            self.context.ended(self._ended.pop())

    def note_ended(self, task_id: int) -> None:
        """Have the end of another task told with the next :meth:`announce`."""
        self._ended.append(task_id)

    def _fenced(self, act: Callable[[], T]) -> T:
        try:
            return act()
        except LeaseLost:
            self.lost = True
            raise
