"""Definitions that are damaged or made to do harm, and disks that are full: refused, and what was there works."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nuvo_jupyter.model.applications import SettingsFile, SettingsStanding, Standing
from nuvo_jupyter.model.errors import (
    ApplicationDamaged,
    InvalidInput,
    NotFound,
    NuvoError,
    PythonUnsuitable,
    StorageFull,
)
from nuvo_jupyter.workspace.applications import definition, install, lock
from nuvo_jupyter.workspace.applications.applications import Applications
from nuvo_jupyter.workspace.applications.failures import failure, package_of
from nuvo_jupyter.workspace.applications.interpreter import ask, program_in
from nuvo_jupyter.workspace.applications.settings import Applied, apply_settings, compare_settings
from nuvo_jupyter.workspace.applications.wheel import sha256
from tests.faults.disks import small

from .made import Index, make_environment, make_wheel, packages_of
from .made import install as install_into
from .test_capture import with_kernel

SHA = "0" * 64
HEAD = 'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "alpha"\nversion = "1.0"\n'


def source(where: str, key: str = "archive") -> str:
    inside = f'{{ {where}, hashes = {{ sha256 = "{SHA}" }} }}'
    return HEAD + (f"archive = {inside}\n" if key == "archive" else f"wheels = [{inside}]\n")


BAD_LOCKS = {
    "not toml": "x = [",
    "no lock": "x = 1\n",
    "of the future": HEAD.replace("1.0", "9.0", 1) + "[[packages.wheels]]\n",
    "path outside": source('path = "../../alpha-1.0-py3-none-any.whl"'),
    "path in wheels that climbs": source('path = "wheels/../../alpha-1.0-py3-none-any.whl"'),
    "absolute path": source('path = "/etc/alpha-1.0-py3-none-any.whl"'),
    "another folder": source('path = "other/alpha-1.0-py3-none-any.whl"'),
    "no wheel": source('path = "wheels/alpha-1.0.tar.gz"'),
    "wheel of another package": source('path = "wheels/beta-1.0-py3-none-any.whl"'),
    "wheel of another version": source('path = "wheels/alpha-2.0-py3-none-any.whl"'),
    "file address": source('url = "file:///home/somebody/alpha-1.0-py3-none-any.whl"', "wheels"),
    "credentials": source('url = "https://u:p@host/alpha-1.0-py3-none-any.whl"', "wheels"),
    "address of no wheel": source('url = "https://host/alpha-1.0.tar.gz"', "wheels"),
    "source to build": HEAD
    + f'sdist = {{ url = "https://h/alpha-1.0.tar.gz", hashes = {{ sha256 = "{SHA}" }} }}\n',
    "directory": HEAD + 'directory = { path = "." }\n',
    "repository": HEAD + 'vcs = { type = "git", url = "https://h/x", commit-id = "abc" }\n',
    "no hash": HEAD + 'wheels = [{ url = "https://h/alpha-1.0-py3-none-any.whl", hashes = { md5 = "0" } }]\n',
    "nowhere": HEAD,
    "no version": source('path = "wheels/alpha-1.0-py3-none-any.whl"').replace('\nversion = "1.0"', ""),
    "bad index": source('url = "https://h/alpha-1.0-py3-none-any.whl"', "wheels") + 'index = "file:///x"\n',
    "twice": source('path = "wheels/alpha-1.0-py3-none-any.whl"')
    + source('path = "wheels/alpha-1.0-py3-none-any.whl"').partition('created-by = "x"\n')[2],
}


@pytest.mark.parametrize("which", BAD_LOCKS)
def test_locks_that_name_what_is_not_to_be_installed(which: str) -> None:
    with pytest.raises(ApplicationDamaged):
        lock.read(BAD_LOCKS[which].encode())


def test_a_lock_that_is_none_too_large() -> None:
    with pytest.raises(ApplicationDamaged, match="too large"):
        lock.read(b"#" * (lock.LOCK_MAX + 1))


def test_what_is_written_is_read_again() -> None:
    entries = [
        lock.Entry(
            name="alpha", version="1.0", files=(lock.File(sha256=SHA, wheel="alpha-1.0-py3-none-any.whl"),)
        ),
        lock.Entry(
            name="beta",
            version="2.0",
            files=(lock.File(sha256=SHA, url="https://h/s/beta-2.0-py3-none-any.whl", size=3),),
            index="https://h/simple",
        ),
    ]
    assert lock.read(lock.write(reversed(entries), "3.11")) == entries


@pytest.fixture
def realised(tmp_path: Path, index: Index, applications: Applications) -> Applications:
    """An application with a package of an index and a local one, in use."""
    local = make_wheel(tmp_path / "local", "gamma", "1.0")
    applications.add(
        "science", with_kernel(make_environment(tmp_path / "env", "alpha==1.0", local, index=index))
    )
    applications.realise("science")
    return applications


def tampered_wheel(folder: Path) -> None:
    (wheel,) = (folder / "wheels").iterdir()
    wheel.write_bytes(wheel.read_bytes() + b"x")


def missing_wheel(folder: Path) -> None:
    shutil.rmtree(folder / "wheels")


def linked_wheel(folder: Path) -> None:
    (wheel,) = (folder / "wheels").iterdir()
    moved = wheel.rename(folder.parents[2] / "elsewhere.whl")
    wheel.symlink_to(moved)


def linked_folder(folder: Path) -> None:
    moved = (folder / "wheels").rename(folder.parents[2] / "elsewhere")
    (folder / "wheels").symlink_to(moved)


def pipe_for_wheel(folder: Path) -> None:
    (wheel,) = (folder / "wheels").iterdir()
    wheel.unlink()
    os.mkfifo(wheel)


def no_app(folder: Path) -> None:
    (folder / "app.json").unlink()


def pipe_for_app(folder: Path) -> None:
    (folder / "app.json").unlink()
    os.mkfifo(folder / "app.json")


def linked_app(folder: Path) -> None:
    moved = (folder / "app.json").rename(folder.parent / "elsewhere")
    (folder / "app.json").symlink_to(moved)


def app_of_the_future(folder: Path) -> None:
    content = json.loads((folder / "app.json").read_text())
    (folder / "app.json").write_text(json.dumps({**content, "format": 99}))


def app_that_is_none(folder: Path) -> None:
    (folder / "app.json").write_text("[]")


def two_locks(folder: Path) -> None:
    shutil.copyfile(folder / "pylock.science.toml", folder / "pylock.b.toml")


def kernel_that_is_none(folder: Path) -> None:
    (folder / "kernel.json.in").write_text('{"argv": "rm -rf"}')


@pytest.mark.parametrize(
    "harm",
    [
        tampered_wheel,
        missing_wheel,
        linked_wheel,
        linked_folder,
        pipe_for_wheel,
        no_app,
        pipe_for_app,
        linked_app,
        app_of_the_future,
        app_that_is_none,
        two_locks,
        kernel_that_is_none,
    ],
)
def test_a_damaged_definition_changes_nothing(
    tmp_path: Path, realised: Applications, harm: Callable[[Path], None]
) -> None:
    harm(realised.folder("science"))
    elsewhere = Applications(tmp_path / "home2", realised.workspace, "Physics", kernels=tmp_path / "kernels2")
    with pytest.raises(ApplicationDamaged):
        elsewhere.realise("science")
    assert not (tmp_path / "kernels2").exists()
    assert not list((tmp_path / "home2").glob("environments/[!.]*"))
    spec = json.loads((tmp_path / "kernels/nuvo-physics-science/kernel.json").read_text())
    assert packages_of(Path(spec["argv"][0]).parents[1]) == {"alpha": "1.0", "gamma": "1.0"}


def test_a_file_on_the_index_that_was_exchanged_is_refused(
    tmp_path: Path, realised: Applications, index: Index, alone: Path
) -> None:
    (on_index,) = (index.folder / "simple/alpha").glob("alpha-1.0*")
    on_index.write_bytes(make_wheel(tmp_path / "evil", "alpha", "1.0", {"alpha/evil.py": ""}).read_bytes())
    shutil.rmtree(alone)
    elsewhere = Applications(tmp_path / "home2", realised.workspace, "Physics", kernels=tmp_path / "kernels2")
    with pytest.raises(ApplicationDamaged, match="alpha is not what was captured"):
        elsewhere.realise("science")


def test_a_wheel_whose_files_climb_out_writes_nothing_there(tmp_path: Path, index: Index) -> None:
    evil = make_wheel(tmp_path / "evil", "omega", "1.0", {"../../../../../../../../escaped.py": "x = 1\n"})
    entry = lock.Entry(name="omega", version="1.0", files=(lock.File(sha256=sha256(evil), wheel=evil.name),))
    folder = tmp_path / "definition"
    (folder / "wheels").mkdir(parents=True)
    shutil.copy(evil, folder / "wheels")
    base = ask(program_in(make_environment(tmp_path / "env")))
    with pytest.raises(ApplicationDamaged, match="outside its folder"):
        install.build(tmp_path / "home", folder, [entry], base, offline=True)
    assert not list(tmp_path.rglob("escaped.py"))
    assert not os.path.exists("/escaped.py")


def test_wheels_for_another_platform_are_refused(tmp_path: Path, realised: Applications) -> None:
    path = realised.folder("science") / "pylock.science.toml"
    path.write_text(path.read_text().replace("alpha-1.0-py3-none-any", "alpha-1.0-cp27-cp27m-win32"))
    elsewhere = Applications(tmp_path / "home2", realised.workspace, "Physics", kernels=tmp_path / "kernels2")
    with pytest.raises(PythonUnsuitable, match="alpha"):
        elsewhere.realise("science")


def test_a_full_disk_leaves_the_old_environment(tmp_path: Path, realised: Applications, index: Index) -> None:
    noise = os.urandom(3 << 20).hex()
    big = make_wheel(tmp_path / "big", "omega", "1.0", {"omega/data.txt": noise})
    realised.add("large", with_kernel(make_environment(tmp_path / "env2", big)), offline=True)
    shutil.rmtree(realised.folder("science"))
    shutil.copytree(realised.folder("large"), realised.folder("science"))
    home = tmp_path / "tiny"
    with small(home):
        here = Applications(home, realised.workspace, "Physics", kernels=tmp_path / "kernels")
        with pytest.raises(StorageFull):
            here.realise("science", offline=True)
    spec = json.loads((tmp_path / "kernels/nuvo-physics-science/kernel.json").read_text())
    assert packages_of(Path(spec["argv"][0]).parents[1]) == {"alpha": "1.0", "gamma": "1.0"}


def test_a_full_disk_during_a_capture_leaves_the_old_definition(tmp_path: Path, index: Index) -> None:
    workspace = tmp_path / "small"
    with small(workspace):
        here = Applications(tmp_path / "home", workspace, "Physics", kernels=tmp_path / "kernels")
        environment = with_kernel(make_environment(tmp_path / "env", "alpha==1.0", index=index))
        here.add("science", environment, seal=True)
        before = {
            path.name: path.read_bytes() for path in here.folder("science").rglob("*") if path.is_file()
        }
        noise = os.urandom(3 << 20).hex()
        install_into(environment, make_wheel(tmp_path / "big", "omega", "1.0", {"omega/data.txt": noise}))
        with pytest.raises(StorageFull):
            here.refresh("science")
        # So a snapshot of the rest can be taken all the same.
        assert here.refresh_all() == {"science": Standing.FAILED}
        assert {
            path.name: path.read_bytes() for path in here.folder("science").rglob("*") if path.is_file()
        } == before
        assert here.show("science").packages[0].name == "alpha"


@pytest.mark.parametrize("inside", ["wheels", "settings", "logos", "settings/@jupyterlab"])
def test_links_in_a_definition_do_not_lead_out_of_it(
    tmp_path: Path, realised: Applications, inside: str, index: Index
) -> None:
    documents = tmp_path / "Documents"
    documents.mkdir()
    (documents / "thesis.txt").write_text("years of work")
    link = realised.folder("science") / inside
    shutil.rmtree(link, ignore_errors=True)
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(documents)
    realised.refresh("science", force=True)
    assert os.listdir(documents) == ["thesis.txt"]
    assert not link.is_symlink()


def test_a_way_through_links_is_not_taken(tmp_path: Path, realised: Applications) -> None:
    moved = (realised.workspace / ".nuvo").rename(tmp_path / "moved")
    (realised.workspace / ".nuvo").symlink_to(moved)
    for attempt in (realised.refresh, realised.realise, realised.delete, realised.show):
        with pytest.raises(ApplicationDamaged):
            attempt("science")
    assert (moved / "applications/science/app.json").is_file()


def test_what_is_no_application(applications: Applications) -> None:
    with pytest.raises(NotFound):
        applications.realise("none")
    with pytest.raises(InvalidInput):
        applications.realise("../none")
    with pytest.raises(NotFound):
        applications.refresh("none")


def test_settings_stay_in_their_folder(tmp_path: Path) -> None:
    folder, target = tmp_path / "definition", tmp_path / "lab"
    inside = folder / definition.SETTINGS / "@jupyterlab/apputils-extension"
    inside.mkdir(parents=True)
    (inside / "themes.jupyterlab-settings").write_text("{}")
    (folder / definition.SETTINGS / "evil.sh").write_text("x")
    (folder / definition.SETTINGS / "plugin").symlink_to(tmp_path)
    themes = "@jupyterlab/apputils-extension/themes.jupyterlab-settings"
    now = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    assert compare_settings(folder, target) == (SettingsFile(path=themes, standing=SettingsStanding.NEW),)
    assert apply_settings(folder, target, now) == Applied(written=(themes,))
    assert compare_settings(folder, target)[0].standing is SettingsStanding.SAME
    assert apply_settings(folder, target, now) == Applied()
    mine = target / themes
    mine.write_text('{"theme": "mine"}')
    assert compare_settings(folder, target)[0].standing is SettingsStanding.DIFFERENT
    backup = f"{themes}.2026-03-01-123000-000000.backup"
    assert apply_settings(folder, target, now) == Applied(written=(themes,), backups=(backup,))
    assert mine.read_text() == "{}"
    assert (target / backup).read_text() == '{"theme": "mine"}'
    assert sorted(path.name for path in target.rglob("*.*")) == [mine.name, Path(backup).name]


@pytest.mark.parametrize("linked", ["file", "folder"])
def test_settings_are_not_written_through_links(tmp_path: Path, linked: str) -> None:
    themes = "@jupyterlab/apputils-extension/themes.jupyterlab-settings"
    carried = tmp_path / "definition" / definition.SETTINGS / themes
    carried.parent.mkdir(parents=True)
    carried.write_text("{}")
    target, outside = tmp_path / "lab", tmp_path / "outside"
    outside.mkdir()
    (outside / "themes.jupyterlab-settings").write_text("outside")
    way = target / themes if linked == "file" else (target / themes).parent
    way.parent.mkdir(parents=True)
    way.symlink_to(outside / "themes.jupyterlab-settings" if linked == "file" else outside)
    assert apply_settings(tmp_path / "definition", target, datetime.now(UTC)) == Applied(kept=(themes,))
    assert way.is_symlink()
    assert [path.read_text() for path in outside.iterdir()] == ["outside"]


@pytest.mark.parametrize(
    ("text", "package", "error"),
    [
        (
            "error: Failed to download `numpy==2.0`\n  cause: No space left on device (os error 28)",
            "numpy",
            StorageFull,
        ),
        ("error: Failed to install: numpy-2.0.whl\n  cause: Disk quota exceeded", None, StorageFull),
        ("error: something nobody expected", None, NuvoError),
    ],
)
def test_what_uv_says_becomes_an_error(text: str, package: str | None, error: type[NuvoError]) -> None:
    assert package_of(text) == package
    found = failure(text, offline=False)
    assert isinstance(found, error)
    assert package is None or package in found.message
