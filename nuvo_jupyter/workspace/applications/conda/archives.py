"""Archives of conda packages: in the definition, in conda's own cache, in a channel; verified, and kept in Nuvo's home."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from nuvo_jupyter.model.errors import ApplicationDamaged, PackageUnavailable
from nuvo_jupyter.workspace.applications.conda import rattler
from nuvo_jupyter.workspace.applications.conda.fetch import Item
from nuvo_jupyter.workspace.applications.conda.locked import ARCHIVES, Locked
from nuvo_jupyter.workspace.applications.definition import TEMPORARY
from nuvo_jupyter.workspace.applications.environments import KEPT
from nuvo_jupyter.workspace.applications.packages import Progress
from nuvo_jupyter.workspace.safe import FOLDER_FLAGS, READ_FLAGS

_CHUNK = 1 << 20
_HOMES = ("miniconda3", "anaconda3", "miniforge3", "mambaforge", "micromamba", ".local/share/mamba")


class _Other(Exception):
    """A file has another hash than it should."""


def provide(
    top: Path,
    folder: Path,
    packages: Iterable[Locked],
    work: Path,
    *,
    held: Iterable[int] = (),
    offline: bool = False,
    check: Callable[[], None] | None = None,
    progress: Progress | None = None,
) -> dict[str, Path]:
    """Every package's archive, verified: from this machine where it has it, else from its channel.

    Args:
        top: folder of environments in Nuvo's home.
        folder: of the definition.
        packages: of its lock.
        work: folder of ours, to work in.
        held: descriptors of locks that a download shall hold too.
        offline: never use the network.
        check: called often; raises to cancel.
        progress: told how many archives are here, of how many.

    Returns:
        Name → its file in Nuvo's home.

    Raises:
        ApplicationDamaged: an archive of the definition or its channel is not what the lock says.
        PackageUnavailable: one cannot be had; named.
        EnvironmentFailed: a download needs py-rattler, which is not installed.
    """
    packages = list(packages)
    found: dict[str, Path] = {}
    rest: list[Locked] = []
    for one in packages:
        target = kept(top, one)
        if not _is(target, one.sha256) and not take(one, target, folder, check=check):
            rest.append(one)
            continue
        found[one.name] = target
        if progress:
            progress(len(found), len(packages), f"verifying {one.name}")
    for one in rest:
        if offline or not one.url.startswith("http"):
            raise _missing(one, offline)
    if rest:
        fetch(
            rest, {one.name: kept(top, one) for one in rest}, work, held=held, check=check, progress=progress
        )
    return found | {one.name: kept(top, one) for one in rest}


def take(
    one: Locked,
    target: Path,
    folder: Path | None,
    *,
    hints: Iterable[str] = (),
    check: Callable[[], None] | None = None,
) -> bool:
    """Copy an archive that this machine has, verified; whether it has it.

    Args:
        one: package.
        target: where it goes.
        folder: of a definition that may have it in ``conda/``.
        hints: paths where it may lie.
        check: called often; raises to cancel.

    Raises:
        ApplicationDamaged: the definition or the channel on this machine has it, with another hash.
    """
    for path, must in _places(one, folder, hints):
        fd = _open(path, folder if must and one.archive else None)
        if fd is None:
            continue
        try:
            _copy(fd, target, one, check)
        except _Other:
            if must:
                raise ApplicationDamaged(
                    f"The conda package {one.name} is not what was captured: {path.name} has another hash than the lock says.",
                    hint="The file was changed in the channel or in the definition. Nothing was installed; capture the application again, or restore it from another snapshot.",
                ) from None
            continue
        return True
    return False


def fetch(
    packages: Iterable[Locked],
    targets: dict[str, Path],
    work: Path,
    *,
    held: Iterable[int] = (),
    check: Callable[[], None] | None = None,
    progress: Progress | None = None,
) -> None:
    """Download archives from their channels, verified.

    Raises:
        ApplicationDamaged, PackageUnavailable, StorageFull, EnvironmentFailed: as :func:`rattler.run`; the package is named.
    """
    items = []
    for one in packages:
        targets[one.name].parent.mkdir(parents=True, exist_ok=True)
        items.append(Item(one.name, one.url, str(targets[one.name]), one.sha256, one.size))
    rattler.run(items, work, total=len(items), held=held, check=check, progress=progress)


def kept(top: Path, one: Locked) -> Path:
    """Where the archive of a package is kept."""
    return top / KEPT / one.sha256 / one.file


def sha256(path: Path) -> str:
    """Of an archive; ``""`` if it is no file that can be read."""
    fd = _open(path, None)
    if fd is None:
        return ""
    with open(fd, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def caches() -> list[Path]:
    """Folders in which conda, mamba and micromamba keep archives on this machine, as far as they are at the usual places."""
    home = Path.home()
    named = os.environ.get("CONDA_PKGS_DIRS", "").replace(",", os.pathsep).split(os.pathsep)
    roots = [os.environ.get(name, "") for name in ("CONDA_ROOT", "MAMBA_ROOT_PREFIX")]
    program = os.environ.get("CONDA_EXE", "")
    roots += [str(Path(program).parents[1])] if len(Path(program).parts) > 2 else []
    roots += [str(home / name) for name in _HOMES] + ["/opt/conda"]
    found = [*named, str(home / ".conda" / "pkgs"), *(f"{root}/pkgs" for root in roots if root)]
    return [Path(path) for path in dict.fromkeys(found) if path and os.path.isdir(path)]


def _places(one: Locked, folder: Path | None, hints: Iterable[str]) -> Iterator[tuple[Path, bool]]:
    """Where an archive may lie, and whether it has to be the right one there."""
    if folder is not None and one.archive:
        yield folder / ARCHIVES / one.archive, True
    for hint in hints:
        yield Path(hint), False
    for cache in caches():
        yield cache / one.file, False
    if one.url.startswith("file:"):
        yield Path(unquote(urlsplit(one.url).path)), True


def _open(path: Path, inside: Path | None) -> int | None:
    """Open a regular file for reading; one of a definition never through a link."""
    try:
        if inside is None:
            fd = os.open(path, READ_FLAGS & ~os.O_NOFOLLOW)
        else:
            parent = os.open(path.parent, FOLDER_FLAGS)
            try:
                fd = os.open(path.name, READ_FLAGS, dir_fd=parent)
            finally:
                os.close(parent)
    except OSError:
        return None
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    return None


def _copy(fd: int, target: Path, one: Locked, check: Callable[[], None] | None) -> None:
    digest = hashlib.sha256()
    with open(fd, "rb") as source:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.parent / f"{TEMPORARY}{secrets.token_hex(8)}"
        try:
            with temporary.open("xb") as copy:
                while data := source.read(_CHUNK):
                    digest.update(data)
                    copy.write(data)
                    if check:
                        check()
            if digest.hexdigest() != one.sha256:
                raise _Other
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and sha256(path) == digest


def _missing(one: Locked, offline: bool) -> PackageUnavailable:
    if one.url.startswith("http"):
        assert offline
        return PackageUnavailable(
            f"The conda package {one.name} is not on this machine, and the network is not to be used.",
            hint="Re-create it with a network, or seal the application where it runs: then all packages come with it.",
        )
    return PackageUnavailable(
        f"The conda package {one.name} {one.version} is no longer in its channel{f' ({one.url})' if one.url else ''}.",
        hint="Seal the application where it still runs: then all packages come with it.",
    )
