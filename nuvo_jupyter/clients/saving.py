"""Content that an operation answers with, saved as a file whole or not at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from nuvo_jupyter.model.errors import AlreadyExists, NotFound

if TYPE_CHECKING:
    from nuvo_jupyter.engine.operations import Raw


def save(raw: Raw, file: str, *, replace: bool) -> str:
    """Write content to a file and return its path.

    Args:
        file: path; ``""`` for the name the content comes with, in the current folder.
        replace: write over a file that is there.

    Raises:
        AlreadyExists, NotFound: as :func:`check_place`.
        OSError: it cannot be written.
    """
    target = file or raw.filename
    check_place(target, replace=replace)
    temporary = f"{target}.{os.getpid()}.part"
    try:
        with open(temporary, "xb") as opened:
            opened.writelines(raw.body)
        os.replace(temporary, target)
    finally:
        if os.path.lexists(temporary):
            os.unlink(temporary)
    return target


def check_place(target: str, *, replace: bool) -> None:
    """Raise where a file cannot be written.

    Raises:
        AlreadyExists: a folder is there, or a file that is not to be replaced.
        NotFound: there is no folder for it.
    """
    if os.path.isdir(target):
        raise AlreadyExists(f"{target!r} is a folder.", hint="Add the name of a file.")
    if os.path.lexists(target) and not replace:
        raise AlreadyExists(
            f"There is a file {target!r} already.", hint="Choose another name, or replace it (--force)."
        )
    folder = os.path.dirname(target)
    if folder and not os.path.isdir(folder):
        raise NotFound(f"There is no folder {folder!r}.", hint="Make it first.")
