"""What a preview says about an application that takes another's place."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuvo_jupyter.model.applications import Definition, Package, PackageChangeKind, PackageProblem, Python
from nuvo_jupyter.workspace.applications import definition, lock
from nuvo_jupyter.workspace.applications.compare import compare, mismatch, packages
from nuvo_jupyter.workspace.applications.derived import conda_environment, requirements

HERE = Python(implementation="cpython", version="3.11.7", system="linux", machine="x86_64", libc="glibc")
KERNEL = '{"argv": ["{python}", "-m", "ipykernel_launcher", "-f", "{connection_file}"]}'


def write(folder: Path, versions: dict[str, str], kernel: str = KERNEL, **more: object) -> Path:
    entries = [
        lock.Entry(
            name=name,
            version=version,
            files=(
                lock.File(sha256="1" * 64, wheel=f"{name}-{version}-py3-none-any.whl")
                if name.startswith("my")
                else lock.File(sha256="0" * 64, url=f"https://h/{name}-{version}-py3-none-any.whl"),
            ),
        )
        for name, version in versions.items()
    ]
    app = msgspec.convert(
        {"name": folder.name, "python": msgspec.to_builtins(HERE), "complete": True, **more}, Definition
    )
    definition.write(folder, app, lock.write(entries, "3.11"), kernel, [], [], {}, {})
    return folder


def test_packages_added_removed_and_changed(tmp_path: Path) -> None:
    one = write(tmp_path / "one", {"a": "1.0", "b": "1.9", "c": "2.0", "d": "1"})
    two = write(tmp_path / "two", {"b": "1.10", "c": "1.0", "d": "1", "e": "5"})
    found = compare(one, two)
    assert [(change.name, change.kind.value, change.before, change.after) for change in found.packages] == [
        ("a", "removed", "1.0", None),
        ("b", "upgraded", "1.9", "1.10"),
        ("c", "downgraded", "2.0", "1.0"),
        ("e", "added", None, "5"),
    ]
    assert found.unchanged == 1
    assert not found.kernel
    assert found.warnings == ()
    assert [change.kind for change in compare(None, one).packages] == [PackageChangeKind.ADDED] * 4
    assert [change.kind for change in compare(one, None).packages] == [PackageChangeKind.REMOVED] * 4


def test_what_a_person_should_read_first(tmp_path: Path) -> None:
    one = write(tmp_path / "one", {"a": "1"})
    two = write(
        tmp_path / "two",
        {"a": "1"},
        kernel='{"argv": ["/bin/sh", "-c", "x"]}',
        python=msgspec.to_builtins(msgspec.structs.replace(HERE, version="3.13.1", machine="aarch64")),
        complete=False,
        problems=[msgspec.to_builtins(PackageProblem(package="z", reason="gone"))],
    )
    found = compare(one, two)
    assert found.kernel
    text = " ".join(found.warnings)
    for words in ("3.11 to cpython 3.13", "aarch64", "z will be missing", "/bin/sh -c x"):
        assert words in text
    assert any("here is Python 3.11" in warning for warning in compare(one, two, HERE).warnings)
    assert compare(two, one, HERE).warnings == ("Python changes from cpython 3.13 to cpython 3.11.",)
    assert compare(one, one, HERE).warnings == ()


@pytest.mark.parametrize(
    ("other", "fits"),
    [
        (HERE, True),
        (msgspec.structs.replace(HERE, version="3.11.0"), True),
        (msgspec.structs.replace(HERE, version="3.12.7"), False),
        (msgspec.structs.replace(HERE, libc="musl"), False),
        (msgspec.structs.replace(HERE, implementation="pypy"), False),
        (msgspec.structs.replace(HERE, system="darwin", libc=""), False),
    ],
)
def test_which_python_fits(other: Python, fits: bool) -> None:
    assert (mismatch(HERE, other) == []) is fits


VERSIONS = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["1.0", "1.1", "2.0"]))


@given(VERSIONS, VERSIONS)
def test_each_package_is_counted_once_and_back_is_the_reverse(
    one: dict[str, str], two: dict[str, str]
) -> None:
    def as_packages(versions: dict[str, str]) -> list[Package]:
        return [Package(name=name, version=version, hashes=(version,)) for name, version in versions.items()]

    changes, unchanged = packages(as_packages(one), as_packages(two))
    assert len(changes) + unchanged == len(one.keys() | two.keys())
    assert {change.name: (change.after, change.before) for change in changes} == {
        change.name: (change.before, change.after)
        for change in packages(as_packages(two), as_packages(one))[0]
    }


def test_an_environment_of_conda_is_derived(tmp_path: Path) -> None:
    folder = write(tmp_path / "ice", {"numpy": "2.0"})
    package = {
        "name": "python",
        "version": "3.11.7",
        "build": "h0_0",
        "subdir": "linux-64",
        "sha256": "0" * 64,
    }
    package["url"] = "https://conda.anaconda.org/bioconda/linux-64/python-3.11.7-h0_0.conda"
    (folder / "conda.lock.json").write_text(json.dumps({"platform": "linux-64", "packages": [package]}))
    assert conda_environment(folder) == (
        "name: ice\nchannels:\n  - bioconda\ndependencies:\n  - python=3.11.7=h0_0\n  - pip\n"
        '  - pip:\n      - "numpy==2.0"\n'
    ).replace('"', "")


def test_requirements_and_environment_are_derived(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "my app",
        {"numpy": "2.0", "other": "1.0"},
        complete=False,
        problems=[msgspec.to_builtins(PackageProblem(package="z", version="3", reason="it is\ngone"))],
    )
    text = requirements(folder)
    assert "numpy==2.0\n" in text
    assert "other==1.0\n" in text
    assert "# not captured: z 3: it is gone\n" in text
    local = write(tmp_path / "local", {"mypackage": "1.0"})
    assert "\nlib/mypackage-1.0-py3-none-any.whl\n" in requirements(local, "lib")
    assert conda_environment(local) == (
        "name: local\nchannels:\n  - conda-forge\ndependencies:\n  - python=3.11\n  - pip\n"
        "  - pip:\n      - ./wheels/mypackage-1.0-py3-none-any.whl\n"
    )
