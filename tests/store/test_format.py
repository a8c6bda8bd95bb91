"""The version a store bears: made, checked, and brought up."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from nuvo_jupyter.model.errors import NotFound, StoreDamaged
from nuvo_jupyter.store.backend import Backend, open_backend
from nuvo_jupyter.store.format import MIGRATIONS, VERSION, check_format


@pytest.fixture
def backend(tmp_path: Path) -> Backend:
    """A store of version 1 with something in it."""
    backend = open_backend(str(tmp_path / "store"))
    backend.put("packs/ab/one", b"first")
    return backend


def mark(folder: str, name: str, content: object) -> None:
    path = Path(folder, name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def test_every_version_has_a_migration() -> None:
    assert set(MIGRATIONS) == set(range(2, VERSION + 1))


def test_a_new_store_says_which_version_it_is(backend: Backend) -> None:
    assert json.loads(backend.get("format", 0, 100)) == {"format": "nuvo-store", "version": 1}
    again = open_backend(backend.url)
    assert again.get("packs/ab/one", 0, 9) == b"first"


def test_an_older_store_is_brought_up_step_by_step(backend: Backend) -> None:
    done: list[int] = []

    def step(number: int, place: Backend) -> None:
        place.put(f"new/{number}", b"made")
        done.append(number)

    migrations = {number: lambda place, n=number: step(n, place) for number in (2, 3)}
    check_format(backend, version=2, migrations=migrations)
    check_format(backend, version=3, migrations=migrations)
    check_format(backend, version=3, migrations=migrations)
    assert done == [2, 3]
    assert backend.get("packs/ab/one", 0, 9) == b"first"
    with pytest.raises(
        StoreDamaged, match="format version 3; this version of Nuvo reads up to version 1"
    ) as error:
        open_backend(backend.url)
    assert "upgrade" in str(error.value.hint)


def test_a_migration_that_is_broken_off_is_begun_again(backend: Backend) -> None:
    tries: list[int] = []

    def breaks_once(place: Backend) -> None:
        place.put("new/half", b"made")
        tries.append(1)
        if len(tries) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check_format(backend, version=2, migrations={2: breaks_once})
    # Not marked, so the older program still reads it.
    check_format(backend, version=1)
    check_format(backend, version=2, migrations={2: breaks_once})
    assert len(tries) == 2


def test_a_new_store_of_a_later_version_needs_no_migration(tmp_path: Path) -> None:
    backend = open_backend(str(tmp_path / "old"))
    os.unlink(tmp_path / "old" / "format")
    check_format(backend, version=3, migrations={})
    check_format(backend, version=3, migrations={})
    with pytest.raises(StoreDamaged):
        check_format(backend)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("format", {"format": "something else", "version": 1}),
        ("format", {"format": "nuvo-store", "version": "1"}),
        ("format", {"format": "nuvo-store", "version": 0}),
        ("format", "[" * 4000),
        ("format", ""),
        ("formats/2", {"format": "nuvo-store", "version": 3}),
        ("formats/two", {"format": "nuvo-store", "version": 2}),
    ],
)
def test_a_mark_that_says_something_else(backend: Backend, name: str, content: object) -> None:
    mark(backend.url, name, content)
    with pytest.raises(StoreDamaged, match="says something else"):
        open_backend(backend.url)


def test_a_version_yet_unknown(backend: Backend) -> None:
    mark(backend.url, "format", {"format": "nuvo-store", "version": 7})
    with pytest.raises(StoreDamaged, match="has format version 7"):
        open_backend(backend.url)


def test_packs_without_a_mark_are_left_alone(backend: Backend) -> None:
    os.unlink(Path(backend.url, "format"))
    with pytest.raises(StoreDamaged, match="has packs, but its file 'format' is missing"):
        open_backend(backend.url)


def test_what_is_only_read_is_not_written_to(backend: Backend, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(NotFound, match="no store"):
        open_backend(str(empty), make=False)
    assert not list(empty.iterdir())
    os.rmdir(Path(backend.url, "tmp"))
    assert open_backend(backend.url, make=False).get("packs/ab/one", 0, 9) == b"first"
    assert not Path(backend.url, "tmp").exists()
