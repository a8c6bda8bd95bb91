"""Files of new folders, made many at a time by threads that hold Python's lock for next to none of it."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from array import array
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Any, Self

import msgspec

from nuvo_jupyter.model.nodes import BlobId, Node, NodeKind
from nuvo_jupyter.native import Buffer, make_files
from nuvo_jupyter.workspace.feed import Batch, Feed
from nuvo_jupyter.workspace.problems import plain
from nuvo_jupyter.workspace.scan import is_long_past
from nuvo_jupyter.workspace.writing import wrong_size

MAKERS = 2
"""Threads that read, decompress, verify and write, each one order at a time."""
AHEAD = 2
"""Orders that may be under way besides those that are being carried out."""
PAST_CACHE = 128 << 10
"""Bytes from which on what many targets get is written past the page cache; each such file waits for the disk by itself."""

NICENESS = 10
"""How far these threads stand back where processors are short; as of the command ``nice``."""

ASKED_SECONDS = 0.1
"""How often it is asked whether to stop while there is nothing to do but wait."""

_WIDTH = 6
_MOMENTS = 1 << 63
"""Nanoseconds since 1970 that can be told of; a few file systems reach farther than the year 2262."""


class Order:
    """Files to be made.

    Attributes:
        members: index of each in the plan.
        rows: of each six things, as :data:`nuvo_jupyter.native.make_files` takes them, but ids of blobs for contents.
    """

    def __init__(self) -> None:
        self.members = array("I")
        self.rows: list[Any] = []

    @staticmethod
    def takes(node: Node) -> bool:
        """Whether a file can be ordered; others have to be made one by one."""
        return node.kind is NodeKind.FILE and -_MOMENTS <= node.mtime_ns < _MOMENTS

    def file(
        self,
        index: int,
        place: str,
        name: str,
        mode: int,
        mtime_ns: int,
        size: int,
        content: Sequence[BlobId],
    ) -> None:
        """A file of some size in bytes is to be in the folder at a place (path text without escapes)."""
        self.members.append(index)
        self.rows += (place, name, mode, mtime_ns, size, content)


class Made(msgspec.Struct):
    """What came of an order.

    Args:
        count: of how many files it was.
        problems: by index in the plan, why it was not made.
        seen: index in the plan, change time in nanoseconds, inode and mode of those no change to which can go unseen.
        files: how many files were made.
        unflushed: bytes of those that may not be on the disk yet.
    """

    count: int
    problems: dict[int, str]
    seen: list[tuple[int, int, int, int]]
    files: int = 0
    unflushed: int = 0


class Makers:
    """Threads that make files in one workspace, as a context manager: in the end none of them is at work.

    Args:
        root: descriptor of the workspace's folder.
        feed: gives the contents.
    """

    def __init__(self, root: int, feed: Feed) -> None:
        self._root = root
        self._feed = feed
        self._stop = bytearray(1)
        # Not threads of anybody else: it must not wait for them.
        self._threads = ThreadPoolExecutor(MAKERS, "nuvo-make", _yield_to_others)
        self._given: deque[Future[Made]] = deque()

    @property
    def busy(self) -> bool:
        """Whether there is as much to do as is good for memory."""
        return len(self._given) >= MAKERS + AHEAD

    @property
    def pending(self) -> bool:
        """Whether there is something to be taken."""
        return bool(self._given)

    def give(self, order: Order, wanted: Mapping[BlobId, None]) -> None:
        """Have an order carried out.

        Args:
            wanted: ids of the blobs that have to be read for it.
        """
        self._given.append(self._threads.submit(self._make, order, wanted))

    def take(self, stop: Callable[[], None]) -> Made:
        """What came of the first order that was not taken yet; waits for it.

        Args:
            stop: asked now and then meanwhile; raises to stop.
        """
        first = self._given.popleft()
        while wait((first,), ASKED_SECONDS).not_done:
            stop()
        return first.result()

    def folders(self, places: Sequence[tuple[str, str, int]]) -> list[str]:
        """Make folders, at once; returns why each was not made, or ``""``.

        Args:
            places: of each the place of the folder it is to lie in, which must be there (path text without escapes), its name and its mode.
        """
        rows: list[Any] = []
        for place, name, mode in places:
            rows += (place, name, mode, 0, 0, None)
        found, _ = make_files(self._root, rows, -1, 0, self._stop)
        return [plain(OSError(error, "")) if error else "" for error in found[::4]]

    def _make(self, order: Order, wanted: Mapping[BlobId, None]) -> Made:
        batch = self._feed.read((order.members, wanted), threads=1, keep=False)
        made = Made(len(order.members), {}, [])
        indices, rows = array("I"), []
        for at, index in enumerate(order.members):
            row = order.rows[at * _WIDTH : (at + 1) * _WIDTH]
            content = self._content(row[5], batch)
            if isinstance(content, str):
                made.problems[index] = content
                continue
            size = sum(content[1::2]) if isinstance(content, tuple) else len(content)
            if size != row[4]:
                made.problems[index] = wrong_size(size, row[4]).message
                continue
            row[5] = content
            indices.append(index)
            rows += row
        spool = self._feed.spool
        found, past = make_files(
            self._root, rows, -1 if spool is None else spool.descriptor, PAST_CACHE, self._stop
        )
        for index, error, ctime_ns, inode, mode, mtime_ns, size in zip(
            indices, *(found[at::4] for at in range(4)), *(rows[at::_WIDTH] for at in (3, 4)), strict=True
        ):
            if error:
                made.problems[index] = plain(OSError(error, ""))
            else:
                made.files += 1
                made.unflushed += size
                if ctime_ns and is_long_past(mtime_ns, ctime_ns):
                    made.seen.append((index, ctime_ns, inode, mode))
        made.unflushed -= past
        return made

    def _content(self, ids: Sequence[BlobId], batch: Batch[int]) -> Buffer | tuple[int, ...] | str:
        """What a file is to hold, or where in the spool that lies; or why it cannot be had."""
        if not ids:
            return b""
        data = batch.contents.get(ids[0]) if len(ids) == 1 else None
        if data is not None:
            return data
        spool = self._feed.spool
        pieces = None if spool is None else spool.pieces(ids)
        return batch.problem_of(ids[0]) if pieces is None else pieces

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._stop[0] = 1
        self._threads.shutdown(cancel_futures=True)


def _yield_to_others() -> None:
    """Let threads that answer people go first: without it they wait twice as long, while files are made no sooner."""
    # Elsewhere it would be said of the whole process.
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
