"""Path text: the one form in which a path inside a state is written above the system call.

A path is a relative POSIX path (``week 1/notes.ipynb``; the state itself is ``""``) that is always valid
UTF-8. File names on Linux are bytes, so the bytes that are no UTF-8 are written ``\\xNN``; a literal
backslash that would read like such an escape is written ``\\x5c``. The mapping is injective: two
different files never share a text.
"""

from __future__ import annotations

import os
import re

from nuvo_jupyter.model.errors import InvalidPath

NAME_MAX = 255
"""Longest file name in bytes that Linux file systems take (``NAME_MAX`` of limits.h)."""

_LOOKS_ESCAPED = re.compile(r"\\(?=x[0-9a-f]{2})")
_ESCAPE = re.compile(r"\\x([0-9a-f]{2})")


def from_name(name: str) -> str:
    """Turn one file name as the operating system gives it (surrogate-escaped) into path text."""
    if name.isascii() and "\\" not in name:
        return name
    escaped = _LOOKS_ESCAPED.sub(r"\\x5c", name)
    try:
        escaped.encode()
    except UnicodeEncodeError:
        return escaped.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return escaped


def to_name(text: str) -> str:
    """Turn one component (or a whole relative path) of path text into what ``os`` functions take."""
    if "\\" not in text:
        return text
    raw = bytearray()
    end = 0
    for match in _ESCAPE.finditer(text):
        raw += text[end : match.start()].encode() + bytes([int(match[1], 16)])
        end = match.end()
    return os.fsdecode(bytes(raw + text[end:].encode()))


def parse_path(text: str) -> str:
    """Check and normalise a path typed by a person or sent by a client.

    Returns:
        The path without leading ``./`` and trailing ``/``, as listings write it; ``""`` names the whole state.

    Raises:
        InvalidPath: absolute, climbing (``..``), empty component, NUL, lone surrogate, or a name over
            255 bytes.
    """
    if "\0" in text:
        raise InvalidPath(f"The path {text!r} contains a NUL character, which no file name can hold.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidPath(
            f"The path {text!r} is not valid text.",
            hint="Write bytes that are no UTF-8 as \\xNN, the way listings show them.",
        ) from None
    if text.startswith("/"):
        raise InvalidPath(
            f"The path {text!r} is absolute.", hint="Give paths relative to the folder of the instance."
        )
    parts = []
    for part in text.split("/"):
        if part in ("", "."):
            continue
        name = to_name(part)
        if part == ".." or name in ("..", "."):
            raise InvalidPath(
                f"The path {text!r} leaves the instance ('..').", hint="Paths stay inside the instance."
            )
        if "/" in name or "\0" in name or len(os.fsencode(name)) > NAME_MAX:
            raise InvalidPath(f"{part[:40]!r}… is no possible file name (255 bytes at most, no '/' or NUL).")
        # Escapes that nobody needs (\x61 for a) would name one file in two ways.
        parts.append(from_name(name))
    return "/".join(parts)


def join(folder: str, name: str) -> str:
    """Join a folder's path text and a name's."""
    return f"{folder}/{name}" if folder else name


def parent(path: str) -> str:
    """The path text of the folder that holds ``path`` (``""`` at the top)."""
    return path.rpartition("/")[0]


def basename(path: str) -> str:
    """The last component of ``path``."""
    return path.rpartition("/")[2]


def is_inside(path: str, folder: str) -> bool:
    """Whether ``path`` is ``folder`` itself or lies below it (``""`` holds everything)."""
    return not folder or path == folder or path.startswith(folder + "/")
