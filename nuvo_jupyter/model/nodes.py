"""What a state is made of: nodes, trees and the manifest of a snapshot."""

from __future__ import annotations

import enum

import msgspec

from nuvo_jupyter.model.inspected import inspected

BlobId = bytes
"""BLAKE3-256 of the plain bytes: 32 bytes."""

MANIFEST_VERSION = 1


class NodeKind(enum.StrEnum):
    """What lies at a path. Sockets, devices and FIFOs are never captured."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"


class Node(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One file, folder or symbolic link of a state.

    Args:
        kind: file, folder or link.
        mode: permission bits, 0–0o7777.
        size: bytes of a file's content; 0 otherwise.
        mtime_ns: modification time in nanoseconds since 1970 UTC.
        content: a file's blob ids in order (one, or one per chunk; none for an empty file);
            in a tree, a folder's tree id; empty in flat mappings of folders.
        link: where a symbolic link points, as path text; ``""`` otherwise.
    """

    kind: NodeKind
    mode: int = 0o644
    size: int = 0
    mtime_ns: int = 0
    content: tuple[BlobId, ...] = ()
    link: str = ""


class TreeEntry(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One named node in a folder's tree object. Entries are sorted by name, so equal folders are one object."""

    name: str
    node: Node


def same(a: Node | None, b: Node | None, *, exact: bool = False) -> bool:
    """Whether two nodes hold the same for a user.

    Args:
        exact: compare all permission bits; else only whether a file is executable by its owner.
            Modification times never count.
    """
    if a is None or b is None:
        return a is b
    if a.kind != b.kind or a.link != b.link:
        return False
    if a.kind is NodeKind.FILE and (a.content != b.content or a.size != b.size):
        return False
    if a.kind is NodeKind.LINK:
        return True
    if exact:
        return a.mode == b.mode
    return a.kind is NodeKind.FOLDER or (a.mode & 0o100) == (b.mode & 0o100)


class Exclusion(msgspec.Struct, frozen=True):
    """Something a capture left out, and why (``cache``, ``ignored``, ``socket``, ``unreadable: …``)."""

    path: str
    reason: str


class TableEntry(msgspec.Struct, frozen=True):
    """One table of a state: a Parquet file as a node."""

    name: str
    node: Node


class ApplicationEntry(msgspec.Struct, frozen=True):
    """One application of a state: the tree id of its folder (app.json, lock, kernel template, wheels)."""

    name: str
    tree: BlobId


@inspected
class Manifest(msgspec.Struct, frozen=True):
    """All a snapshot holds. Its hash is the snapshot's content id, so immutability can be checked.

    Args:
        root: tree id of the workspace folder.
        tables: the state's tables, sorted by name.
        applications: the state's applications, sorted by name.
        excluded: what was left out and why, sorted by path.
        inconsistent: files that kept changing while they were read, sorted.
        files: number of files and links.
        size: bytes of all files.
        version: of this format.
    """

    root: BlobId
    tables: tuple[TableEntry, ...] = ()
    applications: tuple[ApplicationEntry, ...] = ()
    excluded: tuple[Exclusion, ...] = ()
    inconsistent: tuple[str, ...] = ()
    files: int = 0
    size: int = 0
    version: int = MANIFEST_VERSION
