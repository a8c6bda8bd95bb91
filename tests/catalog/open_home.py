"""Opens a catalog in a process of its own: waits for the start, opens, writes, says how many it sees."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from nuvo_jupyter.catalog.database import Catalog
from nuvo_jupyter.catalog.spaces import ensure_organization


def main(path: str, start: str) -> None:
    print("ready", flush=True)
    while not Path(start).exists():
        time.sleep(0.001)
    catalog = Catalog(f"sqlite:///{path}")
    with catalog.write() as connection:
        print(ensure_organization(connection, "home"), flush=True)
    catalog.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
