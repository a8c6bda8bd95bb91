from collections.abc import Sequence
from typing import Any

INTERFACE: int

def list_folder(fd: int, /) -> tuple[bytes, list[tuple[str, int]], list[tuple[str, int]]] | None: ...
def read_files(
    folder: int,
    rows: Sequence[str | int],
    positions: list[int],
    first: int,
    room: bytearray,
    used: int,
    flags: int,
    marks: tuple[tuple[int, bytes], ...],
    /,
) -> tuple[int, int, list[int]]: ...
def hash_many(datas: Sequence[bytes | bytearray | memoryview], /) -> list[bytes]: ...
def make_files(
    root: int, rows: Sequence[Any], spool: int, past: int, stop: bytearray, /
) -> tuple[list[int], int]: ...
