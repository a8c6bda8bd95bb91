"""Make the folder of a new instance."""

from __future__ import annotations

import errno
import os

from nuvo_jupyter.model.errors import StorageFull, WorkspaceUnavailable

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


def make_folder(path: str) -> None:
    """Make a workspace's folder (0700) and the folders above it where they are missing.

    Raises:
        WorkspaceUnavailable: it cannot be made.
        StorageFull: no space or quota left.
    """
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise StorageFull(f"There is no space left to make the folder {path}.") from error
        raise WorkspaceUnavailable(
            f"The folder {path} cannot be made: {error.strerror}.",
            hint="Check the space's template for folders, and who may write there.",
        ) from error
