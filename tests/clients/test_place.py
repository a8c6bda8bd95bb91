"""What names and paths mean in a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from nuvo_jupyter.clients.local import LocalTransport
from nuvo_jupyter.clients.methods import Client
from nuvo_jupyter.clients.place import Place
from nuvo_jupyter.engine.settings import Nuvo
from nuvo_jupyter.model.errors import InvalidPath, NotFound


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("place") / "course"
    (made / "week 1").mkdir(parents=True)
    (made / "week 1" / os.fsdecode(b"caf\xe9.txt")).touch()
    return made


@pytest.fixture(scope="module")
def client(root: Path) -> Iterator[Client]:
    with Client(LocalTransport(Nuvo(home=str(root.parent / "home")))) as made:
        made.space_create(name="intro", workspace=str(root))
        yield made


@pytest.fixture
def place(client: Client, root: Path) -> Place:
    return Place(client, str(root / "week 1"))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("", "intro/master"),
        ("@3", "intro/master@3"),
        (":week 1/a.txt", "intro/master:week 1/a.txt"),
        ("3", "intro/master@3"),
        ("3:a.txt", "intro/master@3:a.txt"),
        ("latest", "intro/master@latest"),
        ("current", "intro/master@current"),
        ("2026-11-20", "intro/master@2026-11-20"),
        ("anna", "intro/anna"),
        ("anna:a.txt", "intro/anna:a.txt"),
        ("anna@3:a.txt", "anna@3:a.txt"),
        ("other/anna", "other/anna"),
    ],
)
def test_states(place: Place, typed: str, meant: str) -> None:
    assert place.state(typed) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("first", "intro/master@first"), ("3", "intro/master@3"), ("@3", "intro/master@3"), ("x/y@2", "x/y@2")],
)
def test_snapshots(place: Place, typed: str, meant: str) -> None:
    assert place.snapshot(typed) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (".", "week 1"),
        ("..", ""),
        ("a.txt", "week 1/a.txt"),
        ("../b.txt", "b.txt"),
        ("./x//y/", "week 1/x/y"),
        (os.fsdecode(b"caf\xe9.txt"), "week 1/caf\\xe9.txt"),
        ("caf\\xe9.txt", "week 1/caf\\xe9.txt"),
        ("-dash", "week 1/-dash"),
        ("line\nbreak", "week 1/line\nbreak"),
    ],
)
def test_paths(place: Place, typed: str, meant: str) -> None:
    assert place.path(typed) == meant


def test_a_name_really_written_like_an_escape_goes_first(place: Place, root: Path) -> None:
    (root / "week 1" / "real\\x41.txt").touch()
    assert place.path("real\\x41.txt") == "week 1/real\\x5cx41.txt"


def test_absolute_paths(place: Place, root: Path) -> None:
    assert place.path(str(root / "b.txt")) == "b.txt"
    with pytest.raises(InvalidPath):
        place.path("/etc/passwd")


@pytest.mark.parametrize("typed", ["../..", "../../x", "../../course2/x"])
def test_paths_that_leave(place: Place, typed: str) -> None:
    with pytest.raises(InvalidPath):
        place.path(typed)


def test_a_folder_of_no_instance(client: Client, root: Path) -> None:
    place = Place(client, str(root.parent))
    assert not place.known
    with pytest.raises(NotFound, match="no instance yet"):
        place.state("@3")
    assert place.state("intro/master") == "intro/master"
