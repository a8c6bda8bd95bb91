"""Where a capture's content goes: into a store's writer, or nowhere, with the same ids."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from blake3 import blake3

from nuvo_jupyter.native import hash_many
from nuvo_jupyter.store import chunks
from nuvo_jupyter.store.pack import CONTENT, Buffer


class Sink(Protocol):
    """What a capture needs of a writer (:class:`nuvo_jupyter.store.writer.Writer` is one)."""

    def add(self, data: Buffer, kind: int = ...) -> bytes:
        """Take one blob; returns its id."""

    def add_many(self, datas: Sequence[Buffer], kind: int = ...) -> list[bytes]:
        """Take many blobs; returns their ids in order."""

    def add_filled(self, fill: chunks.Fill) -> tuple[bytes, ...]:
        """Take a file's whole content as ``fill`` gives it; returns its blob ids in order."""

    def room(self) -> bytearray:
        """Where to read small files to: :data:`.chunks.WHOLE_UP_TO` bytes."""

    def add_room(self, room: bytearray, sizes: Sequence[int]) -> list[bytes]:
        """Take back a room with one blob behind the other in it; returns their ids in order.

        Args:
            sizes: of the blobs, bytes.
        """


class Hashing:
    """Takes content only to say what its ids are."""

    def __init__(self) -> None:
        self._rooms: Callable[[], bytearray] | None = None
        self._room: bytearray | None = None

    def add(self, data: Buffer, kind: int = CONTENT) -> bytes:  # noqa: ARG002 - as a writer has it
        """The id one blob would have."""
        return blake3(data).digest()

    def add_many(self, datas: Sequence[Buffer], kind: int = CONTENT) -> list[bytes]:  # noqa: ARG002
        """The ids many blobs would have."""
        return hash_many(datas)

    def add_filled(self, fill: chunks.Fill) -> tuple[bytes, ...]:
        """The ids a file's content would have."""
        if self._rooms is None:
            self._rooms = chunks.two_rooms()
        ids: list[bytes] = []
        for pieces in chunks.filled(fill, self._rooms):
            ids.extend(hash_many(pieces))
        return tuple(ids)

    def room(self) -> bytearray:
        """Where to read small files to."""
        room, self._room = self._room, None
        return bytearray(chunks.WHOLE_UP_TO) if room is None else room

    def add_room(self, room: bytearray, sizes: Sequence[int]) -> list[bytes]:
        """The ids of what lies in a room, one blob behind the other."""
        self._room = room
        return hash_many(chunks.behind_each_other(room, sizes))
