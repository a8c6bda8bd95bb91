"""Looking into states: browse, read, compare, diff and history, on snapshots and on the current state."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from nuvo_jupyter.model.errors import InvalidInput, NotFound, NuvoError, TooLarge

from .campus import Campus

ANNA = "intro/anna"
ODD = {
    "-rf": "dash",
    "a b": "space",
    "line\nbreak": "newline",
    "🎓 ünï": "emoji",
    "\udcff\udcfe": "bytes",
    "back\\x41slash": "looks escaped",
    "x" * 255: "long",
    "@3:latest": "reference",
    "*?[a]": "pattern",
}


def notebook(*sources: str) -> str:
    cells: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "metadata": {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for number, source in enumerate(sources)
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campus]:
    """Anna's first snapshot, her second one, and what she did since."""
    campus = Campus(tmp_path_factory.mktemp("campus"))
    campus.space()
    campus.run("roster_add", "prof", space="intro", people="anna\nben")
    folder = campus.workspace(ANNA)
    campus.write(
        ANNA, {"a.txt": "one\ntwo\n", "d/b.txt": "b\n", "n.ipynb": notebook("1 + 1"), "bin": b"\0\1", **ODD}
    )
    (folder / "empty").mkdir()
    (folder / "link").symlink_to("a.txt")
    campus.snapshot(ANNA, "anna")
    campus.write(
        ANNA, {"a.txt": "one\nTWO\n", "new": "n", "n.ipynb": notebook("1 + 1", "2 + 2"), "bin": b"\0\2"}
    )
    (folder / "d" / "b.txt").unlink()
    os.chmod(folder / "a b", 0o755)
    campus.snapshot(ANNA, "anna")
    campus.write(ANNA, {"a.txt": "one\nTWO\nthree\n", "big": b"x" * 5_000_001})
    (folder / "new").unlink()
    (folder / "new").mkdir()
    os.utime(folder / "a.txt", ns=(0, -(10**18)))
    yield campus
    campus.close()


def browse(campus: Campus, state: str) -> list[tuple[str, str]]:
    return [(entry.path, entry.kind.value) for entry in campus.call("browse", "anna", state=state)]


@pytest.mark.parametrize("state", [f"{ANNA}@1", ANNA])
def test_folders_come_first_then_names(states: Campus, state: str) -> None:
    entries = browse(states, state)
    kinds = [kind for _, kind in entries]
    assert kinds == sorted(kinds, key=lambda kind: kind != "folder")
    assert ("empty", "folder") in entries
    assert ("link", "link") in entries
    files = [path for path, kind in entries if kind != "folder"]
    assert files == sorted(files)
    assert {"-rf", "line\nbreak", "🎓 ünï", "\\xff\\xfe", "back\\x5cx41slash", "x" * 255} <= set(files)


def test_an_entry_tells_size_time_mode_and_link(states: Campus) -> None:
    before = {entry.name: entry for entry in states.call("browse", "anna", state=f"{ANNA}@1")}
    after = {entry.name: entry for entry in states.call("browse", "anna", state=f"{ANNA}@2")}
    now = {entry.name: entry for entry in states.call("browse", "anna", state=ANNA)}
    assert (before["a.txt"].size, now["a.txt"].size) == (8, 14)
    assert (before["a b"].executable, after["a b"].executable) == (False, True)
    assert before["link"].link == "a.txt"
    assert now["a.txt"].modified_at.year == 1938
    assert browse(states, f"{ANNA}@1:d") == [("d/b.txt", "file")]
    assert browse(states, f"{ANNA}@2:d") == []


@pytest.mark.parametrize("state", [f"{ANNA}@1", f"{ANNA}@2", ANNA])
def test_odd_names_are_read_by_the_paths_that_listings_show(states: Campus, state: str) -> None:
    paths = {entry.path for entry in states.call("browse", "anna", state=state)}
    for name, content in ODD.items():
        text = {"\udcff\udcfe": "\\xff\\xfe", "back\\x41slash": "back\\x5cx41slash"}.get(name, name)
        assert text in paths
        assert states.content(f"{state}:{text}", "anna") == content.encode()
    # In another spelling of the same bytes, too.
    assert states.content(f"{state}:\\x61.txt", "anna") == states.content(f"{state}:a.txt", "anna")


