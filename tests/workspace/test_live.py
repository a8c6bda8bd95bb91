"""Reading files of a live workspace."""

from __future__ import annotations

import os
from pathlib import Path

from nuvo_jupyter.workspace.live import live_file
from nuvo_jupyter.workspace.safe import Root


def open_files() -> int:
    """How many files this process has open."""
    return len(os.listdir("/dev/fd"))


def test_a_file_is_closed_however_much_of_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a" * 3_000_000)
    with Root(tmp_path) as root:
        before = open_files()
        size, body = live_file(root, "a.txt")
        assert open_files() == before + 1
        assert len(b"".join(body)) == size == 3_000_000
        assert open_files() == before
        _, begun = live_file(root, "a.txt")
        assert len(next(begun)) < size
        del begun
        assert open_files() == before
        _, unread = live_file(root, "a.txt")
        del unread
        assert open_files() == before
