"""A captured state by path: unfolded bit by bit it is the same as a whole."""

from __future__ import annotations

from pathlib import Path

from tests.workspace.places import Place


def test_what_is_asked_for_first_does_not_matter(place: Place, tmp_path: Path) -> None:
    work = tmp_path / "work"
    (work / "folder" / "below").mkdir(parents=True)
    (work / "empty").mkdir()
    for name in ("z", "a", "folder/file", "folder/below/deep", "folder.txt"):
        (work / name).write_text(name)
    (work / "link").symlink_to("a")
    whole, bits = place.capture(work), place.capture(work)
    paths = list(whole.nodes)
    assert paths == sorted(paths)
    assert len(paths) == len(whole.nodes) == 9
    for path in ["folder/below/deep", *paths]:
        assert bits.nodes[path] == bits.nodes.get(path) == whole.nodes[path]
        assert path in bits.nodes
        assert bits.fingerprints.get(path) == whole.fingerprints.get(path)
    for path in ("nothing", "folder/nothing", "nothing/at/all", "a/below", ""):
        assert path not in bits.nodes
        assert bits.nodes.get(path) is None
    assert bits.nodes == whole.nodes
    assert dict(bits.fingerprints) == dict(whole.fingerprints)
    assert set(bits.fingerprints) == {"a", "z", "folder/file", "folder/below/deep", "folder.txt"}
