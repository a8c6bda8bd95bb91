"""Folders as values: what is laid out on a real disk, and what is found there, bit for bit."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class Item(NamedTuple):
    """One thing in a folder.

    Args:
        kind: ``file``, ``folder`` or ``link``.
        mode: permission bits; 0o777 for links.
        data: a file's content, or where a link points.
    """

    kind: str
    mode: int
    data: bytes = b""


Tree = dict[bytes, Item]
"""Relative path as the file system spells it → what lies there; folders have entries of their own."""

FOLDER = Item("folder", 0o755)


def file(data: bytes | str, mode: int = 0o644) -> Item:
    """A file."""
    return Item("file", mode, data.encode() if isinstance(data, str) else data)


def link(to: bytes | str) -> Item:
    """A symbolic link."""
    return Item("link", 0o777, to.encode() if isinstance(to, str) else to)


def tree(items: Mapping[str | bytes, Item | str]) -> Tree:
    """A tree with the folders on the way; texts stand for files."""
    found: Tree = {}
    for name, item in items.items():
        path = os.fsencode(name)
        folder = os.path.dirname(path)
        while folder:
            found.setdefault(folder, FOLDER)
            folder = os.path.dirname(folder)
        found[path] = file(item) if isinstance(item, str) else item
    return found


def clear(folder: Path) -> None:
    """Remove everything in a folder, not the folder."""
    for top, folders, files in os.walk(os.fsencode(folder), topdown=False):
        for name in files:
            os.unlink(os.path.join(top, name))
        for name in folders:
            path = os.path.join(top, name)
            if os.path.islink(path):
                os.unlink(path)
            else:
                os.chmod(path, 0o700)
                os.rmdir(path)


def lay_out(folder: Path, wanted: Tree) -> None:
    """Make a folder hold exactly a tree."""
    clear(folder)
    top = os.fsencode(folder)
    for path in sorted(wanted):
        item, where = wanted[path], os.path.join(top, path)
        if item.kind == "folder":
            os.mkdir(where, 0o700)
        elif item.kind == "link":
            os.symlink(item.data, where)
        else:
            with open(where, "wb") as out:
                out.write(item.data)
            os.chmod(where, item.mode)
    for path in sorted(wanted, reverse=True):
        if wanted[path].kind == "folder":
            os.chmod(os.path.join(top, path), wanted[path].mode)


def found_in(folder: Path) -> Tree:
    """Everything in a folder, links not followed."""
    top = os.fsencode(folder)
    found: Tree = {}
    for here, folders, files in os.walk(top):
        for name in [*folders, *files]:
            where = os.path.join(here, name)
            path = os.path.relpath(where, top)
            status = os.lstat(where)
            mode = stat.S_IMODE(status.st_mode)
            if stat.S_ISLNK(status.st_mode):
                found[path] = Item("link", 0o777, os.readlink(where))
            elif stat.S_ISDIR(status.st_mode):
                found[path] = Item("folder", mode)
            else:
                with open(where, "rb") as content:
                    found[path] = Item("file", mode, content.read())
    return found
