"""The folder of an application's definition: read with suspicion, written so that nobody sees half of it."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path

import blake3
import msgspec

from nuvo_jupyter.model.applications import FORMAT, Definition
from nuvo_jupyter.model.errors import ApplicationDamaged, NotFound
from nuvo_jupyter.workspace.applications import lock
from nuvo_jupyter.workspace.applications.conda import locked
from nuvo_jupyter.workspace.applications.conda.locked import ARCHIVES, CondaLock
from nuvo_jupyter.workspace.applications.conda.locked import LOCK as CONDA_LOCK
from nuvo_jupyter.workspace.applications.lock import WHEELS, Entry
from nuvo_jupyter.workspace.applications.names import lock_name
from nuvo_jupyter.workspace.safe import FOLDER_FLAGS, READ_FLAGS

APP, KERNEL, SETTINGS, LOGOS = "app.json", "kernel.json.in", "settings", "logos"
TEMPORARY = ".~nuvo-"
_LOCK = re.compile(r"pylock\.[^.]+\.toml")
_SMALL_MAX = 1 << 20


class Written(msgspec.Struct, frozen=True):
    """A definition as it lies in its folder.

    Args:
        definition: ``app.json``.
        entries: packages of the lock.
        kernel: text of ``kernel.json.in``; ``""`` if there is none.
        digest: of everything that matters; wheels are in it by their hashes.
        conda: what conda installed; ``None`` if the environment is not conda's.
    """

    definition: Definition
    entries: tuple[Entry, ...]
    kernel: str
    digest: str
    conda: CondaLock | None = None


def read(folder: Path) -> Written:
    """Read a definition; every file of it is a regular file in its place, never behind a link.

    Args:
        folder: of the definition.

    Raises:
        NotFound: there is no such folder.
        ApplicationDamaged: it is no definition, or one that must not be used.
    """
    fd = _open(folder)
    try:
        found = digest(folder)
        locks = [name for name in os.listdir(fd) if _LOCK.fullmatch(name)]
        if len(locks) != 1:
            raise ApplicationDamaged(
                f"The application {folder.name} has {'no lock' if not locks else 'more than one lock'} (pylock.….toml)."
            )
        try:
            definition = msgspec.json.decode(_bytes(fd, APP, _SMALL_MAX), type=Definition)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise ApplicationDamaged(
                f"{APP} of the application {folder.name} cannot be read: {error}."
            ) from error
        if definition.format > FORMAT:
            raise ApplicationDamaged(
                f"The application {folder.name} was written by a newer version.",
                hint="Update Nuvo on this machine.",
            )
        entries = lock.read(_bytes(fd, locks[0], lock.LOCK_MAX))
        try:
            kernel = _bytes(fd, KERNEL, _SMALL_MAX).decode() if _has(fd, KERNEL) else ""
        except UnicodeDecodeError as error:
            raise ApplicationDamaged(f"{KERNEL} of the application {folder.name} is not text.") from error
        conda = locked.read(_bytes(fd, CONDA_LOCK, lock.LOCK_MAX)) if _has(fd, CONDA_LOCK) else None
        return Written(definition, tuple(entries), kernel, found, conda)
    finally:
        os.close(fd)


def exists(folder: Path) -> bool:
    """Whether there is something in the place of a definition."""
    return os.path.lexists(folder / APP)


def digest(folder: Path) -> str:
    """One text for all a definition says; ``""`` if there is none.

    Small files by their content. Wheels and archives by the lock, which has their hashes, and by their names.
    """
    try:
        fd = os.open(folder, FOLDER_FLAGS)
    except OSError:
        return ""
    try:
        parts = blake3.blake3()
        for name in sorted(os.listdir(fd)):
            if name in (APP, KERNEL, CONDA_LOCK) or _LOCK.fullmatch(name):
                with contextlib.suppress(ApplicationDamaged):
                    parts.update(f"{name}\0".encode() + _bytes(fd, name, lock.LOCK_MAX))
            elif name in (SETTINGS, LOGOS):
                for path, data in small_files(folder, name):
                    parts.update(f"{path}\0".encode() + blake3.blake3(data).digest())
            elif name in (WHEELS, ARCHIVES):
                with contextlib.suppress(OSError):
                    parts.update(
                        "\0".join(sorted(os.listdir(folder / name))).encode("utf-8", "surrogateescape")
                    )
        return parts.hexdigest(length=16)
    finally:
        os.close(fd)


def small_files(folder: Path, inside: str) -> list[tuple[str, bytes]]:
    """Regular files below a subfolder of a definition, by path relative to it; links and large files are passed over."""
    found: list[tuple[str, bytes]] = []
    top = folder / inside
    if top.is_symlink():
        return found
    for path, folders, names in os.walk(top, followlinks=False):
        folders.sort()
        for name in sorted(names):
            full = Path(path, name)
            with contextlib.suppress(OSError, ApplicationDamaged):
                fd = os.open(path, FOLDER_FLAGS)
                try:
                    found.append((full.relative_to(top).as_posix(), _bytes(fd, name, _SMALL_MAX)))
                finally:
                    os.close(fd)
    return found


def open_wheel(folder: Path, name: str) -> int:
    """Open a wheel of a definition for reading; the caller closes it.

    Raises:
        ApplicationDamaged: it is missing or no regular file.
    """
    try:
        fd = os.open(folder / WHEELS, FOLDER_FLAGS)
        try:
            wheel = os.open(name, READ_FLAGS, dir_fd=fd)
        finally:
            os.close(fd)
    except OSError as error:
        raise ApplicationDamaged(f"The wheel {name} of the application {folder.name} is missing.") from error
    if not stat.S_ISREG(os.fstat(wheel).st_mode):
        os.close(wheel)
        raise ApplicationDamaged(f"The wheel {name} of the application {folder.name} is no file.")
    return wheel


def write(
    folder: Path,
    definition: Definition,
    lock_text: bytes,
    kernel: str,
    wheels: Iterable[Path],
    keep: Iterable[str],
    settings: dict[str, bytes],
    logos: dict[str, bytes],
    conda: bytes | None = None,
    archives: Iterable[Path] = (),
    keep_archives: Iterable[str] = (),
) -> None:
    """Write a definition over the one that was there; unchanged files are not touched.

    Wheels come first and the lock that names them after: who reads meanwhile sees the old one or the new one.

    Args:
        folder: made if missing.
        definition: ``app.json``.
        lock_text: the lock.
        kernel: ``kernel.json.in``, or ``""``.
        wheels: new ones, which are moved.
        keep: names of wheels that stay.
        settings: path → content, in ``settings/``.
        logos: name → content, in ``logos/``.
        conda: ``conda.lock.json``.
        archives: new ones of conda packages, which are moved.
        keep_archives: names of archives that stay.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _unlink_links(folder)
    kept = _take(folder / WHEELS, wheels) | set(keep)
    kept_archives = _take(folder / ARCHIVES, archives) | set(keep_archives)
    for inside, files in ((SETTINGS, settings), (LOGOS, logos)):
        for path, data in files.items():
            put(folder / inside / path, data)
        for path, _ in small_files(folder, inside):
            if path not in files:
                os.unlink(folder / inside / path)
        _prune(folder / inside)
    name = lock_name(folder.name)
    put(folder / name, lock_text)
    for file, content in ((KERNEL, kernel.encode() or None), (CONDA_LOCK, conda)):
        if content is not None:
            put(folder / file, content)
        else:
            (folder / file).unlink(missing_ok=True)
    put(folder / APP, msgspec.json.format(msgspec.json.encode(definition)) + b"\n")
    for old in os.listdir(folder):
        if (_LOCK.fullmatch(old) and old != name) or old.startswith(TEMPORARY):
            with contextlib.suppress(IsADirectoryError):
                os.unlink(folder / old)
    for inside, names in ((WHEELS, kept), (ARCHIVES, kept_archives)):
        for old in os.listdir(folder / inside) if (folder / inside).is_dir() else ():
            if old not in names:
                with contextlib.suppress(IsADirectoryError):
                    os.unlink(folder / inside / old)
        _prune(folder / inside)


