"""A definition that lies in the store, or among files already looked at, lent as a folder to be read and compared."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from nuvo_jupyter.model.nodes import Node, NodeKind
from nuvo_jupyter.model.paths import to_name
from nuvo_jupyter.workspace.applications.conda.locked import ARCHIVES
from nuvo_jupyter.workspace.applications.definition import LOGOS
from nuvo_jupyter.workspace.applications.lock import LOCK_MAX, WHEELS

_LEFT_OUT = (f"{WHEELS}/", f"{ARCHIVES}/", f"{LOGOS}/")
"""What the lock tells by its hashes, and what nobody compares."""


@contextmanager
def lent(name: str, nodes: Mapping[str, Node], read: Callable[[Node], bytes]) -> Iterator[Path]:
    """A folder with the small files of a definition, gone afterwards.

    Args:
        name: of the application.
        nodes: what lies in its folder, by path text relative to it.
        read: gives the content of a node.

    Raises:
        NuvoError, OSError: from ``read``.
    """
    with tempfile.TemporaryDirectory(prefix="nuvo-") as work:
        folder = Path(work, to_name(name))
        folder.mkdir()
        for path, node in nodes.items():
            # Nobody's definition is so large; a link or a folder in a file's place is missed when it is read.
            if node.kind is NodeKind.FILE and node.size <= LOCK_MAX and not path.startswith(_LEFT_OUT):
                file = folder / to_name(path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(read(node))
        yield folder
