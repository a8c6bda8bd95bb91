"""Writing a crate: a zip file as a stream, whose size does not matter for memory.

The standard library's ``zipfile`` writes to what cannot seek, with ZIP64. ``ro-crate-metadata.json`` is built here:
the rocrate library reads every file from disk before it writes one, and keeps neither modes nor links.
"""

from __future__ import annotations

import hashlib
import mimetypes
import stat
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, BinaryIO
from urllib.parse import quote

import msgspec
from blake3 import blake3

from nuvo_jupyter.interop.crate import METADATA, SNAPSHOT, CrateMetadata, Description, Item
from nuvo_jupyter.interop.requirements import derived
from nuvo_jupyter.model.errors import Cancelled
from nuvo_jupyter.model.nodes import Node, NodeKind
from nuvo_jupyter.model.objects import TABLE, TABLES
from nuvo_jupyter.store import tree
from nuvo_jupyter.store.manifest import encode_manifest
from nuvo_jupyter.store.store import Store

PARQUET = "application/vnd.apache.parquet"
_BATCH_BYTES = 8 << 20
"""Small files are read from the store in groups of this size."""
_COMPRESSED = (
    ".parquet",
    ".whl",
    ".conda",
    ".zip",
    ".gz",
    ".xz",
    ".zst",
    ".bz2",
    ".png",
    ".jpg",
    ".jpeg",
    ".webp",
    ".mp4",
    ".pdf",
)
_KINDS = {NodeKind.FILE: stat.S_IFREG, NodeKind.FOLDER: stat.S_IFDIR, NodeKind.LINK: stat.S_IFLNK}


def export_crate(
    store: Store,
    manifest_id: bytes,
    out: BinaryIO,
    *,
    metadata: CrateMetadata,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """Write a snapshot as one zip file; holds a few megabytes besides the list of files.

    Args:
        store: holds the snapshot.
        manifest_id: of the snapshot.
        out: written from where it is; it need not be able to seek.
        metadata: what people say of it.
        progress: called with (bytes read, bytes to read).
        cancelled: asked again and again.

    Raises:
        StoreDamaged: some of it is missing or altered; what was written is of no use.
        Cancelled: ``cancelled`` said so.
        OSError: ``out`` cannot be written.
    """
    manifest = store.manifest(manifest_id)
    nodes = dict(sorted(tree.flatten(store, manifest.root).items()))
    extra = derived(nodes, store.read_file)
    items = _items(nodes, {METADATA, SNAPSHOT, *extra})
    description = Description(
        id=manifest_id.hex(),
        manifest=encode_manifest(manifest),
        items=tuple(items),
        derived=tuple(extra),
        metadata=metadata,
    )
    total = sum(node.size for node in nodes.values())
    done = 0

    def watch(size: int) -> None:
        nonlocal done
        if cancelled is not None and cancelled():
            raise Cancelled("The export was cancelled.")
        done += size
        if progress is not None:
            progress(done, total)

    hashes: dict[str, tuple[str, str]] = {}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, allowZip64=True, compresslevel=6) as archive:
        _put(archive, _info(SNAPSHOT, 0o644), [msgspec.json.encode(description)])
        for name, content in extra.items():
            hashes[name] = _put(archive, _info(name, 0o644), [content])
        for item, content_of in _contents(store, items, nodes):
            watch(0)
            hashes[item.entry] = _put(
                archive,
                _info_of(item),
                _watched(content_of, watch) if item.kind is NodeKind.FILE else content_of,
            )
        _put(archive, _info(METADATA, 0o644), _graph(items, extra, hashes, metadata))


def _items(nodes: Mapping[str, Node], ours: set[str]) -> list[Item]:
    items = []
    for path, node in nodes.items():
        stored = ""
        if path.partition("/")[0] in ours:
            # Also what lies below a folder of such a name.
            stored = f"nuvo-kept/{path}"
            while stored in nodes or stored.partition("/")[0] in nodes:
                stored = f"nuvo-{stored}"
        content = tuple(id_.hex() for id_ in node.content)
        items.append(Item(path, node.kind, node.mode, node.size, node.mtime_ns, content, node.link, stored))
    return items


def _contents(
    store: Store, items: list[Item], nodes: Mapping[str, Node]
) -> Iterator[tuple[Item, Iterable[bytes]]]:
    """Every item with its content, small files read together."""
    batch: list[Item] = []
    size = 0
    for item in items:
        batch.append(item)
        size += item.size if len(item.content) == 1 else 0
        if size > _BATCH_BYTES or len(item.content) > 1 or len(batch) > 1000:
            yield from _batch(store, batch, nodes)
            batch, size = [], 0
    yield from _batch(store, batch, nodes)


def _batch(
    store: Store, items: list[Item], nodes: Mapping[str, Node]
) -> Iterator[tuple[Item, Iterable[bytes]]]:
    single = [nodes[item.path].content[0] for item in items if len(item.content) == 1]
    found = dict(store.read_many(single))
    for item in items:
        node = nodes[item.path]
        if node.kind is NodeKind.LINK:
            yield item, [node.link.encode()]
        elif len(node.content) > 1:
            yield item, store.stream_file(node)
        else:
            yield item, [found[id_] for id_ in node.content]


