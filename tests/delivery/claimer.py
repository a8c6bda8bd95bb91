"""A process of its own that claims and finishes tasks until none is left; prints the ids it did."""

from __future__ import annotations

import sys

from nuvo_jupyter.catalog import queue
from nuvo_jupyter.catalog.database import Catalog
from nuvo_jupyter.model.tasks import TaskState


def main(url: str) -> None:
    catalog = Catalog(url)
    print("ready", flush=True)
    sys.stdin.readline()
    while True:
        claimed = queue.claim(catalog, 60)
        if claimed is None:
            with catalog.read() as connection:
                # Blocked ones become free when the other process finishes what is before them.
                if not queue.list_tasks(connection, active=True, limit=1):
                    break
            continue
        with catalog.write() as connection:
            queue.finish(connection, claimed.id, claimed.lease, TaskState.DONE)
        print(claimed.id, claimed.row.instance_id, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
