"""Running py-rattler, which is an extra, in a process of its own: watched, cancelled, and its errors told as ours."""

from __future__ import annotations

import importlib.util
import secrets
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from nuvo_jupyter.model.errors import (
    ApplicationDamaged,
    EnvironmentFailed,
    NuvoError,
    PackageUnavailable,
    PythonUnsuitable,
)
from nuvo_jupyter.workspace.applications.conda.fetch import Item
from nuvo_jupyter.workspace.applications.conda.link import Install
from nuvo_jupyter.workspace.applications.failures import disk_is_full, full
from nuvo_jupyter.workspace.applications.packages import Progress
from nuvo_jupyter.workspace.applications.programs import watched

_LAST_WORDS_MAX = 600


def is_here() -> bool:
    """Whether py-rattler is installed."""
    return importlib.util.find_spec("rattler") is not None


def require() -> None:
    """Say what to install where py-rattler is not.

    Raises:
        EnvironmentFailed: it is not installed.
    """
    if not is_here():
        raise EnvironmentFailed(
            "Conda environments are re-created by py-rattler, which is not installed here.",
            hint='pip install "nuvo-jupyter[conda]"',
        )


def run(
    asked: list[Item] | Install,
    work: Path,
    *,
    total: int,
    held: Iterable[int] = (),
    check: Callable[[], None] | None = None,
    progress: Progress | None = None,
) -> None:
    """Have py-rattler download archives or install packages.

    Args:
        asked: what to do.
        work: folder of ours.
        total: how many packages it is about, to tell progress.
        held: descriptors of locks it shall hold too.
        check: called ten times a second; raises to cancel, which ends it.
        progress: told how many are done.

    Raises:
        ApplicationDamaged: an archive is not what was captured, or places files outside of the environment.
        PackageUnavailable: one cannot be downloaded.
        PythonUnsuitable: the packages are for another platform.
        StorageFull: no space is left.
        EnvironmentFailed: py-rattler is not installed, or anything else.
    """
    require()
    request = work / f"rattler-{secrets.token_hex(4)}.json"
    request.write_bytes(msgspec.json.encode(asked))

    def hear(line: str) -> None:
        done, _, text = line.partition(" ")
        if progress and done.isdigit():
            progress(min(int(done), total), total, text.strip())

    # Not the working folder's modules: it is full of what others made.
    program = [sys.executable, "-P", "-m", __package__, str(request)]
    told = watched(
        program, name="py-rattler", folder=work, variables=_SETTINGS, check=check, listen=hear, held=held
    )
    if told.code:
        raise _error(told.out, told.text)


_SETTINGS = {"NO_COLOR": "1", "RUST_BACKTRACE": "0"}


def _error(out: str, said: str) -> NuvoError:
    try:
        kind, package, text = msgspec.json.decode(out.strip().rpartition("\n")[2], type=tuple[str, str, str])
    except msgspec.MsgspecError:
        # It crashed.
        kind, package, text = "install", "", said
    named = f"The conda package {package}" if package else "A conda package"
    words = " ".join(text.split())[:_LAST_WORDS_MAX]
    if disk_is_full(text):
        return full(named)
    if kind == "hash":
        return ApplicationDamaged(
            f"{named} is not what was captured: its archive has another hash than the lock says.",
            hint="The file was changed in its channel. Nothing was installed; capture the application again, or restore it from another snapshot.",
        )
    if kind == "contents":
        return ApplicationDamaged(f"{named} is none that can be installed: {words}.")
    if kind == "platform":
        return PythonUnsuitable(f"The application's conda packages are for another platform than {text}.")
    if kind == "network":
        gone = any(sign in text for sign in ("404", "410", "status client error"))
        if gone:
            return PackageUnavailable(
                f"{named} is no longer in its channel.",
                hint="It was removed there. Seal the application where it still runs: then all packages come with it.",
            )
        return PackageUnavailable(
            f"{named} could not be downloaded: its channel does not answer.",
            hint=f"Check the network and try again, or seal the application where it runs: then all packages come with it. py-rattler says: {words}",
        )
    return EnvironmentFailed(f"{named} could not be installed.", hint=f"py-rattler says: {words}")
