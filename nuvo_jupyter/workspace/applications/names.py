"""Names of applications, and what is made of them: folders, locks, kernels."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata

from nuvo_jupyter.model.errors import InvalidInput

NAME_MAX = 100
"""Longest name of an application in bytes."""
_UNFIT = re.compile(r"[/\\:\x00-\x1f\x7f]")
_SLUG_MAX = 40


def check_name(name: str) -> str:
    """The name of an application, which is that of its folder.

    Raises:
        InvalidInput: it cannot be one.
    """
    if (
        not name
        or name != name.strip()
        or name.startswith((".", "-"))
        or _UNFIT.search(name)
        or len(os.fsencode(name)) > NAME_MAX
        or not name.isprintable()
    ):
        raise InvalidInput(
            f"{name[:NAME_MAX]!r} cannot be the name of an application.",
            hint="Names are folders: without / \\ : and control characters, not beginning with a dot or dash, 100 bytes at most.",
        )
    return name


def lock_name(name: str) -> str:
    """The file name of an application's lock; PEP 751 allows no dots inside."""
    return f"pylock.{slug(name)}.toml"


def slug(text: str) -> str:
    """Text as part of a name that is safe everywhere: lower-case letters, digits and dashes."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    safe = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if not safe or not text.isascii():
        # Other scripts leave nothing, and two names must not become one.
        safe = f"{safe}-{hashlib.sha256(text.encode()).hexdigest()[:6]}".strip("-")
    return safe[:_SLUG_MAX].strip("-")


def kernel_name(space: str, name: str) -> str:
    """The name under which notebooks record the kernel of an application: the same for everybody in a space."""
    return f"nuvo-{slug(space)}-{slug(name)}"


_NO_NAMES = frozenset({"venv", "env", "virtualenv", "usr", "local", "opt", "python", "conda", "default"})


def suggested_name(prefix: str, kernel: str = "") -> str:
    """A name for the application of an environment: its kernel's, or its folder's unless that says nothing.

    Args:
        prefix: folder of the environment; ``""`` if only the kernel is known.
        kernel: name of a kernel.
    """
    folder = os.path.basename(os.path.normpath(prefix)) if prefix else ""
    for name in (kernel, folder):
        try:
            if name.lower() not in _NO_NAMES:
                return check_name(name)
        except InvalidInput:
            continue
    return "python"
