"""Publishing new versions of several tables so that a crash leaves all of them or none.

New files are written and made durable under temporary names. One rename publishes one file; for more a journal
says first what belongs together, and whoever takes the lock next finishes what a killed writer began.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

import msgspec

from nuvo_jupyter.workspace.tables.names import OURS

JOURNAL = OURS + "commit"
NEW = OURS + "new-"
_JOURNAL_MAX = 16 << 20


class Change(msgspec.Struct, frozen=True):
    """One file to publish or to remove.

    Args:
        file: relative to the folder of tables.
        temporary: name of the new content, in the folder of tables; ``""`` removes the file.
    """

    file: str
    temporary: str = ""


def new_file(folder: Path) -> Path:
    """Where new content may be written."""
    return folder / f"{NEW}{secrets.token_hex(8)}"


def publish(folder: Path, changes: list[Change]) -> None:
    """Make changes visible, all or none; the caller holds the writers' lock.

    Raises:
        OSError: nothing was changed; the temporary files are left for :func:`clear_away`.
    """
    for change in changes:
        if change.temporary:
            _sync(folder / change.temporary)
    for schema in {os.path.dirname(change.file) for change in changes if change.temporary} - {""}:
        (folder / schema).mkdir(exist_ok=True)
    if len(changes) > 1:
        journal = new_file(folder)
        with open(journal, "xb") as file:
            file.write(msgspec.json.encode(changes))
            file.flush()
            os.fsync(file.fileno())
        os.replace(journal, folder / JOURNAL)
        _sync(folder)
    _carry_out(folder, changes)
    if len(changes) > 1:
        os.unlink(folder / JOURNAL)


def finish_commit(folder: Path) -> None:
    """Carry out what a killed writer had already decided; the caller holds the writers' lock."""
    journal = folder / JOURNAL
    try:
        with open(os.open(journal, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            changes = msgspec.json.decode(file.read(_JOURNAL_MAX), type=list[Change])
    except FileNotFoundError:
        return
    except (OSError, msgspec.MsgspecError):
        changes = []
    # Nobody can be made to touch a file elsewhere by a planted journal.
    if all(_is_ours(change) for change in changes):
        _carry_out(folder, changes)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(journal)


def clear_away(folder: Path) -> None:
    """Remove what killed writers left; the caller holds the writers' lock."""
    with os.scandir(folder) as entries:
        left = [entry.path for entry in entries if entry.name.startswith(NEW)]
    for path in left:
        with contextlib.suppress(OSError):
            os.unlink(path)


def _carry_out(folder: Path, changes: list[Change]) -> None:
    for change in changes:
        target = folder / change.file
        if change.temporary:
            with contextlib.suppress(FileNotFoundError):
                os.replace(folder / change.temporary, target)
        else:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(target)
    for schema in {os.path.dirname(change.file) for change in changes}:
        _sync(folder / schema)


def _is_ours(change: Change) -> bool:
    parts = change.file.split("/")
    return (
        len(parts) <= 2
        and all(part and not part.startswith(".") for part in parts)
        and (not change.temporary or (change.temporary.startswith(NEW) and "/" not in change.temporary))
    )


def _sync(path: Path) -> None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