@pytest.mark.parametrize("state", [f"{ANNA}@1", ANNA])
@pytest.mark.parametrize(
    ("path", "browsed", "read"),
    [
        ("missing", NotFound, NotFound),
        ("a.txt/below", NotFound, NotFound),
        ("empty/missing", NotFound, NotFound),
        ("link/x", NotFound, NotFound),
        ("a.txt", InvalidInput, None),
        ("link", InvalidInput, InvalidInput),
        ("empty", None, InvalidInput),
        ("", None, InvalidInput),
        ("../intro", InvalidInput, InvalidInput),
        ("/etc/passwd", InvalidInput, InvalidInput),
        ("x" * 256, InvalidInput, InvalidInput),
    ],
)
def test_a_path_of_another_kind_is_an_error_that_names_it(
    states: Campus, state: str, path: str, browsed: type[NuvoError] | None, read: type[NuvoError] | None
) -> None:
    for operation, error in (("browse", browsed), ("read", read)):
        if error is None:
            states.call(operation, "anna", state=f"{state}:{path}")
            continue
        with pytest.raises(error) as caught:
            states.call(operation, "anna", state=f"{state}:{path}")
        assert type(caught.value) is error or error is InvalidInput
        assert path[:40] in caught.value.message or not path


def test_files_know_their_type_and_size(states: Campus) -> None:
    raw = states.call("read", "anna", state=f"{ANNA}@1:a.txt")
    assert (raw.media_type, raw.filename, raw.size) == ("text/plain", "a.txt", 8)
    raw.body.close()
    raw = states.call("read", "anna", state=f"{ANNA}:bin")
    assert (raw.media_type, raw.size) == ("application/octet-stream", 2)
    list(raw.body)


def compared(campus: Campus, left: str, right: str, **fields: Any) -> dict[str, str]:
    found = campus.call("compare", "anna", left=left, right=right, **fields)
    return {one.path: one.difference.value for one in found.differences}


FIRST_TO_SECOND = {
    "a b": "mode_changed",
    "a.txt": "changed",
    "bin": "changed",
    "d/b.txt": "removed",
    "n.ipynb": "changed",
    "new": "added",
}


def test_two_snapshots_are_compared(states: Campus) -> None:
    assert compared(states, f"{ANNA}@1", f"{ANNA}@2") == FIRST_TO_SECOND
    assert compared(states, f"{ANNA}@1", f"{ANNA}@1") == {}
    back = {"added": "removed", "removed": "added"}
    assert compared(states, f"{ANNA}@2", f"{ANNA}@1") == {
        path: back.get(kind, kind) for path, kind in FIRST_TO_SECOND.items()
    }


def test_a_snapshot_is_compared_with_the_current_state(states: Campus) -> None:
    assert compared(states, f"{ANNA}@2", ANNA) == {"a.txt": "changed", "big": "added", "new": "type_changed"}
    assert compared(states, ANNA, ANNA) == {}
    assert compared(states, f"{ANNA}@2:a.txt", f"{ANNA}:a.txt") == {"a.txt": "changed"}
    assert compared(states, f"{ANNA}@1:d", f"{ANNA}@2:d") == {"d/b.txt": "removed"}
    assert compared(states, f"{ANNA}@1:missing", f"{ANNA}@2:missing") == {}
    sizes = {
        one.path: (one.old_size, one.new_size)
        for one in states.call("compare", "anna", left=f"{ANNA}@2", right=ANNA).differences
    }
    assert sizes["a.txt"] == (8, 14)


def test_a_long_comparison_is_cut_and_says_so(states: Campus) -> None:
    found = states.call("compare", "anna", left=f"{ANNA}@1", right=f"{ANNA}@2", limit=2)
    assert ([one.path for one in found.differences], found.total) == (["a b", "a.txt"], 6)


def test_different_paths_are_not_compared(states: Campus) -> None:
    with pytest.raises(InvalidInput, match="different paths"):
        states.call("compare", "anna", left=f"{ANNA}@1:a.txt", right=ANNA)


def test_states_of_different_instances_are_compared(states: Campus) -> None:
    assert set(compared_as_manager(states, "intro/ben", f"{ANNA}@1").values()) == {"added"}


