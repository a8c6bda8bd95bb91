"""What was captured comes back exactly, whatever lay in the target."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuvo_jupyter.model.changes import Outcome
from nuvo_jupyter.model.nodes import NodeKind, same
from nuvo_jupyter.workspace.capture import Captured, look_at
from nuvo_jupyter.workspace.safe import Root

from .places import Place, names

AWKWARD = [
    b"a name with spaces.txt",
    "übung 🎓.ipynb".encode(),
    b"n" * 255,
    "é".encode() * 127,
    b"-rf",
    b"--",
    b"line\nbreak",
    b"not utf-8 \xff\xfe",
    b"\\xff looks escaped",
    b"back\\slash",
    b"quote'\"`$(x)",
    b"~",
    b".hidden",
    b"...",
    b"tab\there",
    b"*",
]


@pytest.mark.parametrize("name", AWKWARD)
def test_any_file_name_survives(place: Place, work: Path, tmp_path: Path, name: bytes) -> None:
    for folder in (os.fsencode(work), os.path.join(os.fsencode(work), b"in " + name[:200])):
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, name), "wb") as file:
            file.write(b"content of " + name)
    captured = place.capture(work)
    assert not captured.manifest.excluded
    target = tmp_path / "target"
    target.mkdir()
    place.restore(target, captured)
    assert names(target) == names(work)
    with open(os.path.join(os.fsencode(target), name), "rb") as file:
        assert file.read() == b"content of " + name


def test_modes_times_links_and_empty_folders_survive(place: Place, work: Path, tmp_path: Path) -> None:
    (work / "empty").mkdir(mode=0o750)
    (work / "script.sh").write_text("#!/bin/sh\n")
    (work / "script.sh").chmod(0o755)
    (work / "read only").write_text("x")
    (work / "read only").chmod(0o444)
    (work / "nothing").touch()
    os.utime(work / "script.sh", ns=(1_000_000_000, 1_234_567_890_123_456_789))
    for name, to in {
        "inside": "script.sh",
        "outside": "/etc/passwd",
        "broken": "nowhere",
        "loop": "loop",
        "up": "../..",
        "folder": "empty",
        "odd": b"\xff\n".decode("utf-8", "surrogateescape"),
    }.items():
        os.symlink(to, work / name)
    (work / "closed").mkdir()
    (work / "closed" / "file").write_text("y")
    (work / "closed").chmod(0o555)
    captured = place.capture(work)
    target = tmp_path / "target"
    target.mkdir()
    outcomes = place.restore(target, captured)
    assert {item.outcome for item in outcomes} == {Outcome.CREATED}
    again = place.capture(target)
    assert again.manifest_id == captured.manifest_id
    assert os.stat(target / "script.sh").st_mtime_ns == 1_234_567_890_123_456_789
    assert os.readlink(target / "outside") == "/etc/passwd"
    assert stat_mode(target / "closed") == 0o555
    assert stat_mode(target / "read only") == 0o444


def stat_mode(path: Path) -> int:
    return os.lstat(path).st_mode & 0o7777


def test_large_files_are_cut_and_come_back(place: Place, work: Path, tmp_path: Path) -> None:
    data = os.urandom(4 << 20) + b"0" * (1 << 20)  # more than a blob can hold
    (work / "large.bin").write_bytes(data)
    (work / "exactly one.bin").write_bytes(data[: 1 << 20])
    (work / "one more.bin").write_bytes(data[: (1 << 20) + 1])
    captured = place.capture(work)
    assert len(captured.nodes["large.bin"].content) > 1
    assert len(captured.nodes["exactly one.bin"].content) == 1
    with Root(work) as root:
        assert look_at(root).manifest_id == captured.manifest_id
    target = tmp_path / "target"
    target.mkdir()
    place.restore(target, captured)
    assert (target / "large.bin").read_bytes() == data
    assert place.capture(target).manifest_id == captured.manifest_id


def test_a_file_becomes_a_folder_and_the_other_way_round(place: Place, work: Path, tmp_path: Path) -> None:
    (work / "a" / "b").mkdir(parents=True)
    (work / "a" / "b" / "c").write_text("deep")
    (work / "x").write_text("file")
    os.symlink("x", work / "l")
    captured = place.capture(work)
    target = tmp_path / "target"
    (target / "x" / "y").mkdir(parents=True)
    (target / "x" / "y" / "z").write_text("other")
    (target / "l").mkdir()
    os.symlink("x", target / "a")
    place.restore(target, captured)
    assert_same(place.capture(target), captured)


def assert_same(found: Captured, wanted: Captured) -> None:
    assert found.nodes.keys() == wanted.nodes.keys()
    for path, node in wanted.nodes.items():
        assert same(found.nodes[path], node, exact=True), path


# Random trees

NAME = st.sampled_from(["a", "b", "c", "d e", "ü", "-r", "\\xff", "x" * 255]) | st.text(
    st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=12
).filter(lambda name: name not in (".", "..") and not name.startswith((".~", ".nfs")))
FILE = st.tuples(
    st.just(NodeKind.FILE), st.binary(max_size=40), st.sampled_from([0o644, 0o600, 0o755, 0o400])
)
LINK = st.tuples(st.just(NodeKind.LINK), st.sampled_from(["a", "../..", "/etc", "b/c", "ü"]), st.just(0))
TREE = st.recursive(
    st.dictionaries(NAME, FILE | LINK, max_size=4),
    lambda inner: st.dictionaries(NAME, FILE | LINK | inner, max_size=4),
    max_leaves=12,
)


def make(folder: str, tree: dict[str, object]) -> None:
    for name, value in tree.items():
        path = os.path.join(folder, name)
        if len(os.fsencode(name)) > 255 or name in (".nuvoignore", ".ipynb_checkpoints", ".cache"):
            continue
        if isinstance(value, dict):
            os.mkdir(path)
            make(path, value)
        else:
            assert isinstance(value, tuple)
            kind, content, mode = value
            if kind is NodeKind.LINK:
                os.symlink(content, path)
            else:
                with open(path, "wb") as file:
                    file.write(content)
                os.chmod(path, mode)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    place = Place(tmp_path_factory.mktemp("home"))
    yield place
    place.close()


@settings(max_examples=60)
@given(source=TREE)
def test_captured_applied_and_captured_again_is_the_same_state(
    shared: Place, source: dict[str, object]
) -> None:
    with tempfile.TemporaryDirectory() as top:
        one, two = Path(top, "one"), Path(top, "two")
        one.mkdir()
        two.mkdir()
        make(str(one), source)
        captured = shared.capture(one)
        shared.restore(two, captured)
        assert shared.capture(two).manifest_id == captured.manifest_id
        assert names(two) == names(one)


@settings(max_examples=60)
@given(source=TREE, target=TREE)
def test_restoring_over_another_state_gives_exactly_the_source(
    shared: Place, source: dict[str, object], target: dict[str, object]
) -> None:
    with tempfile.TemporaryDirectory() as top:
        one, two = Path(top, "one"), Path(top, "two")
        one.mkdir()
        two.mkdir()
        make(str(one), source)
        make(str(two), target)
        captured = shared.capture(one)
        before = shared.capture(two)
        outcomes = shared.restore(two, captured)
        assert not {item.outcome for item in outcomes} & {Outcome.CONFLICT, Outcome.FAILED}
        assert_same(shared.capture(two), captured)
        assert names(two) == names(one)
        shared.restore(two, before)
        assert_same(shared.capture(two), before)
