"""What stood in the way of an object, in a sentence."""

from __future__ import annotations

import errno
import os

from nuvo_jupyter.model.errors import NuvoError


def explain(error: BaseException) -> str:
    """Why an object failed, in a sentence."""
    if isinstance(error, NuvoError):
        return error.message
    if isinstance(error, OSError):
        return plain(error)
    return str(error)


_PLAIN = {
    errno.ENOSPC: "There is no space left on the disk.",
    errno.EDQUOT: "The disk quota is used up.",
    errno.EFBIG: "The file is larger than is allowed here.",
    errno.EACCES: "Permission denied.",
    errno.EPERM: "Permission denied.",
    errno.EROFS: "The file system is read-only.",
    errno.ENAMETOOLONG: "The name is too long for the file system.",
    errno.ELOOP: "A link lies where a folder should be; links are not followed.",
    errno.ENOTDIR: "A file or link lies where a folder should be; links are not followed.",
    errno.EISDIR: "A folder lies where a file should be.",
    errno.ENOTEMPTY: "The folder is not empty.",
    errno.EILSEQ: "The file system cannot store this name.",
}


def plain(error: OSError) -> str:
    """What an error of the operating system means, in a sentence."""
    number = error.errno or 0
    return _PLAIN.get(number) or f"{os.strerror(number)}."