def compared_as_manager(campus: Campus, left: str, right: str) -> dict[str, str]:
    found = campus.call("compare", left=left, right=right)
    return {one.path: one.difference.value for one in found.differences}


@pytest.mark.parametrize(
    ("left", "right", "kind", "shown"),
    [
        ("@1:a.txt", "@2:a.txt", "text", ["-two", "+TWO"]),
        ("@2:a.txt", ":a.txt", "text", ["+three"]),
        ("@1:n.ipynb", "@2:n.ipynb", "notebook", ["+2 + 2"]),
        ("@1:bin", "@2:bin", "binary", []),
        ("@1:a.txt", "@1:a.txt", "same", []),
        ("@1:new", "@2:new", "text", ["+n"]),
        ("@1:d/b.txt", "@2:d/b.txt", "text", ["-b"]),
        ("@1:\\xff\\xfe", "@2:a.txt", "text", ["-bytes", "+one", "+TWO"]),
    ],
)
def test_a_file_is_shown_line_by_line(
    states: Campus, left: str, right: str, kind: str, shown: list[str]
) -> None:
    found = states.call("diff", "anna", left=f"{ANNA}{left}", right=f"{ANNA}{right}")
    assert found.kind == kind
    lines = [
        line for line in found.unified.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")
    ]
    assert lines == shown or (kind == "notebook" and set(shown) <= set(lines))


@pytest.mark.parametrize(
    ("left", "right", "error"),
    [
        ("@1:missing", "@2:missing", NotFound),
        ("@1", "@2", InvalidInput),
        ("@1:a.txt", "@2", InvalidInput),
        ("@1:big", ":big", TooLarge),
        ("@1:empty", ":empty", InvalidInput),
        ("@1:link", ":link", InvalidInput),
    ],
)
def test_what_cannot_be_shown_line_by_line_says_why(
    states: Campus, left: str, right: str, error: type[NuvoError]
) -> None:
    with pytest.raises(error) as caught:
        states.call("diff", "anna", left=f"{ANNA}{left}", right=f"{ANNA}{right}")
    assert caught.value.code == error.code


def test_a_files_history_holds_the_snapshots_in_which_it_changed(states: Campus) -> None:
    def versions(path: str, **fields: Any) -> list[int]:
        return [
            one.snapshot.number for one in states.call("history", "anna", instance=ANNA, path=path, **fields)
        ]

    assert versions("a.txt") == [2, 1]
    assert versions("a.txt", limit=1) == [2]
    assert versions("a b") == [2, 1]
    assert versions("d/b.txt") == [1]
    assert versions("new") == [2]
    assert versions("\\xff\\xfe") == versions("@3:latest") == [1]
    assert versions("missing") == versions("empty") == []
    for path in ("../x", "/x"):
        with pytest.raises(InvalidInput):
            versions(path)


def test_a_deleted_snapshot_is_left_out_of_the_history(states: Campus) -> None:
    states.call("snapshot_delete", "anna", state=f"{ANNA}@1")
    try:
        found = states.call("history", "anna", instance=ANNA, path="a.txt")
        assert [one.snapshot.number for one in found] == [2]
        with pytest.raises(NuvoError) as caught:
            states.call("browse", "anna", state=f"{ANNA}@1")
        assert caught.value.code == "gone"
    finally:
        states.call("snapshot_recover", "anna", state=f"{ANNA}@1")


@pytest.mark.parametrize("made", ["fifo", "link out", "loop"])
def test_what_is_no_plain_file_is_neither_read_nor_followed(course: Campus, made: str) -> None:
    folder = course.workspace(ANNA)
    secret = course.folder / "secret"
    secret.write_text("secret")
    if made == "fifo":
        os.mkfifo(folder / "odd")
    elif made == "link out":
        (folder / "odd").symlink_to(secret)
    else:
        (folder / "odd").symlink_to("odd")
    with pytest.raises(InvalidInput):
        course.call("read", "anna", state=f"{ANNA}:odd")
    (folder / "outside").symlink_to(course.folder)
    with pytest.raises(NuvoError):
        course.call("read", "anna", state=f"{ANNA}:outside/secret")
    with pytest.raises(NuvoError):
        course.call("browse", "anna", state=f"{ANNA}:outside")
