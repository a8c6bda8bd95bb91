"""Everything that reads bytes others may have made: what goes in, and what has to hold whatever it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
import nbformat
from blake3 import blake3

from nuvo_jupyter.merge.notebook import merge_notebook
from nuvo_jupyter.merge.text import merge_text
from nuvo_jupyter.model.errors import InvalidPath, InvalidReference, StoreDamaged
from nuvo_jupyter.model.nodes import Exclusion, Manifest, Node, NodeKind, TreeEntry
from nuvo_jupyter.model.reference import parse_reference
from nuvo_jupyter.store.manifest import decode_manifest, encode_manifest
from nuvo_jupyter.store.pack import Compressor, PackBuilder, read_entries, unpack
from nuvo_jupyter.store.tree import decode_tree, encode_tree

NAME = b"\0" * 32
BETWEEN = b"\n\x00\n"
"""Between the three sides of a merge."""


class Parser(NamedTuple):
    """Something that reads bytes.

    Args:
        check: reads them; an error that is none of ours, or a wrong result, raises.
        seeds: bytes that it understands.
    """

    check: Callable[[bytes], None]
    seeds: Sequence[bytes]


def pack(data: bytes) -> None:
    """A pack's index, and every blob it names."""
    try:
        entries = read_entries(lambda start, length: data[start : start + length], len(data), NAME)
    except StoreDamaged:
        return
    for entry in entries:
        assert 0 <= entry.offset <= entry.offset + entry.length <= len(data)
        plain = unpack(data[entry.offset : entry.offset + entry.length], entry.id, entry.size, entry.codec)
        assert plain is None or blake3(plain).digest() == entry.id


def tree(data: bytes) -> None:
    """A folder's tree."""
    try:
        entries = decode_tree(data)
    except StoreDamaged:
        return
    names = [entry.name for entry in entries]
    assert names == sorted(set(names))
    assert not any(name in ("", ".", "..") or "/" in name or "\0" in name for name in names)
    encode_tree(entries)


def manifest(data: bytes) -> None:
    """A snapshot's manifest."""
    try:
        found = decode_manifest(data)
    except StoreDamaged:
        return
    assert decode_manifest(encode_manifest(found)) == found


def reference(data: bytes) -> None:
    """What people type to name a state."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        found = parse_reference(text)
    except (InvalidReference, InvalidPath):
        return
    assert parse_reference(str(found)) == found
    assert not found.path.startswith("/")
    assert ".." not in found.path.split("/")


def notebooks(data: bytes) -> None:
    """Three notebooks to merge."""
    sides = [*data.split(BETWEEN), b"", b"", b""][:3]
    merged = merge_notebook(sides[0], sides[1], sides[2], label="from fuzz")
    if merged is not None and merged.data is not None:
        made = json.loads(merged.data)
        nbformat.validate(made)
        ids = [cell["id"] for cell in made["cells"] if "id" in cell]
        assert len(ids) == len(set(ids))


def texts(data: bytes) -> None:
    """Three texts to merge."""
    sides = [*data.split(BETWEEN), b"", b"", b""][:3]
    merged = merge_text(sides[0], sides[1], sides[2])
    if merged is not None and sides[0] == sides[2]:
        assert merged == sides[1]


def _packs() -> list[bytes]:
    builder = PackBuilder()
    for plain in (b"", b"one", b"two" * 100):
        small, codec = Compressor().compress([plain])[0] if plain else (plain, 0)
        builder.append(blake3(plain).digest(), small, len(plain), codec, 0)
    return [bytes(builder.seal().data), bytes(PackBuilder().seal().data)]


def _trees() -> list[bytes]:
    file = Node(NodeKind.FILE, mode=0o644, size=5, mtime_ns=10**18, content=(NAME, NAME))
    nodes = {
        "a.txt": file,
        "week1": Node(NodeKind.FOLDER, content=(NAME,)),
        "z": Node(NodeKind.LINK, link="../a"),
    }
    nodes["odd\\xff"] = file
    return [encode_tree([TreeEntry(name, node) for name, node in nodes.items()]), encode_tree([])]


def _notebooks() -> list[bytes]:
    def made(*sources: str, minor: int = 5) -> bytes:
        cells: list[dict[str, object]] = [
            {
                "cell_type": "code",
                "id": f"c{n}",
                "metadata": {},
                "source": text,
                "outputs": [],
                "execution_count": None,
            }
            for n, text in enumerate(sources)
        ]
        if minor < 5:
            for cell in cells:
                del cell["id"]
        return json.dumps({"nbformat": 4, "nbformat_minor": minor, "metadata": {}, "cells": cells}).encode()

    return [
        BETWEEN.join([made("a = 1", "b = 2"), made("a = 1", "b = 3", "own"), made("a = 2", "b = 2", "new")]),
        BETWEEN.join([made("a", minor=4), made("a", "b", minor=4), made(minor=4)]),
        BETWEEN.join([made(), made("x"), made("y")]),
    ]


PARSERS = {
    "pack": Parser(pack, _packs()),
    "tree": Parser(tree, _trees()),
    "manifest": Parser(
        manifest,
        [
            encode_manifest(
                Manifest(NAME, excluded=(Exclusion("a", "cache"),), inconsistent=("b",), files=1, size=2)
            ),
            msgspec.msgpack.encode({"root": NAME, "version": 1}),
        ],
    ),
    "reference": Parser(
        reference,
        [b"org/space/instance@3:week 1/a.txt", b"anna@2026-11-20T10:00:data.csv", b"a@latest", b":x"],
    ),
    "notebooks": Parser(notebooks, _notebooks()),
    "texts": Parser(texts, [BETWEEN.join([b"1\n2\n3\n", b"1\n2x\n3\n", b"0\n2\n3\n"]), BETWEEN * 2]),
}


def any_of_them(data: bytes) -> None:
    """The first byte says which."""
    which = sorted(PARSERS)[data[0] % len(PARSERS)] if data else "pack"
    PARSERS[which].check(data[1:])


ANY = Parser(
    any_of_them, [bytes([n]) + data for n, name in enumerate(sorted(PARSERS)) for data in PARSERS[name].seeds]
)
