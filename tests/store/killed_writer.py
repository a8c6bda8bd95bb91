"""Run by test_crashes.py: writes in a loop and says what it committed, until it is killed."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from nuvo_jupyter.catalog import tables
from nuvo_jupyter.catalog.database import Catalog
from nuvo_jupyter.model.nodes import Node, NodeKind
from nuvo_jupyter.store import tree
from nuvo_jupyter.store.store import Store


def main(catalog_url: str, store_url: str, die_at: int) -> None:
    store = Store.open(store_url, Catalog(catalog_url))
    calls = 0

    def fatal(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == die_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **kwargs)

        return wrapper

    for name in ("write", "fsync", "link", "unlink"):
        setattr(os, name, fatal(getattr(os, name)))

    while True:
        with store.writer() as writer:
            ids = writer.add_many([os.urandom(2000) for _ in range(20)])
            nodes = {str(n): Node(NodeKind.FILE, size=2000, content=(id_,)) for n, id_ in enumerate(ids)}
            root = tree.build(nodes, writer)
            writer.flush()
            with store.catalog.write() as connection:
                writer.commit(connection)
                connection.execute(tables.instance.update().values(base_root=root))
        sys.stdout.write(" ".join(id_.hex() for id_ in (*ids, root)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
