"""What a lock and packages of conda could do that they must not: all of it is refused, and nothing changes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from nuvo_jupyter.model.errors import (
    ApplicationDamaged,
    PackageUnavailable,
)
from nuvo_jupyter.workspace.applications.applications import Applications, list_environments
from nuvo_jupyter.workspace.applications.conda import archives, locked

from .conftest import change_lock, moved
from .made import (
    BUILD,
    PLATFORM,
    make_package,
)


@pytest.mark.parametrize(
    "harm",
    [
        {"name": "../zlib"},
        {"version": "1/../3"},
        {"build": "h0 -x"},
        {"subdir": "win-64"},
        {"sha256": "0"},
        {"archive": "../app.json"},
        {"archive": "other-1.3-h0_0.conda"},
        {"url": "https://conda.example/other-1.3-h0_0.conda"},
        {"url": f"https://user:pw@conda.example/zlib-1.3-{BUILD}.conda"},
        {"url": f"https://conda.example/zlib-1.3-{BUILD}.conda?token=x"},
        {"url": f"file://elsewhere/zlib-1.3-{BUILD}.conda"},
        {"url": f"s3://bucket/zlib-1.3-{BUILD}.conda"},
        {"name": "fast", "version": "2.0"},
    ],
)
def test_a_lock_that_names_what_it_must_not_is_refused(harm: dict[str, object]) -> None:
    fast = {"name": "fast", "version": "2.0", "build": BUILD, "subdir": PLATFORM}
    zlib = {"name": "zlib", "version": "1.3", "build": BUILD, "subdir": "noarch", "sha256": "0" * 64}
    zlib |= {"url": f"https://conda.example/zlib-1.3-{BUILD}.conda", "archive": f"zlib-1.3-{BUILD}.conda"}
    content = {"platform": PLATFORM, "packages": [fast, zlib]}
    assert len(locked.read(json.dumps(content).encode()).wanted) == 1
    with pytest.raises(ApplicationDamaged):
        locked.read(json.dumps({**content, "packages": [fast, zlib | harm]}).encode())


@pytest.mark.parametrize("text", ["", "[]", "{", '{"platform": 1}', '{"platform": "../x", "packages": []}'])
def test_a_lock_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ApplicationDamaged):
        locked.read(text.encode())


def hostile(
    tmp_path: Path, channel: Path, science: Applications, **package: object
) -> tuple[Applications, Path]:
    """The application, with another package of the name zlib in the channel."""
    bob = moved(tmp_path, science)
    make = {"files": {"lib/libz.txt": "x"}, **package}
    path = make_package(channel, "zlib", "1.3", ending=".tar.bz2", **make)  # type: ignore[arg-type]
    change_lock(bob, "zlib", sha256=archives.sha256(path), size=0)
    return bob, path


@pytest.mark.parametrize(
    "package",
    [
        {"files": {"../../../escaped.txt": "x"}},
        {"files": {"/tmp/nuvo-escaped.txt": "x"}},
        {"listed": {"../../../escaped.txt": "x"}},
        {"listed": {"/tmp/nuvo-escaped.txt": "x"}},
        {"files": {"d": "->/tmp", "d/nuvo-escaped.txt": "x"}},
        {"files": {"d": "->../..", "e": "->d"}, "listed": {"e/escaped.txt": "x"}},
        {"named": "other"},
    ],
)
def test_a_package_that_places_files_elsewhere_is_refused(
    tmp_path: Path, channel: Path, science: Applications, package: dict[str, object]
) -> None:
    bob, _ = hostile(tmp_path, channel, science, **package)
    with pytest.raises(ApplicationDamaged, match="zlib"):
        bob.realise("science")
    assert not list(tmp_path.rglob("*escaped.txt"))
    assert not os.path.exists("/tmp/nuvo-escaped.txt")
    assert list_environments(bob.home, bob.kernels) == []


def test_a_package_that_places_files_through_another_ones_link_is_refused(
    tmp_path: Path, channel: Path, science: Applications
) -> None:
    outside = tmp_path / "Documents"
    outside.mkdir()
    make_package(channel, "fast", "2.0", {"d": f"->{outside}"}, depends=["python"])
    bob, _ = hostile(tmp_path, channel, science, files={"d/escaped.txt": "x"})
    change_lock(bob, "fast", sha256=archives.sha256(channel / PLATFORM / f"fast-2.0-{BUILD}.conda"), size=0)
    with pytest.raises(ApplicationDamaged, match="zlib"):
        bob.realise("science")
    assert list(outside.iterdir()) == []


def test_what_is_no_archive_is_refused(tmp_path: Path, channel: Path, science: Applications) -> None:
    bob, path = hostile(tmp_path, channel, science)
    path.write_bytes(b"no archive at all")
    change_lock(bob, "zlib", sha256=archives.sha256(path))
    with pytest.raises(ApplicationDamaged, match="zlib is none that can be installed"):
        bob.realise("science")
    path.unlink()
    os.mkfifo(path)
    change_lock(bob, "zlib", sha256="0" * 64)
    with pytest.raises(PackageUnavailable, match="zlib"):
        bob.realise("science")
