"""Publishing new versions of several tables so that a crash leaves all of them or none.

New files are written and made durable under temporary names. One rename publishes one file; for more a journal
says first what belongs together, and whoever takes the lock next finishes what a killed writer began.
"""

from __future__ import annotations

import contextlib
import enum
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from nuvo_jupyter.model.errors import InvalidInput
from nuvo_jupyter.model.inspected import inspected
from nuvo_jupyter.workspace.tables.names import OURS

JOURNAL = OURS + "commit"
NEW = OURS + "new-"
_JOURNAL_MAX = 16 << 20
_FOLDER = os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_NONBLOCK


class Action(enum.StrEnum):
    """What happens to a name in the folder of tables."""

    PUT = "put"
    REMOVE = "remove"
    MAKE_FOLDER = "make_folder"
    REMOVE_FOLDER = "remove_folder"


_ORDER = (Action.MAKE_FOLDER, Action.PUT, Action.REMOVE, Action.REMOVE_FOLDER)
"""A schema's folder is there before its tables, and goes when they are gone."""


@inspected
class Change(msgspec.Struct, frozen=True):
    """One file to publish or to remove, or one schema's folder to make or to remove.

    Args:
        action: what to do.
        file: relative to the folder of tables.
        temporary: name of the new content, in the folder of tables; ``""`` where there is none.
    """

    action: Action
    file: str
    temporary: str = ""


def open_folder(folder: Path) -> int:
    """Open the folder of tables, following no link.

    Raises:
        FileNotFoundError: there is none.
        InvalidInput: something else has its name.
    """
    try:
        return os.open(folder, _FOLDER)
    except NotADirectoryError:
        raise InvalidInput(
            f"{str(folder)!r} is no folder, so it cannot hold tables.",
            hint="Tables lie in a folder of the workspace; a link or a file of that name has to be moved away first.",
        ) from None


def new_file(folder: Path) -> Path:
    """Where new content may be written."""
    return folder / f"{NEW}{secrets.token_hex(8)}"


def make_durable(changes: list[Change], folder: Path) -> None:
    """Write the new content of changes to the disk.

    Raises:
        OSError: a disk that is full says so here at the latest.
    """
    at = open_folder(folder)
    try:
        for change in changes:
            if change.temporary:
                fd = os.open(change.temporary, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=at)
                try:
                    _keep_mode(fd, change.file, at)
                    os.fsync(fd)
                finally:
                    os.close(fd)
    finally:
        os.close(at)


def publish(folder: Path, changes: list[Change]) -> None:
    """Make changes visible, all or none, after :func:`make_durable`; the caller keeps readers and writers away.

    Raises:
        OSError, InvalidInput: nothing was changed; the temporary files are left for :func:`clear_away`.
    """
    at = open_folder(folder)
    try:
        for schema in {os.path.dirname(change.file) for change in changes} - {""}:
            _refuse_links(at, schema)
        if len(changes) > 1:
            journal = new_file(folder).name
            with open(
                os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=at), "wb"
            ) as file:
                file.write(msgspec.json.encode(changes))
                file.flush()
                os.fsync(file.fileno())
            os.replace(journal, JOURNAL, src_dir_fd=at, dst_dir_fd=at)
            os.fsync(at)
        _carry_out(at, changes)
        if len(changes) > 1:
            os.unlink(JOURNAL, dir_fd=at)
    finally:
        os.close(at)


def unfinished(folder: Path) -> bool:
    """Whether a writer was killed between the renames of one transaction."""
    return os.path.lexists(folder / JOURNAL)


def finish_commit(folder: Path) -> None:
    """Carry out what a killed writer had already decided; the caller keeps readers and writers away."""
    at = open_folder(folder)
    try:
        try:
            fd = os.open(JOURNAL, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=at)
            with open(fd, "rb") as file:
                regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
                changes = msgspec.json.decode(file.read(_JOURNAL_MAX) if regular else b"", type=list[Change])
        except FileNotFoundError:
            return
        except (OSError, msgspec.MsgspecError):
            changes = []
        # Nobody can be made to touch a file elsewhere by a planted journal.
        if all(_is_ours(change) for change in changes):
            _carry_out(at, changes)
        with contextlib.suppress(FileNotFoundError, IsADirectoryError):
            os.unlink(JOURNAL, dir_fd=at)
    finally:
        os.close(at)


def clear_away(folder: Path) -> None:
    """Remove what killed writers left; the caller holds the writers' lock."""
    with os.scandir(folder) as entries:
        left = [entry.path for entry in entries if entry.name.startswith(NEW)]
    for path in left:
        with contextlib.suppress(OSError):
            os.unlink(path)


def _carry_out(at: int, changes: list[Change]) -> None:
    """Do it, following no link; what is done already is passed over, so that it can be done again after a crash."""
    folders = {"": at}
    with contextlib.ExitStack() as stack:
        for change in sorted(changes, key=lambda change: _ORDER.index(change.action)):
            schema, name = os.path.split(change.file)
            with contextlib.suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
                if change.action is Action.MAKE_FOLDER or (schema and change.action is Action.PUT):
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(change.file if change.action is Action.MAKE_FOLDER else schema, dir_fd=at)
                if schema not in folders:
                    folders[schema] = stack.enter_context(_opened(at, schema))
                where = folders[schema]
                if change.action is Action.PUT:
                    os.replace(change.temporary, name, src_dir_fd=at, dst_dir_fd=where)
                elif change.action is Action.REMOVE:
                    os.unlink(name, dir_fd=where)
                elif change.action is Action.REMOVE_FOLDER:
                    # Files that are no tables keep their folder.
                    with contextlib.suppress(OSError):
                        os.rmdir(name, dir_fd=at)
        for fd in folders.values():
            os.fsync(fd)


@contextlib.contextmanager
def _opened(at: int, schema: str) -> Iterator[int]:
    fd = os.open(schema, _FOLDER, dir_fd=at)
    try:
        yield fd
    finally:
        os.close(fd)


def _refuse_links(at: int, schema: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISDIR(os.stat(schema, dir_fd=at, follow_symlinks=False).st_mode):
            raise InvalidInput(
                f"{schema!r} in the folder of tables is a link or a file, so it cannot be a schema.",
                hint="Move it away, or choose another name for the schema.",
            )


def _keep_mode(fd: int, file: str, at: int) -> None:
    """A table keeps the permissions of its file; where it is new, the process' own rule holds."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        status = os.stat(file, dir_fd=at, follow_symlinks=False)
        if stat.S_ISREG(status.st_mode):
            os.fchmod(fd, stat.S_IMODE(status.st_mode))


def _is_ours(change: Change) -> bool:
    parts = change.file.split("/")
    return (
        len(parts) <= 2
        and all(part and not part.startswith(".") and "\0" not in part for part in parts)
        and (change.action is Action.PUT) == bool(change.temporary)
        and (
            not change.temporary
            or (
                change.temporary.startswith(NEW)
                and "/" not in change.temporary
                and "\0" not in change.temporary
            )
        )
    )
