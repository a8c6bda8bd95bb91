"""Trees built, flattened, searched and compared."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuvo_jupyter.model.errors import InvalidPath, NotFound, StoreDamaged
from nuvo_jupyter.model.nodes import Manifest, Node, NodeKind, TreeEntry
from nuvo_jupyter.model.paths import from_name
from nuvo_jupyter.store import tree
from nuvo_jupyter.store.manifest import decode_manifest, encode_manifest
from nuvo_jupyter.store.store import Store

names = st.one_of(
    st.sampled_from(["a", "b", "c", "a.b", "a b", "Ä", "\\x5cxff", "-", "\n", "😀"]),
    st.binary(min_size=1, max_size=6)
    .filter(lambda raw: b"/" not in raw and b"\0" not in raw and raw not in (b".", b".."))
    .map(lambda raw: from_name(raw.decode("utf-8", "surrogateescape"))),
)
leaves = st.one_of(
    st.builds(
        Node,
        kind=st.just(NodeKind.FILE),
        mode=st.sampled_from([0o644, 0o755, 0o4600]),
        size=st.integers(0, 2**40),
        mtime_ns=st.integers(-(2**40), 2**62),
        content=st.lists(st.binary(min_size=32, max_size=32), max_size=2).map(tuple),
    ),
    st.builds(
        Node, kind=st.just(NodeKind.LINK), mode=st.just(0o777), link=st.sampled_from(["x", "../a", "/etc"])
    ),
)
folders = st.builds(
    Node, kind=st.just(NodeKind.FOLDER), mode=st.sampled_from([0o755, 0o700]), mtime_ns=st.integers(0, 5)
)


@st.composite
def states(draw: st.DrawFn) -> dict[str, Node]:
    """A complete flat mapping: every folder listed."""
    flat: dict[str, Node] = {}
    open_folders = [""]
    for _ in range(draw(st.integers(0, 12))):
        parent = draw(st.sampled_from(open_folders))
        name = draw(names)
        path = f"{parent}/{name}" if parent else name
        if path not in flat:
            flat[path] = draw(st.one_of(leaves, folders))
            if flat[path].kind is NodeKind.FOLDER:
                open_folders.append(path)
    return flat


def build(store: Store, flat: dict[str, Node]) -> bytes:
    with store.writer() as writer:
        root = tree.build(flat, writer)
        writer.flush()
        with store.catalog.write() as connection:
            writer.commit(connection)
    return root


@settings(max_examples=80)
@given(flat=states())
def test_flatten_undoes_build(shared_store: Store, flat: dict[str, Node]) -> None:
    root = build(shared_store, flat)
    shared_store.trees.clear()
    assert tree.flatten(shared_store, root) == flat
    assert build(shared_store, dict(reversed(flat.items()))) == root
    for path, node in flat.items():
        found = tree.find(shared_store, root, path)
        assert found is not None
        if node.kind is NodeKind.FOLDER:
            assert found.content
            below = tree.flatten(shared_store, found.content[0], path)
            assert below == {p: n for p, n in flat.items() if p.startswith(path + "/")}
            children = [entry.name for entry in tree.entries(shared_store, root, path)]
            assert children == sorted(p[len(path) + 1 :] for p in below if "/" not in p[len(path) + 1 :])
        else:
            assert found == node


@settings(max_examples=80)
@given(old=states(), edit=states(), dropped=st.sets(st.integers(0, 11)))
def test_changed_equals_a_full_comparison(
    shared_store: Store, old: dict[str, Node], edit: dict[str, Node], dropped: set[int]
) -> None:
    new = {path: node for index, (path, node) in enumerate(old.items()) if index not in dropped} | edit
    # What the edit left impossible goes: things below something that is no folder, or not there.
    for path in sorted(new):
        parent = path.rpartition("/")[0]
        if parent and (parent not in new or new[parent].kind is not NodeKind.FOLDER):
            del new[path]
    a, b = build(shared_store, old), build(shared_store, new)
    for before, after, first, second in (
        (a, b, old, new),
        (b, a, new, old),
        (None, b, {}, new),
        (a, None, old, {}),
    ):
        expected = {
            path: (first.get(path), second.get(path))
            for path in first.keys() | second.keys()
            if first.get(path) != second.get(path)
        }
        found = list(tree.changed(shared_store, before, after))
        assert len(found) == len(expected)
        assert {path: (was, now) for path, was, now in found} == expected
    assert list(tree.changed(shared_store, a, a)) == []


def test_equal_folders_are_not_looked_into(store: Store) -> None:
    file = Node(NodeKind.FILE, content=(b"\1" * 32,))
    old = build(store, {"same/deep/x": file, "other/x": file})
    new = build(store, {"same/deep/x": file, "other/y": file})
    same = tree.find(store, old, "same")
    assert same is not None
    # Were it read, its absence would be noticed.
    with store.catalog.write() as connection:
        from nuvo_jupyter.catalog.blobs import remove_blobs

        remove_blobs(connection, same.content)
    store.index.forget()
    store.trees.clear()
    assert [path for path, _, _ in tree.changed(store, old, new)] == ["other/x", "other/y"]
    with pytest.raises(StoreDamaged):
        tree.flatten(store, new)


def test_missing_folders_are_implied(store: Store) -> None:
    file = Node(NodeKind.FILE)
    flat = tree.flatten(store, build(store, {"a/b/c": file, "a/b": Node(NodeKind.FOLDER, mode=0o700)}))
    assert flat == {
        "a": Node(NodeKind.FOLDER, mode=0o755),
        "a/b": Node(NodeKind.FOLDER, mode=0o700),
        "a/b/c": file,
    }


def test_an_empty_state(store: Store) -> None:
    root = build(store, {})
    assert tree.flatten(store, root) == {}
    assert tree.entries(store, root) == []
    assert tree.find(store, root, "") == Node(NodeKind.FOLDER, mode=0o755, content=(root,))


def test_what_is_not_there(store: Store) -> None:
    root = build(store, {"a/b": Node(NodeKind.FILE)})
    assert tree.find(store, root, "a/c") is None
    assert tree.find(store, root, "a/b/c") is None
    for path in ("x", "a/b", "a/b/c"):
        with pytest.raises(NotFound, match=path):
            tree.entries(store, root, path)


def test_a_very_deep_state(store: Store) -> None:
    path = "/".join(["d"] * 1500)
    flat = tree.flatten(store, build(store, {path: Node(NodeKind.FILE)}))
    assert len(flat) == 1500
    assert flat[path] == Node(NodeKind.FILE)


@pytest.mark.parametrize(
    "paths",
    [
        ["a", "a/b"],
        ["../x"],
        ["a/../b"],
        ["a//b"],
        ["/a"],
        ["a/"],
        ["."],
        ["a\0"],
        ["\\x2e\\x2e"],
        ["a\\x2fb"],
    ],
)
def test_paths_that_no_folder_can_hold_are_refused(store: Store, paths: list[str]) -> None:
    with store.writer() as writer, pytest.raises(InvalidPath):
        tree.build({path: Node(NodeKind.FILE) for path in paths}, writer)


@pytest.mark.parametrize(
    "entries",
    [
        [TreeEntry("..", Node(NodeKind.FILE))],
        [TreeEntry("a/b", Node(NodeKind.FILE))],
        [TreeEntry("\\x2e\\x2e", Node(NodeKind.FILE))],
        [TreeEntry("b", Node(NodeKind.FILE)), TreeEntry("a", Node(NodeKind.FILE))],
        [TreeEntry("a", Node(NodeKind.FILE)), TreeEntry("a", Node(NodeKind.FILE))],
        [TreeEntry("a", Node(NodeKind.FOLDER))],
        [TreeEntry("a", Node(NodeKind.FILE, content=(b"short",)))],
    ],
)
def test_a_tree_that_no_folder_can_be_is_damage(entries: list[TreeEntry]) -> None:
    import msgspec

    with pytest.raises(StoreDamaged):
        tree.decode_tree(msgspec.msgpack.encode(entries))


@settings(max_examples=300)
@given(data=st.binary(max_size=200))
def test_random_bytes_are_no_tree(data: bytes) -> None:
    try:
        entries = tree.decode_tree(data)
    except StoreDamaged:
        return
    assert tree.encode_tree(entries)


@settings(max_examples=300)
@given(
    data=st.one_of(st.binary(max_size=200), st.binary(max_size=20).map(lambda raw: raw + b"\x81\xa1a" * 5000))
)
def test_random_bytes_are_no_manifest(data: bytes) -> None:
    with pytest.raises(StoreDamaged):
        decode_manifest(data)


def test_a_manifest_reads_back_and_a_newer_one_is_refused() -> None:
    manifest = Manifest(b"\1" * 32, inconsistent=("a",), files=3)
    assert decode_manifest(encode_manifest(manifest)) == manifest
    with pytest.raises(StoreDamaged, match="newer"):
        decode_manifest(encode_manifest(Manifest(b"\1" * 32, version=2)))
