"""What a crate is: an RO-Crate as one zip file that holds a snapshot and everything needed to make it again.

The zip holds the files of the snapshot at their own paths, ``ro-crate-metadata.json`` (RO-Crate 1.1,
https://www.researchobject.org/ro-crate/1.1/), and ``nuvo-snapshot.json`` with what a zip cannot say: exact times,
modes and content ids. A file whose path one of ours needs lies elsewhere, as ``nuvo-snapshot.json`` says.
"""

from __future__ import annotations

import msgspec

from nuvo_jupyter.model.errors import InvalidInput
from nuvo_jupyter.model.nodes import Manifest, Node, NodeKind

METADATA = "ro-crate-metadata.json"
SNAPSHOT = "nuvo-snapshot.json"
FORMAT = 1


class InvalidCrate(InvalidInput):
    """A crate that is damaged, incomplete, or made to do harm."""

    code = "invalid_crate"
    default_hint = "Nothing was imported. Ask for the crate again, or export it once more with nuvo export."


NO_LICENSE = "No licence is given: all rights are reserved."


class Author(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who made what is in a crate.

    Args:
        name: as people write it.
        identifier: web address that tells this person from others, such as an ORCID.
        affiliation: name of an institution.
    """

    name: str
    identifier: str = ""
    affiliation: str = ""


class CrateMetadata(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What people say of a snapshot they share.

    Args:
        name: title.
        description: what it is, in a few sentences.
        authors: who made it.
        license: web address of a licence, such as ``https://spdx.org/licenses/CC-BY-4.0``, or a sentence.
        published: date, or date and time, in ISO 8601.
        keywords: to find it by.
    """

    name: str
    description: str
    authors: tuple[Author, ...] = ()
    license: str = NO_LICENSE
    published: str
    keywords: tuple[str, ...] = ()


class Item(msgspec.Struct, frozen=True, array_like=True):
    """One thing in a crate.

    Args:
        path: path text in the snapshot.
        kind, mode, size, mtime_ns, link: as of :class:`Node`.
        content: hex of the blob ids.
        stored: its name in the zip, where that is not its path.
    """

    path: str
    kind: NodeKind
    mode: int
    size: int
    mtime_ns: int
    content: tuple[str, ...] = ()
    link: str = ""
    stored: str = ""

    @property
    def entry(self) -> str:
        """The name in the zip; folders end in ``/``."""
        return (self.stored or self.path) + ("/" if self.kind is NodeKind.FOLDER else "")

    def node(self) -> Node:
        """As a snapshot has it.

        Raises:
            ValueError: a content id that is none.
        """
        content = tuple(map(bytes.fromhex, self.content))
        return Node(self.kind, self.mode, self.size, self.mtime_ns, content, self.link)


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """``nuvo-snapshot.json``.

    Args:
        id: of the snapshot: hex of its manifest's hash.
        manifest: of the snapshot, as MessagePack in base64.
        items: everything in it.
        derived: files in the zip that are not of the snapshot, besides the two descriptions.
        metadata: what people said of it.
        format: of this file.
    """

    id: str
    manifest: bytes
    items: tuple[Item, ...]
    derived: tuple[str, ...] = ()
    metadata: CrateMetadata
    format: int = FORMAT


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What a crate held, once it is in the store.

    Args:
        id: of the manifest: the snapshot's content id.
        manifest: of the snapshot.
        metadata: what people said of it.
    """

    id: bytes
    manifest: Manifest
    metadata: CrateMetadata
