"""Contents from the store, read and decompressed while those before them are written."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

import msgspec

from nuvo_jupyter.model.errors import NuvoError, StoreDamaged
from nuvo_jupyter.model.nodes import BlobId, Node, NodeKind
from nuvo_jupyter.store.pack import THREADS, Buffer
from nuvo_jupyter.store.spool import Spool
from nuvo_jupyter.store.store import Store
from nuvo_jupyter.workspace.problems import explain

BATCH_BYTES = 4 << 20
BATCH_FILES = 512
KEPT_BYTES = 32 << 20
"""So much is written at once of what the spool keeps, between two looks at whether to stop."""
READERS = 2
"""Threads that read and decompress ahead, each one batch."""

T = TypeVar("T")


class Batch(msgspec.Struct, Generic[T]):
    """Some objects in their order, with what files of one blob are to hold.

    Args:
        items: the objects.
        contents: plain and verified, by blob id.
        problems: why a blob could not be read.
        problem: why none of those that are in neither could be.
    """

    items: Sequence[T]
    contents: dict[BlobId, Buffer]
    problems: dict[BlobId, str]
    problem: str = ""

    def problem_of(self, id_: BlobId) -> str:
        """Why there is no content for a blob."""
        return self.problems.get(id_) or self.problem or "Its content could not be read."


class Feed:
    """Reads ahead for one target.

    Args:
        store: holds the contents.
        spool: keeps what other targets get as well; ``None`` keeps nothing.
    """

    def __init__(self, store: Store, spool: Spool | None) -> None:
        self.store = store
        self.spool = spool

    def batches(
        self, items: Sequence[T], node_of: Callable[[T], Node | None]
    ) -> Generator[Batch[T], None, None]:
        """Every object in its order, in batches of about 4 MiB that are read ahead; to be closed by whoever asks.

        Args:
            items: the objects.
            node_of: the node whose content is to be read; ``None`` where none is.
        """
        parts = self.parts(items, node_of)
        first = next(parts, None)
        if first is None:
            return
        second = next(parts, None)
        if second is None:
            yield self.read(first)
            return
        # Not by the threads of anybody else: it must not wait for them.
        with ThreadPoolExecutor(READERS, "nuvo-read") as readers:
            ahead = deque(readers.submit(self.read, part) for part in (first, second))
            while ahead:
                batch = ahead.popleft().result()
                following = next(parts, None)
                if following is not None:
                    ahead.append(readers.submit(self.read, following))
                yield batch
                # Its memory is wanted for the next.
                del batch

    def is_kept(self, node: Node) -> bool:
        """Whether the spool has all of a file's content."""
        return self.spool is not None and all(id_ in self.spool for id_ in node.content)

    def stream(self, node: Node) -> Iterator[Buffer]:
        """A file's content blob by blob.

        Raises:
            StoreDamaged: some of it is missing or altered.
        """
        for id_, data in zip(node.content, self.store.stream_file(node), strict=True):
            if self.spool is not None:
                self.spool.put(id_, data)
            yield data

    def parts(self, items: Sequence[T], node_of: Callable[[T], Node | None]) -> Iterator[Part[T]]:
        """Every object in its order, by about 4 MiB of content, with the ids of the blobs to be read for them."""
        part: list[T] = []
        wanted: dict[BlobId, None] = {}
        size = kept = 0
        for item in items:
            node = node_of(item)
            part.append(item)
            if node is not None and node.kind is NodeKind.FILE:
                if len(node.content) != 1 or (self.spool is not None and node.content[0] in self.spool):
                    kept += node.size
                elif node.content[0] not in wanted:
                    wanted[node.content[0]] = None
                    size += node.size
            if size >= BATCH_BYTES or kept >= KEPT_BYTES or len(part) >= BATCH_FILES:
                yield part, wanted
                part, wanted, size, kept = [], {}, 0, 0
        if part:
            yield part, wanted

    def read(self, part: Part[T], *, threads: int = THREADS, keep: bool = True) -> Batch[T]:
        """Read what is wanted for some objects; what cannot be is said in the batch.

        Args:
            threads, keep: as for :meth:`.Store.read_many`.
        """
        items, wanted = part
        damaged: dict[BlobId, StoreDamaged] = {}
        batch: Batch[T] = Batch(items, {}, {})
        try:
            blobs = (
                self.store.read_many(wanted, damaged=damaged.__setitem__, threads=threads, keep=keep)
                if wanted
                else ()
            )
            for id_, data in blobs:
                batch.contents[id_] = data
                if self.spool is not None:
                    self.spool.put(id_, data)
        except (NuvoError, OSError) as error:
            batch.problem = explain(error)
        batch.problems = {id_: explain(error) for id_, error in damaged.items()}
        return batch


Part = tuple[Sequence[T], Mapping[BlobId, None]]