def put(path: Path, data: bytes) -> None:
    """Write a small file whole or not at all, and only if it says something else."""
    try:
        if path.is_file() and not path.is_symlink() and path.read_bytes() == data:
            return
    except OSError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f"{TEMPORARY}{secrets.token_hex(8)}"
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _open(folder: Path) -> int:
    try:
        return os.open(folder, FOLDER_FLAGS)
    except FileNotFoundError as error:
        raise NotFound(
            f"There is no application {folder.name}.", hint="List the applications to see what there is."
        ) from error
    except OSError as error:
        raise ApplicationDamaged(f"The application {folder.name} is no folder that can be read.") from error


def _has(fd: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=fd, follow_symlinks=False)
    except OSError:
        return False
    return True


def _bytes(fd: int, name: str, most: int) -> bytes:
    try:
        file = os.open(name, READ_FLAGS, dir_fd=fd)
    except OSError as error:
        raise ApplicationDamaged(f"The application's file {name} is missing or cannot be read.") from error
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode) or status.st_size > most:
            raise ApplicationDamaged(f"The application's file {name} is none, or too large.")
        # Nothing but a file can be opened so.
        with open(file, "rb", closefd=False) as opened:
            return opened.read(most)
    finally:
        os.close(file)


def _take(folder: Path, files: Iterable[Path]) -> set[str]:
    """Put files into a folder, whole or not at all; returns their names."""
    names = set()
    for file in files:
        folder.mkdir(exist_ok=True)
        _move(file, folder / file.name)
        names.add(file.name)
    return names


def _move(source: Path, target: Path) -> None:
    """Put a file in its place; the folder it was made in is often on another disk."""
    temporary = target.parent / f"{TEMPORARY}{secrets.token_hex(8)}"
    try:
        with source.open("rb") as opened, temporary.open("xb") as file:
            shutil.copyfileobj(opened, file, 1 << 20)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _unlink_links(folder: Path) -> None:
    """A definition that came from elsewhere may hold links; what is written or removed must not go through them."""
    if folder.is_symlink():
        raise ApplicationDamaged(f"The application {folder.name} is a link, not a folder.")
    for path, folders, names in os.walk(folder, followlinks=False):
        for name in [*folders, *names]:
            full = Path(path, name)
            if full.is_symlink():
                full.unlink()


def _prune(folder: Path) -> None:
    for path, _, _ in os.walk(folder, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(path)
