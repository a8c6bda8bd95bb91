"""A snapshot's manifest as a blob. Its id is the snapshot's content id."""

from __future__ import annotations

import msgspec

from nuvo_jupyter.model.errors import StoreDamaged
from nuvo_jupyter.model.inspected import inspected
from nuvo_jupyter.model.nodes import MANIFEST_VERSION, Manifest
from nuvo_jupyter.store.pack import MANIFEST
from nuvo_jupyter.store.writer import Writer


@inspected
class _Version(msgspec.Struct):
    version: int = 1


def encode_manifest(manifest: Manifest) -> bytes:
    """The canonical bytes of a manifest: msgpack, fields in the order of their declaration."""
    return msgspec.msgpack.encode(manifest)


def decode_manifest(data: bytes) -> Manifest:
    """Read a manifest.

    Raises:
        StoreDamaged: the bytes are none, or of a newer version.
    """
    try:
        version = msgspec.msgpack.decode(data, type=_Version).version
        if version > MANIFEST_VERSION:
            raise StoreDamaged(
                f"The snapshot was written by a newer version of Nuvo (manifest version {version}).",
                hint="Upgrade with `pip install -U nuvo-jupyter`.",
            )
        return msgspec.msgpack.decode(data, type=Manifest)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise StoreDamaged("A snapshot's manifest cannot be read.") from error


def add_manifest(writer: Writer, manifest: Manifest) -> bytes:
    """Add a manifest to the store and return its id."""
    return writer.add(encode_manifest(manifest), MANIFEST)
