"""A capture that takes unchanged folders over from memory gives what a capture from scratch gives."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from nuvo_jupyter.store import tree
from nuvo_jupyter.store.writer import Writer
from nuvo_jupyter.workspace.capture import Captured, capture
from nuvo_jupyter.workspace.memory import Memory
from nuvo_jupyter.workspace.safe import Root
from nuvo_jupyter.workspace.sink import Hashing

from .places import Place, later

FOLDERS = ("", "a", "a/b", "a/b/c", "d", "d/e")
STEPS = ("write", "remove", "folder", "link", "mode", "clear", "rename", "database", "remember", "save")

steps = st.lists(
    st.tuples(st.sampled_from(STEPS), st.sampled_from(FOLDERS), st.integers(0, 2)), min_size=1, max_size=12
)


def look(folder: Path, memory: Memory | None = None) -> Captured:
    with Root(folder) as root:
        return capture(root, None, memory, now=later)


@settings(max_examples=120, deadline=None)
@given(st.lists(steps, min_size=1, max_size=4))
def test_whatever_changes_in_between(rounds: list[list[tuple[str, str, int]]]) -> None:
    with TemporaryDirectory() as temporary:
        work = Path(temporary) / "work"
        for folder in FOLDERS:
            (work / folder).mkdir(parents=True, exist_ok=True)
            (work / folder / "0").write_text(folder)
        memory: Memory | None = None
        for changes in rounds:
            for what, folder, number in changes:
                memory = _change(work, memory, what, work / folder, number)
            fast, slow = look(work, memory), look(work)
            assert fast.manifest_id == slow.manifest_id
            assert fast.nodes == slow.nodes
            assert fast.fingerprints.keys() == slow.fingerprints.keys()
            # The same bytes as trees built from nodes have.
            assert fast.manifest.root == tree.build(fast.nodes, cast(Writer, Hashing()))
            memory = fast.remembered


def _change(work: Path, memory: Memory | None, what: str, folder: Path, number: int) -> Memory | None:
    if what == "save" and memory is not None:
        memory.save(work.parent / "memory")
        return Memory.load(work.parent / "memory")
    if not folder.is_dir() or folder.is_symlink():
        return memory
    path = folder / str(number)
    if what == "write":
        _clear(path)
        path.write_text(f"{number} {len(os.listdir(folder))}")
    elif what == "remove":
        _clear(path)
    elif what == "folder":
        path.mkdir() if not os.path.lexists(path) else None
    elif what == "link":
        _clear(path)
        path.symlink_to(str(number))
    elif what == "mode":
        folder.chmod(0o700 + number)
    elif what == "clear" and folder != work:
        shutil.rmtree(folder)
        folder.mkdir()
    elif what == "rename" and folder != work:
        folder.rename(folder.with_name(f"{folder.name}{number}")) if not os.path.lexists(
            folder.with_name(f"{folder.name}{number}")
        ) else None
    elif what == "database":
        _clear(path)
        path.write_bytes(b"SQLite format 3\0" + bytes(84))
        (folder / f"{number}-journal").write_bytes(b"" if number else b"x")
    elif what == "remember" and memory is not None and path.is_file() and not path.is_symlink():
        found = look(work)
        text = path.relative_to(work).as_posix()
        if found.fingerprints[text].ctime_ns:
            memory.remember(text, found.fingerprints[text], found.nodes[text].content)
    return memory


def _clear(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()


def test_trees_taken_over_are_in_the_store(place: Place, work: Path) -> None:
    for folder in ("one", "two/three"):
        (work / folder).mkdir(parents=True)
        (work / folder / "file").write_text(folder)
    first = place.capture(work)
    (work / "one" / "file").write_text("changed")
    second = place.capture(work, first.remembered)
    assert second.files_read == 1
    assert tree.flatten(place.store, second.manifest.root) == second.nodes
