"""Names for copies put beside: ``name (from SPACE DATE).ext``, never taken, never longer than a file system allows."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Container, Iterable, Mapping

from nuvo_jupyter.model.nodes import Node, NodeKind, same
from nuvo_jupyter.model.paths import NAME_MAX, basename, from_name, join, parent, to_name

LABEL_MAX = 120
"""Longest label in bytes that goes into a name; longer ones are cut before their last word (the date)."""
EXTENSION_MAX = 40
"""Longest extension in bytes that is kept as such; what is longer is part of the name."""

MARK = " (from "
"""In the name of each copy that was put beside."""
_BESIDE = re.compile(r"(?s)(?P<stem>.*) \(from .*\)(?: \d+)?")


def beside_name(name: str, label: str, number: int = 1, *, folder: bool = False) -> str:
    """The name a copy of ``name`` gets beside it.

    Args:
        name: path text of one component.
        label: ``from SPACE DATE`` (copies are found again by ``from``); characters no name can hold become ``-``.
        number: 2 and more are appended, for when the first name is taken.
        folder: folders have no extension.

    Returns:
        Path text of one component, at most 255 bytes on disk, with the extension of ``name``.
    """
    stem, extension = _split(to_name(name), folder)
    tail = f" ({_clean(label)}){f' {number}' if number > 1 else ''}{extension}"
    room = NAME_MAX - len(os.fsencode(tail))
    while len(os.fsencode(stem)) > room:
        stem = stem[:-1]
    return from_name(stem + tail)


def free_beside(path: str, label: str, taken: Container[str], *, folder: bool = False) -> str:
    """The first name beside ``path`` that is not taken, as a path."""
    number = 1
    while True:
        place = join(parent(path), beside_name(basename(path), label, number, folder=folder))
        if place not in taken:
            return place
        number += 1


class Besides:
    """Where copies put beside go in one target, so that none meets another and none is made twice.

    Args:
        source: what is distributed; its names are taken.
        target: what is there; its names are taken, but a copy that is already there is found again.
        base: what was last distributed; names in it are the source's, not copies.
        label: ``from SPACE DATE``.
    """

    def __init__(
        self, source: Container[str], target: Mapping[str, Node], base: Container[str], label: str
    ) -> None:
        self._source = source
        self.target = target
        self._base = base
        self._label = label
        self._planned: set[str] = set()
        self._copies: dict[str, list[str]] | None = None

    def reserve(self, places: Iterable[str]) -> None:
        """Take names that something else is planned at."""
        self._planned.update(places)

    def place(self, path: str, *fits: Callable[[str], bool], folder: bool = False) -> tuple[str, bool]:
        """Where the copy of ``path`` goes, and whether it is one that was already there.

        Args:
            path: of the object in the way.
            fits: whether an existing copy, given by its path, can serve; what suits better comes first.
            folder: whether a folder is put beside.
        """
        existing = self._existing(path, folder)
        for suits in fits:
            for place in existing:
                if suits(place):
                    return place, True
        place = free_beside(path, self._label, self, folder=folder)
        self._planned.add(place)
        return place, False

    def place_of(self, path: str, node: Node) -> tuple[str, bool]:
        """Where the copy ``node`` of a file or link goes, and whether it is already there."""
        return self.place(path, lambda place: same(self.target[place], node))

    def __contains__(self, path: object) -> bool:
        # What was distributed under such a name is never taken for a copy, so none may get that name either.
        return path in self.target or path in self._source or path in self._planned or path in self._base

    def _existing(self, path: str, folder: bool) -> list[str]:
        if self._copies is None:
            self._copies = {}
            for candidate in self.target:
                if MARK in candidate and MARK in basename(candidate):
                    self._copies.setdefault(parent(candidate), []).append(candidate)
        return [
            candidate
            for candidate in sorted(self._copies.get(parent(path), ()))
            if candidate not in self._source
            and candidate not in self._base
            and (self.target[candidate].kind is NodeKind.FOLDER) == folder
            and is_beside(basename(candidate), basename(path), folder=folder)
        ]


def is_beside(candidate: str, name: str, *, folder: bool = False) -> bool:
    """Whether ``candidate`` is a name that a copy of ``name`` gets, whatever its label and number."""
    stem, extension = _split(to_name(name), folder)
    raw = to_name(candidate)
    if not raw.endswith(extension):
        return False
    match = _BESIDE.fullmatch(raw[: len(raw) - len(extension)])
    if match is None:
        return False
    # A stem that was cut to fit leaves a name of nearly the full length.
    return match["stem"] == stem or (stem.startswith(match["stem"]) and len(os.fsencode(raw)) > NAME_MAX - 8)


def _split(name: str, folder: bool) -> tuple[str, str]:
    if folder:
        return name, ""
    stem, extension = os.path.splitext(name)
    if stem.endswith(".tar") and stem != ".tar":
        stem, extension = stem[:-4], ".tar" + extension
    if len(os.fsencode(extension)) > EXTENSION_MAX:
        return name, ""
    return stem, extension


def _clean(label: str) -> str:
    text = re.sub(r"[/\x00-\x1f\x7f\ud800-\udfff]", "-", label)
    if len(text.encode()) <= LABEL_MAX:
        return text
    head, _, last = text.rpartition(" ")
    last = _cut(last, LABEL_MAX // 3)
    return f"{_cut(head, LABEL_MAX - 4 - len(last.encode()))}… {last}"


def _cut(text: str, size: int) -> str:
    return text.encode()[:size].decode("utf-8", "ignore")
