"""Folders as they are, looked at without the product, so that its own account can be checked."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from pathlib import Path

from nuvo_jupyter.clients.methods import Client
from nuvo_jupyter.model.nodes import NodeKind

Files = dict[str, str]
"""SHA-256 of every file's content, by its path in the folder."""


def files_in(folder: Path) -> Files:
    """What a folder holds.

    Raises:
        OSError: it cannot be read.
    """
    found = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            found[path.relative_to(folder).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def files_of(client: Client, state: str) -> Files:
    """What a snapshot holds, read file by file.

    Args:
        state: reference of the snapshot.
    """
    found = {}
    folders = [""]
    while folders:
        folder = folders.pop()
        for entry in client.browse(state=f"{state}:{folder}" if folder else state):
            if entry.kind is NodeKind.FOLDER:
                folders.append(entry.path)
            else:
                content = hashlib.sha256()
                for chunk in client.read(state=f"{state}:{entry.path}").body:
                    content.update(chunk)
                found[entry.path] = content.hexdigest()
    return found


def parts_of(path: Path) -> Counter[str]:
    """The pieces a file's author would miss: a notebook's cells, a text's lines, and how often each is there."""
    if path.suffix == ".ipynb":
        return Counter("".join(cell["source"]) for cell in json.loads(path.read_bytes())["cells"])
    return Counter(path.read_bytes().decode().splitlines())


def differing(one: Files, other: Files) -> list[str]:
    """Paths that are not the same in both."""
    return sorted(path for path in one.keys() | other.keys() if one.get(path) != other.get(path))
