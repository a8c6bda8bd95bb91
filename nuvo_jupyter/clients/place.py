"""Where somebody types: the instance of the current folder, and what names and paths mean there."""

from __future__ import annotations

import os
import posixpath
from pathlib import Path
from typing import TYPE_CHECKING

from nuvo_jupyter.model.errors import InvalidPath, NotFound
from nuvo_jupyter.model.paths import from_name, is_inside, parse_path, to_name

if TYPE_CHECKING:
    from nuvo_jupyter.clients.methods import Client


class Place:
    """A folder in a workspace, from which references and paths are read.

    Args:
        client: asked which instance the folder belongs to, on first need.
        folder: the current working folder by default.

    Raises:
        NotFound: that was deleted.
    """

    def __init__(self, client: Client, folder: str | None = None) -> None:
        self.client = client
        self.folder = os.path.realpath(folder or _here())
        self._located: tuple[str | None, str] | None = None

    @property
    def instance(self) -> str:
        """Reference of the folder's instance.

        Raises:
            NotFound: the folder belongs to none yet.
        """
        instance = self._locate()[0]
        if instance is None:
            raise NotFound(
                f"The folder {self.folder} belongs to no instance yet.",
                hint="Take a first snapshot here (%snapshot, nuvo snapshot), or name an instance.",
            )
        return instance

    @property
    def root(self) -> Path:
        """The instance's folder."""
        prefix = self._locate()[1]
        return Path(self.folder).joinpath(*[".."] * len(prefix.split("/")) if prefix else ()).resolve()

    @property
    def known(self) -> bool:
        """Whether the folder belongs to an instance."""
        return self._locate()[0] is not None

    @property
    def space(self) -> str:
        """Name of the instance's space."""
        return self.instance.rpartition("/")[0]

    def state(self, text: str) -> str:
        """A reference to a state, from what a person types here.

        ``""`` is this instance; ``@3``, ``3``, ``latest``, ``current``, a time and ``:path`` are of this instance;
        another plain name is an instance of this space; the rest are references already.
        """
        if not text:
            return self.instance
        if text[0] in "@:":
            return self.instance + text
        head, colon, path = text.partition(":")
        if "@" in head or "/" in head:
            return text
        if head.isdigit() or head in ("latest", "current") or _is_date(head):
            return f"{self.instance}@{text}"
        return f"{self.space}/{head}{colon}{path}" if self.known else text

    def snapshot(self, text: str) -> str:
        """A reference to a snapshot, from what a person types where a snapshot is meant: a plain name is one's own."""
        head = text.partition(":")[0]
        plain = text and text[0] not in "@:" and "@" not in head and "/" not in head
        return f"{self.instance}@{text}" if plain else self.state(text)

    def path(self, text: str) -> str:
        """Path text inside the instance, from a path relative to this folder or absolute, as the system gives it.

        Raises:
            InvalidPath: it leaves the instance.
        """
        root = self.root
        typed = os.path.normpath(os.path.join(self.folder, text))
        shown = os.path.normpath(os.path.join(self.folder, to_name(text)))
        # A listing shows bytes that are no UTF-8 as \xNN; a file whose name is really written so goes first.
        chosen = shown if shown != typed and not os.path.lexists(typed) else typed
        inside = os.path.relpath(chosen, root)
        if inside == ".." or inside.startswith("../"):
            raise InvalidPath(
                f"{text!r} lies outside the instance, whose folder is {root}.",
                hint="Paths stay inside the instance.",
            )
        return "" if inside == "." else parse_path(from_name(inside))

    def shown(self, path: str) -> str:
        """Path text of the instance as it is typed here."""
        prefix = self._locate()[1]
        if prefix and is_inside(path, prefix):
            return posixpath.relpath(path, prefix)
        return path if not prefix else posixpath.relpath(path or ".", prefix)

    def _locate(self) -> tuple[str | None, str]:
        if self._located is None:
            located = self.client.locate(folder=self.folder)
            self._located = (located.instance, located.path)
        return self._located


def _here() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        raise NotFound(
            "The current folder does not exist any more.", hint="Go to one that does (cd)."
        ) from None


def _is_date(text: str) -> bool:
    from nuvo_jupyter.model.reference import parse_time

    return parse_time(text) is not None