def _watched(content: Iterable[bytes], watch: Callable[[int], None]) -> Iterator[bytes]:
    for piece in content:
        yield piece
        watch(len(piece))


def _info(
    name: str, mode: int, kind: NodeKind = NodeKind.FILE, when: tuple[int, ...] = (1980, 1, 1, 0, 0, 0)
) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, when)  # type: ignore[arg-type]
    info.create_system = 3
    info.external_attr = (_KINDS[kind] | mode) << 16 | (0x10 if kind is NodeKind.FOLDER else 0)
    info.compress_type = zipfile.ZIP_STORED if name.lower().endswith(_COMPRESSED) else zipfile.ZIP_DEFLATED
    return info


def _info_of(item: Item) -> zipfile.ZipInfo:
    seconds = min(max(item.mtime_ns // 10**9, 315532800), 4354819198)
    info = _info(item.entry, item.mode, item.kind, time.gmtime(seconds)[:6])
    if item.kind is not NodeKind.FILE:
        info.compress_type = zipfile.ZIP_STORED
    info.file_size = item.size
    return info


def _put(archive: zipfile.ZipFile, info: zipfile.ZipInfo, content: Iterable[bytes]) -> tuple[str, str]:
    """Write one entry; gives its SHA-256 and BLAKE3."""
    sha, blake = hashlib.sha256(), blake3()
    with archive.open(info, "w", force_zip64=info.file_size >= 1 << 31) as entry:
        for piece in content:
            entry.write(piece)
            sha.update(piece)
            blake.update(piece)
    return sha.hexdigest(), blake.hexdigest()


def _graph(
    items: list[Item],
    extra: Mapping[str, bytes],
    hashes: Mapping[str, tuple[str, str]],
    metadata: CrateMetadata,
) -> Iterator[bytes]:
    """``ro-crate-metadata.json``, entity by entity."""
    files = [item for item in items if item.kind is NodeKind.FILE]
    yield b'{"@context": ["https://w3id.org/ro/crate/1.1/context", {"sha256": "https://schema.org/sha256"}],\n"@graph": [\n'
    yield msgspec.json.encode(
        {
            "@id": METADATA,
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        }
    )
    parts = [
        {"@id": _id(SNAPSHOT)},
        *({"@id": _id(name)} for name in extra),
        *({"@id": _id(item.entry)} for item in files),
    ]
    authors = [author.identifier or f"#author-{at}" for at, author in enumerate(metadata.authors, 1)]
    root: dict[str, Any] = {
        "@id": "./",
        "@type": "Dataset",
        "name": metadata.name,
        "description": metadata.description,
        "datePublished": metadata.published,
        "license": {"@id": metadata.license} if _is_address(metadata.license) else metadata.license,
        "author": [{"@id": id_} for id_ in authors],
        "hasPart": parts,
    }
    if metadata.keywords:
        root["keywords"] = ", ".join(metadata.keywords)
    yield b",\n" + msgspec.json.encode(root)
    if _is_address(metadata.license):
        yield b",\n" + msgspec.json.encode(
            {"@id": metadata.license, "@type": "CreativeWork", "name": metadata.license}
        )
    for id_, author in zip(authors, metadata.authors, strict=True):
        person: dict[str, Any] = {"@id": id_, "@type": "Person", "name": author.name}
        if author.affiliation:
            person["affiliation"] = author.affiliation
        yield b",\n" + msgspec.json.encode(person)
    yield b",\n" + msgspec.json.encode(
        {
            "@id": _id(SNAPSHOT),
            "@type": "File",
            "name": "What a zip file cannot say of the snapshot",
            "encodingFormat": "application/json",
        }
    )
    for name, content in extra.items():
        entity = _file(name, len(content), hashes[name])
        entity["description"] = "Derived from the lock of the application, for repo2docker and Binder"
        yield b",\n" + msgspec.json.encode(entity)
    for item in files:
        entity = _file(item.entry, item.size, hashes[item.entry])
        entity["name"] = item.path
        if item.path.startswith(TABLES + "/") and item.path.endswith(TABLE):
            entity |= {"encodingFormat": PARQUET, "additionalType": "Table"}
        yield b",\n" + msgspec.json.encode(entity)
    yield b"\n]}\n"


def _file(name: str, size: int, hashes: tuple[str, str]) -> dict[str, Any]:
    return {
        "@id": _id(name),
        "@type": "File",
        "name": name,
        "contentSize": str(size),
        "encodingFormat": mimetypes.guess_type(name)[0] or "application/octet-stream",
        "sha256": hashes[0],
        "identifier": f"blake3:{hashes[1]}",
    }


def _id(name: str) -> str:
    """A path as RO-Crate wants it: a relative web address, which a name with a colon would not be."""
    return quote(name, safe="/")


def _is_address(text: str) -> bool:
    return text.startswith(("https://", "http://"))
