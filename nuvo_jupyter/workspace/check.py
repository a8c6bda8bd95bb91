"""What lies at a path now, against what a plan saw there: nothing that changed since is overwritten."""

from __future__ import annotations

import enum
import os
import stat
from collections.abc import Sequence

import msgspec

from nuvo_jupyter.model.nodes import BlobId, Node, NodeKind
from nuvo_jupyter.model.paths import from_name
from nuvo_jupyter.store.chunks import content_ids as ids_of
from nuvo_jupyter.workspace import database
from nuvo_jupyter.workspace.content import Patience, content_ids, is_being_saved
from nuvo_jupyter.workspace.safe import look
from nuvo_jupyter.workspace.scan import FILE_MODE, Fingerprint, fingerprint


class State(enum.Enum):
    """What was found."""

    FREE = "free"
    """Nothing lies there."""
    EXPECTED = "expected"
    """What the plan saw."""
    DONE = "done"
    """What is wanted lies there already."""
    CHANGED = "changed"
    """Something else."""


class Found(msgspec.Struct, frozen=True, gc=False):
    """What lies at a path; ``status`` is what ``stat`` said where something does."""

    state: State
    status: os.stat_result | None = None
    detail: str = ""


APPEARED = "Something that is not in the backup lies here; it was kept."
CHANGED = "It was changed after the backup was taken; that version was kept."
DELETED = "It was deleted after the backup was taken, and stays deleted."
SAVING = "It is being saved at this moment, and was kept."


def check(
    folder: int,
    name: str,
    *,
    expected: Node | None,
    seen: Fingerprint | None,
    wanted: Sequence[Node] = (),
    data: bytes | None = None,
    patience: Patience | None = None,
) -> Found:
    """Compare what lies at a name in an open folder with what a plan saw.

    Args:
        expected: what the plan saw; ``None`` for nothing.
        seen: how the capture saw it, where it was a file.
        wanted: what is to lie there in the end, if it is already there from a run that was killed.
        data: the wanted content, where it is not ``wanted``'s own.
        patience: with files that are being saved.

    Raises:
        OSError: it cannot be looked at or read.
    """
    status = look(folder, name)
    if status is None:
        return _nothing(expected, wanted)
    if stat.S_ISREG(status.st_mode) and is_being_saved(folder, name):
        if not (patience or Patience()).until_saved(folder, name):
            return Found(State.CHANGED, status, SAVING)
        status = look(folder, name)
        if status is None:
            return _nothing(expected, wanted)
    if expected is not None and _is_expected(folder, name, status, expected, seen):
        return Found(State.EXPECTED, status)
    if any(matches(folder, name, status, node, data) for node in wanted):
        return Found(State.DONE, status)
    return Found(State.CHANGED, status, APPEARED if expected is None else CHANGED)


def _nothing(expected: Node | None, wanted: Sequence[Node]) -> Found:
    if expected is None or not wanted:
        return Found(State.FREE)
    # A folder and a file cannot be exchanged in one step: a killed run may have left nothing in between.
    if any((node.kind is NodeKind.FOLDER) != (expected.kind is NodeKind.FOLDER) for node in wanted):
        return Found(State.FREE)
    return Found(State.CHANGED, None, DELETED)


def _is_expected(
    folder: int, name: str, status: os.stat_result, expected: Node, seen: Fingerprint | None
) -> bool:
    if (
        seen is not None
        and expected.kind is NodeKind.FILE
        and fingerprint(status) == seen
        and not database.in_use(folder, name)
    ):
        return True
    return matches(folder, name, status, expected)


def matches(folder: int, name: str, status: os.stat_result, node: Node, data: bytes | None = None) -> bool:
    """Whether what ``stat`` saw is what a node says; times and modes do not count.

    Raises:
        OSError: its content cannot be read.
    """
    if node.kind is NodeKind.FOLDER:
        return stat.S_ISDIR(status.st_mode)
    if node.kind is NodeKind.LINK:
        return stat.S_ISLNK(status.st_mode) and from_name(os.readlink(name, dir_fd=folder)) == node.link
    if not stat.S_ISREG(status.st_mode):
        return False
    size = node.size if data is None else len(data)
    if status.st_size != size and not database.in_use(folder, name):
        return False
    wanted: tuple[BlobId, ...] = node.content if data is None else ids_of(data)
    found_size, found, _ = content_ids(folder, name)
    return found_size == size and found == wanted


def is_same_file(before: os.stat_result, after: os.stat_result) -> bool:
    """Whether two looks saw the same unchanged file; a rename between them changes the change time alone."""
    return (
        before.st_ino == after.st_ino
        and before.st_size == after.st_size
        and before.st_mtime_ns == after.st_mtime_ns
        and before.st_mode & FILE_MODE == after.st_mode & FILE_MODE
    )
