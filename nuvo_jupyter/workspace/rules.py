"""What a capture leaves out: caches, temporaries, and what ``.nuvoignore`` names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec
from blake3 import blake3

from nuvo_jupyter.model.paths import join

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".nuvoignore"
IGNORE_FILE_MAX = 1 << 20
"""Longest ``.nuvoignore`` in bytes that is read."""

OURS = ".~nuvo-"
"""How the names of our own temporary files begin."""
SAVING = ".~"
"""jupyter_server keeps the former content as ``.~name`` while it writes ``name`` in place."""

CACHES = frozenset(
    {
        "__pycache__",
        ".ipynb_checkpoints",
        ".cache",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".virtual_documents",
    }
)

_UNLINKED_ON_NFS = re.compile(r"\.nfs[0-9a-fA-F]{16,}")

_VERSION = 1
"""Of what is left out by default: names of files, not of folders."""

CACHE = "cache"
TEMPORARY = "temporary file"
IGNORED = "ignored"


class Rules:
    """Decides what is left out of a capture, and says why.

    Args:
        patterns: more lines in gitignore syntax, as if they stood at the top of the workspace's ``.nuvoignore``.
        also: path text → reason, for what is left out in this workspace alone (a store lying inside it,
            environments that are captured as applications).
    """

    def __init__(self, patterns: Iterable[str] = (), also: Mapping[str, str] | None = None) -> None:
        lines = tuple(patterns)
        self._also = dict(also or {})
        self._specs: tuple[tuple[str, GitIgnoreSpec], ...] = (("", _spec(lines)),) if lines else ()
        self.key = blake3(msgspec.msgpack.encode((_VERSION, lines, sorted(self._also.items())))).digest(16)
        """Equal for rules that decide alike about every file."""

    def inside(self, folder: str, ignore: str | None) -> Rules:
        """The rules that hold in a folder which has a ``.nuvoignore`` with the text ``ignore`` (``None``: has none)."""
        if ignore is None:
            return self
        rules = Rules()
        rules._also = self._also
        rules._specs = (*self._specs, (folder, _spec(ignore.splitlines())))
        rules.key = blake3(msgspec.msgpack.encode((self.key, folder, ignore))).digest(16)
        return rules

    @property
    def only_names(self) -> bool:
        """Whether every file whose name does not begin with a dot is kept, unasked."""
        return not self._also and not self._specs

    def reason(self, folder: str, name: str, is_folder: bool) -> str | None:
        """Why an entry is left out, or ``None``.

        Args:
            folder: path text of the folder that holds it; what is left out itself is never asked about.
            name: path text of its name.
        """
        if is_folder:
            if name in CACHES:
                return CACHE
        elif name.startswith((SAVING, ".nfs")) and (
            name.startswith(SAVING) or _UNLINKED_ON_NFS.fullmatch(name)
        ):
            return TEMPORARY
        if self._also:
            why = self._also.get(join(folder, name))
            if why is not None:
                return why
        if self._specs:
            return self._ignored(join(folder, name), is_folder)
        return None

    def _ignored(self, path: str, is_folder: bool) -> str | None:
        # As in git the last pattern that matches decides, and those of deeper folders come last.
        for folder, spec in reversed(self._specs):
            below = path[len(folder) + 1 :] if folder else path
            included = spec.check_file(below + "/" if is_folder else below).include
            if included is not None:
                return f"{IGNORED} by {join(folder, IGNORE_FILE)}" if included else None
        return None


def _spec(lines: Iterable[str]) -> GitIgnoreSpec:
    # Here, because most folders have no patterns, and a command should not wait for the library in vain.
    from pathspec import GitIgnoreSpec

    good = []
    for line in lines:
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError:
            continue
        good.append(line)
    return GitIgnoreSpec.from_lines(good)
