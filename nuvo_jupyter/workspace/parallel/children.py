"""The processes among which work is shared out, for as long as one piece of work lasts."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterable
from types import TracebackType
from typing import Generic, Self, TypeVar

import msgspec

import nuvo_jupyter
from nuvo_jupyter.workspace.parallel.messages import Made, Make, framed, receive

FILES = 2_000
"""From so many files on processes are worth their start, which takes each of them 50 ms …"""
BYTES = 64 << 20
"""… or from so many bytes on."""
MOST = 3
AHEAD = 2
"""Orders that each is given at once, so that it need not wait for the next."""

_BOOT = """
import sys
sys.path[:] = sys.argv[3:]
from nuvo_jupyter.workspace.parallel.child import main
main(int(sys.argv[1]), int(sys.argv[2]))
"""

T = TypeVar("T")

log = logging.getLogger(__name__)


def how_many(files: int, size: int) -> int:
    """How many processes are worth starting to make so many files of so many bytes together; 0 for none."""
    if files < FILES and size < BYTES:
        return 0
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return 0 if processors < 2 else max(2, min(MOST, processors - 1))


def _wait(channels: Iterable[int | socket.socket], events: int) -> dict[int, int]:
    """What has happened to which descriptor, as soon as something has. Not ``select``: servers have many open files."""
    poll = select.poll()
    for channel in channels:
        poll.register(channel, events)
    return dict(poll.poll())


class _Child:
    def __init__(self, root: int) -> None:
        self.channel, theirs = socket.socketpair()
        with theirs:
            # Only what it needs is looked for, which halves its start; never in the folder it is started in.
            home = os.path.dirname(os.path.dirname(os.path.abspath(nuvo_jupyter.__file__)))
            paths = [*filter(os.path.isabs, sys.path), home]
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _BOOT, str(theirs.fileno()), str(os.getpid()), *paths],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                cwd="/",
            )
        self.replies: deque[bytes | None] = deque()
        socket.send_fds(self.channel, [b"\0"], [root])

    def send(self, message: bytes) -> None:
        """Send a message, and take in what it says meanwhile: it may be saying more than fits on the way.

        Raises:
            OSError: it has ended.
        """
        rest = memoryview(message)
        while rest:
            ready = _wait([self.channel], select.POLLIN | select.POLLOUT)[self.channel.fileno()]
            if ready & ~select.POLLOUT:
                self.replies.append(receive(self.channel))
                if self.replies[-1] is None:
                    raise BrokenPipeError
            if ready & select.POLLOUT:
                with contextlib.suppress(BlockingIOError):
                    rest = rest[self.channel.send(rest, socket.MSG_DONTWAIT) :]

    def reply(self) -> bytes | None:
        """What it says next; waits for it. ``None`` if it has ended.

        Raises:
            OSError: it has broken off.
        """
        return self.replies.popleft() if self.replies else receive(self.channel)

    def end(self, kill: bool) -> None:
        if kill:
            self.process.kill()
        self.channel.close()
        self.process.wait()


class Children(Generic[T]):
    """Processes that make files in one workspace, as a context manager: in the end none of them is left.

    Args:
        root: descriptor of the workspace's folder.
        count: how many.
    """

    def __init__(self, root: int, count: int) -> None:
        self._children: list[_Child] = []
        self._given: dict[_Child, list[T]] = {}
        self._lost: list[T] = []
        with contextlib.suppress(OSError, ValueError):
            for _ in range(count):
                child = _Child(root)
                self._children.append(child)
                self._given[child] = []

    @property
    def any(self) -> bool:
        """Whether there is a process left to give work to."""
        return bool(self._children)

    @property
    def busy(self) -> bool:
        """Whether each has as much to do as it can be given; so it is as well when there is something to be taken at once."""
        full = all(len(self._given[child]) >= AHEAD for child in self._children)
        return bool(self._lost) or (full and self.any)

    @property
    def pending(self) -> bool:
        """Whether there is something to be taken."""
        return bool(self._lost) or any(self._given[child] for child in self._children)

    def give(self, key: T, order: Make) -> None:
        """Have an order carried out by whoever has least to do.

        Args:
            key: given back with what came of it.
        """
        child = min(self._children, key=lambda child: len(self._given[child]), default=None)
        if child is None:
            self._lost.append(key)
            return
        self._given[child].append(key)
        try:
            child.send(framed(order))
        except OSError:
            self._lose(child)

    def take(self) -> tuple[T, Made | None]:
        """What came of an order; waits for it. To be asked only while :attr:`pending`.

        Returns:
            ``None`` where a process has died over it: some of its files may have been made.
        """
        while not self._lost:
            at_work = {child.channel.fileno(): child for child in self._children if self._given[child]}
            child = next((child for child in at_work.values() if child.replies), None)
            if child is None:
                child = at_work[next(iter(_wait(at_work, select.POLLIN)))]
            made = None
            with contextlib.suppress(OSError, msgspec.MsgspecError):
                reply = child.reply()
                made = None if reply is None else msgspec.msgpack.decode(reply, type=Made)
            if made is not None:
                return self._given[child].pop(0), made
            self._lose(child)
        return self._lost.pop(), None

    def _lose(self, child: _Child) -> None:
        child.end(kill=True)
        log.warning(
            "A process that shared the work ended with %s; what it had to do is done by others.",
            child.process.returncode,
        )
        self._children.remove(child)
        self._lost += self._given.pop(child)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in self._children:
            child.end(kill=self.pending)
        self._children = []
