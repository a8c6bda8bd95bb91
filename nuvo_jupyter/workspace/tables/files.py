"""Files of tables lent to be read: of a workspace by an open descriptor, of a snapshot as a copy that is kept a while."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from blake3 import blake3

from nuvo_jupyter.model.nodes import Node
from nuvo_jupyter.model.paths import basename, parent, to_name
from nuvo_jupyter.workspace.safe import Root, open_file

KEPT_BYTES = 2 << 30
"""As many bytes of copies are kept; the ones that were used longest ago go first."""


@contextmanager
def live_table(root: Root, path: str) -> Iterator[str]:
    """A file of a workspace, opened without following links, as a path that DuckDB can read.

    Raises:
        OSError: it cannot be opened.
    """
    folder = root.folder(parent(path))
    try:
        fd = open_file(folder, to_name(basename(path)))
    finally:
        os.close(folder)
    try:
        yield f"/proc/self/fd/{fd}" if sys.platform == "linux" else f"/dev/fd/{fd}"
    finally:
        os.close(fd)


class Copies:
    """Copies of tables of snapshots, by content; nothing else is written to their folder.

    Args:
        folder: made on first use.
        most: bytes to keep.
    """

    def __init__(self, folder: Path, most: int = KEPT_BYTES) -> None:
        self._folder = folder
        self._most = most

    def path(self, node: Node, content: Iterable[bytes]) -> Path:
        """A file with the content of a table.

        Args:
            node: of the table.
            content: asked for only where there is no copy.
        """
        copy = self._folder / blake3(b"".join(node.content)).hexdigest()
        try:
            os.utime(copy)
            return copy
        except FileNotFoundError:
            pass
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._make_room(node.size)
        temporary = self._folder / f".{secrets.token_hex(8)}"
        try:
            with open(temporary, "xb") as file:
                file.writelines(content)
            os.replace(temporary, copy)
        finally:
            with contextlib.suppress(FileNotFoundError):
                temporary.unlink()
        return copy

    def _make_room(self, size: int) -> None:
        with os.scandir(self._folder) as entries:
            found = sorted(
                ((entry.stat().st_mtime_ns, entry.stat().st_size, entry.path) for entry in entries),
                reverse=True,
            )
        held = size
        for _, used, path in found:
            held += used
            if held > self._most:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)
