"""What uv says when it cannot do something, as errors that name the package and say what to do."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

from nuvo_jupyter.model.errors import (
    ApplicationDamaged,
    EnvironmentFailed,
    NuvoError,
    PackageUnavailable,
    PythonUnsuitable,
    StorageFull,
)

_PACKAGE = re.compile(
    r"(?:Failed to [a-z ]+|Package|Because|required by) `([A-Za-z0-9._-]+)(?:(?:==| @ )[^`]*)?`"
)
_UNKNOWN = re.compile(
    r"Because (?:there (?:is|are) no versions? of )?([A-Za-z0-9._-]+?)(?:==\S+)? (?:was not found|and you require|has no|could not)"
)
_NETWORK = (
    "Network connectivity is disabled",
    "error sending request",
    "network was disabled",
    "dns error",
    "timed out",
    "Failed to fetch",
)
_FULL = (
    "No space left on device",
    "File too large",
    "Disk quota exceeded",
    "os error 28",
    "os error 27",
    "os error 122",
)
_LAST_WORDS_MAX = 600


def package_of(text: str) -> str | None:
    """The package that uv's error output is about, if it names one."""
    found = _PACKAGE.search(text) or _UNKNOWN.search(text)
    return found[1] if found else None


def is_network(text: str) -> bool:
    """Whether uv failed for want of a network or an index that answers."""
    return any(sign in text for sign in _NETWORK)


def disk_is_full(text: str) -> bool:
    """Whether a program failed for want of space."""
    return any(sign in text for sign in _FULL)


def full(named: str) -> StorageFull:
    """The error for want of space, of which ``The package x`` was the victim."""
    return StorageFull(f"{named} could not be installed: no space or quota is left.")


def failure(text: str, *, offline: bool) -> NuvoError:
    """The error to raise for what uv said.

    Args:
        text: its error output.
        offline: whether it was told not to use the network.
    """
    package = package_of(text)
    named = f"The package {package}" if package else "A package"
    if disk_is_full(text):
        return full(named)
    if "Hash mismatch" in text:
        return ApplicationDamaged(
            f"{named} is not what was captured: its file has another hash than the lock says.",
            hint="The file was changed on the index or in the definition. Nothing was installed; capture the application again, or restore it from another snapshot.",
        )
    if "for the current platform" in text or "has no binary distribution" in text:
        return PythonUnsuitable(
            f"{named} was captured for another platform or Python: no file of it fits here.",
            hint=_last_hint(text) or "Re-create with another Python allowed, which chooses files anew.",
        )
    if "incompatible with the `pylock.toml`'s Python requirement" in text:
        return PythonUnsuitable("The application needs a newer Python than is here.")
    if re.search(r"status client error \((?:404|410)", text):
        return PackageUnavailable(
            f"{named} is no longer on its index.",
            hint="It was removed there. Take a snapshot with the application sealed where it still runs, or use another version.",
        )
    if is_network(text):
        if offline:
            return PackageUnavailable(
                f"{named} is not on this machine, and the network is not to be used.",
                hint="Re-create it with a network, or seal the application where it runs: then all packages come with it.",
            )
        return PackageUnavailable(
            f"{named} could not be downloaded: its index does not answer.",
            hint="Check the network and try again, or seal the application where it runs: then all packages come with it.",
        )
    if "No solution found" in text:
        return PackageUnavailable(f"{named} is on no index in the version asked for.")
    return EnvironmentFailed(f"{named} could not be installed.", hint=_last_words(text))


@contextmanager
def explained(what: str) -> Iterator[None]:
    """What the system says while something is done, as an error of ours.

    Args:
        what: was being done, as in ``… could not be captured``.

    Raises:
        StorageFull: no space or quota is left.
        EnvironmentFailed: anything else.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise StorageFull(f"{what}: no space or quota is left.") from error
        raise EnvironmentFailed(f"{what}: {error}.") from error


def _last_hint(text: str) -> str | None:
    found = re.search(r"^hint: (.*)", text, re.MULTILINE)
    return found[1] if found else None


def _last_words(text: str) -> str:
    start = text.find("error:")
    return "uv says: " + " ".join(text[max(start, 0) :].split())[:_LAST_WORDS_MAX]
