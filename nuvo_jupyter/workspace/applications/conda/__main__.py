"""The process in which py-rattler works: it can be ended at any time, and what goes wrong in it ends nothing else."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import msgspec

from nuvo_jupyter.workspace.applications.conda.fetch import Failed, Item, fetch
from nuvo_jupyter.workspace.applications.conda.link import Install, install


def main(request: Path) -> int:
    """Do what a request says; what is done is told line by line, why it failed at the end.

    Args:
        request: file with archives to download, or an :class:`Install`.
    """
    asked = msgspec.json.decode(request.read_bytes(), type=Install | list[Item])
    try:
        asyncio.run(install(asked, _tell) if isinstance(asked, Install) else fetch(asked, _tell))
    except Failed as failed:
        print(msgspec.json.encode([failed.kind, failed.package, failed.text]).decode())
        return 1
    return 0


def _tell(done: int, text: str) -> None:
    print(done, text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    code = main(Path(sys.argv[1]))
    sys.stdout.flush()
    # py-rattler's threads outlive its work, and would crash an interpreter that takes its time to end.
    os._exit(code)
