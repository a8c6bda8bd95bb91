"""Random folders, random work on them, and random notebooks, for hypothesis."""

from __future__ import annotations

import json
import os
from typing import Any

from hypothesis import strategies as st

from .disk import Item, Tree

NAMES = st.sampled_from(
    [
        b"a", b"b", b"a.txt", b"b.py", b"n.ipynb", b"d", b"week 1",
        b"-rf", b"not utf-8 \xff", b"\\xff", b"line\nbreak", b".hidden", "\u00e9\U0001f9ea".encode(), b"x" * 255,
        b"a (from intro 2026-11-20).txt",
    ]
)  # fmt: skip
LEFT_OUT = (b"__pycache__", b".ipynb_checkpoints")
"""Folders that no capture takes, as every student has them."""

# Root is stopped by no permission; others could not work in such a folder.
FOLDER_MODES = [0o755, 0o700, 0o750, *([0o555] if os.geteuid() == 0 else [])]
TEXTS = [
    b"",
    b"1\n",
    b"2\n",
    b"1\nx\n2\ny\n3\n",
    b"0\nx\n2\ny\n3\n",
    b"1\nx\n2\ny\n4\n",
    b"\x00\xff",
    b"long" * 400_000,
]

folders = st.sampled_from([Item("folder", mode) for mode in FOLDER_MODES])
files = st.builds(
    Item, st.just("file"), st.sampled_from([0o644, 0o644, 0o755, 0o600, 0o444]), st.sampled_from(TEXTS)
)
links = st.builds(
    Item, st.just("link"), st.just(0o777), st.sampled_from([b"a", b"../..", b"/etc", b"gone \xff", b"d"])
)


@st.composite
def trees(draw: st.DrawFn, most: int = 7) -> Tree:
    """A folder in which names and contents often meet those of another."""
    found: Tree = {}
    paths = st.lists(NAMES, min_size=1, max_size=3).map(b"/".join)
    for path, item in draw(
        st.dictionaries(paths, st.one_of(folders, files, files, links), max_size=most)
    ).items():
        _add(found, path, item, draw)
    return found


@st.composite
def worked_on(draw: st.DrawFn, before: Tree, *, caches: bool = False) -> Tree:
    """A folder after some work in it: parts gone, parts changed, parts new."""
    found: Tree = {}
    for path in sorted(before):
        if _holds(found, os.path.dirname(path)) and draw(st.integers(0, 4)):
            found[path] = before[path]
    for path in sorted(found):
        if found[path].kind == "file" and not draw(st.integers(0, 2)):
            found[path] = draw(files)
    for path, item in draw(trees(4)).items():
        _add(found, path, item, draw)
    if caches and draw(st.booleans()):
        for folder in sorted(path for path, item in found.items() if item.kind == "folder"):
            if draw(st.booleans()):
                cache = folder + b"/" + draw(st.sampled_from(LEFT_OUT))
                found[cache] = Item("folder", 0o755)
                found[cache + b"/cached"] = Item("file", 0o644, b"cached")
    return found


def captured(found: Tree) -> Tree:
    """What a capture takes of a folder."""
    return {path: item for path, item in found.items() if not set(path.split(b"/")) & set(LEFT_OUT)}


def _holds(found: Tree, folder: bytes) -> bool:
    return not folder or (folder in found and found[folder].kind == "folder")


def _add(found: Tree, path: bytes, item: Item, draw: st.DrawFn) -> None:
    parts = path.split(b"/")
    for depth in range(1, len(parts)):
        folder = b"/".join(parts[:depth])
        if folder not in found:
            found[folder] = draw(folders)
        if found[folder].kind != "folder":
            return
    if path not in found:
        found[path] = item


Cell = dict[str, Any]


def cell(kind: str, source: str, id_: str) -> Cell:
    made: Cell = {"cell_type": kind, "id": id_, "metadata": {}, "source": source}
    return made | {"outputs": [], "execution_count": None} if kind == "code" else made


_SOURCES = st.sampled_from(
    [
        "import numpy as np",
        "# Task",
        "def f(x):\n    return x\n",
        "x = 1",
        "x = 2",
        "",
        "print(x)\nprint(y)",
        "## Hints\n\nRead.",
    ]
)
_KINDS = st.sampled_from(["code", "markdown"])


@st.composite
def notebooks(draw: st.DrawFn) -> list[Cell]:
    """The cells of a notebook."""
    sources = draw(st.lists(_SOURCES, max_size=6))
    return [cell(draw(_KINDS), source, f"start-{number}") for number, source in enumerate(sources)]


@st.composite
def edited(draw: st.DrawFn, cells: list[Cell], side: str) -> list[Cell]:
    """A notebook after one side edited, ran, removed, moved, split and added cells."""
    found = [dict(one) for one in cells]
    for number in range(draw(st.integers(0, 5))):
        act = draw(st.sampled_from(["edit", "run", "remove", "move", "add", "copy"]))
        at = draw(st.integers(0, max(len(found) - 1, 0)))
        if act == "add" or not found:
            # Both sides may well write the same.
            source = draw(st.one_of(_SOURCES, st.just(f"{side} {number}")))
            found.insert(at, cell(draw(_KINDS), source, f"{side}-{number}"))
        elif act == "edit":
            found[at] = found[at] | {
                "source": found[at]["source"] + draw(st.sampled_from([f"\n# {side} {number}", "\n# both"]))
            }
        elif act == "run" and found[at]["cell_type"] == "code":
            found[at] = found[at] | {
                "outputs": [{"output_type": "stream", "name": "stdout", "text": f"{side}\n"}]
            }
        elif act == "remove":
            del found[at]
        elif act == "move":
            found.insert(draw(st.integers(0, len(found) - 1)), found.pop(at))
        elif act == "copy":
            # Some editors leave the same id twice.
            found.append(dict(found[at]))
    return found


def write_notebook(cells: list[Cell]) -> bytes:
    """As a file; one that breaks the format's rule on ids where cells were copied."""
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()
