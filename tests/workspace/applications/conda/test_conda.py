"""Environments of conda: captured with hashes, and built again from a channel, from conda's cache, or from themselves."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from nuvo_jupyter.model.applications import PackageChangeKind, Standing
from nuvo_jupyter.model.errors import (
    ApplicationDamaged,
    Cancelled,
    EnvironmentFailed,
    PackageUnavailable,
    PythonUnsuitable,
)
from nuvo_jupyter.workspace.applications import known
from nuvo_jupyter.workspace.applications.applications import Applications, list_environments, remove_unused
from nuvo_jupyter.workspace.applications.compare import compare
from nuvo_jupyter.workspace.applications.conda import archives

from ..made import Index, make_environment
from ..made import install as pip_install
from ..test_capture import problems, text_of, with_kernel
from .conftest import LOCK, change_lock, files_of, lock_of, moved, says
from .made import (
    BUILD,
    MINOR,
    PLATFORM,
    install,
    make_package,
    python_files,
)


def test_what_conda_installed_is_locked_beside_what_pip_did(science: Applications, channel: Path) -> None:
    shown = science.show("science")
    assert shown.definition.complete, shown.definition.problems
    assert shown.definition.conda
    locked = lock_of(science)
    assert sorted(locked) == ["fast", "ipykernel", "pure", "python", "zlib"]
    archive = channel / PLATFORM / f"zlib-1.3-{BUILD}.tar.bz2"
    assert locked["zlib"]["url"] == archive.as_uri()
    assert locked["zlib"]["sha256"] == hashlib.sha256(archive.read_bytes()).hexdigest()
    assert (locked["zlib"]["build"], locked["zlib"]["subdir"]) == (BUILD, PLATFORM)
    assert locked["pure"]["subdir"] == "noarch"
    pylock = (science.folder("science") / "pylock.science.toml").read_text()
    assert 'name = "alpha"' in pylock
    assert "pure" not in pylock
    assert {one.name for one in shown.packages} == {*locked, "alpha"}
    assert science.refresh("science") is Standing.UNCHANGED


def test_built_again_from_its_channel_without_a_network(
    tmp_path: Path, science: Applications, index: Index
) -> None:
    index.stop_serving()
    bob = moved(tmp_path, science)
    told: list[tuple[int, int, str]] = []
    done = bob.realise("science", offline=True, progress=lambda *said: told.append(said))
    prefix = Path(done.prefix)
    assert done.built
    assert done.packages == 6
    assert {text for _, _, text in told} >= {"verifying python", "installed zlib", "installing packages"}
    first, second = files_of(tmp_path / "env"), files_of(prefix)
    # Programs of pip's find their environment wherever it lies: uv writes them that way only for ours. And the
    # first line of a program must not be too long.
    differ = {path for path in first.keys() | second.keys() if first.get(path) != second.get(path)}
    assert differ <= {"bin/alpha", "bin/alpha-script", "bin/ztool", "CACHEDIR.TAG"}
    assert (prefix / "lib/z.pc").read_text() == f"prefix={prefix}\n"
    assert (
        says(prefix / "bin/python", "-c", "import sys, pure, fast, alpha; print(sys.prefix)") == f"{prefix}\n"
    )
    assert says(prefix / "bin/ztool") == f"{prefix}\n"
    assert says(prefix / "bin/alpha") == "1.0\n"
    assert not (prefix / "pyvenv.cfg").exists()
    assert ".building" not in "".join((prefix / "bin" / name).read_text() for name in ("ztool", "alpha"))
    spec = json.loads((bob.kernels / done.kernel / "kernel.json").read_text())
    assert spec["display_name"] == "science (Physics)"
    assert spec["argv"][0] == f"{prefix}/bin/python"
    assert spec["env"]["CONDA_PREFIX"] == str(prefix)
    assert not bob.realise("science", offline=True).built


def test_a_refresh_after_it_says_the_same(tmp_path: Path, science: Applications) -> None:
    bob = moved(tmp_path, science)
    done = bob.realise("science")
    assert bob.refresh("science") is Standing.UNCHANGED
    os.utime(Path(done.prefix) / "lib/libz.txt")
    (Path(done.prefix) / "share/noted.txt").write_text("something a program wrote")
    assert bob.refresh("science") is Standing.UNCHANGED, text_of(bob.folder("science"))
    mine = {path.name: path.read_bytes() for path in bob.folder("science").rglob("*") if path.is_file()}
    theirs = {path.name: path.read_bytes() for path in science.folder("science").rglob("*") if path.is_file()}
    assert mine == theirs
    assert not bob.realise("science").built


def test_sealed_needs_no_channel_and_no_index(
    tmp_path: Path, science: Applications, channel: Path, index: Index, alone: Path
) -> None:
    assert science.refresh("science", seal=True) is Standing.REFRESHED
    shown = science.show("science")
    assert shown.definition.sealed
    assert shown.definition.complete
    inside = science.folder("science") / "conda"
    assert {path.name for path in inside.iterdir()} == {
        str(one["archive"]) for one in lock_of(science).values()
    }
    assert science.refresh("science") is Standing.UNCHANGED
    index.stop_serving()
    shutil.rmtree(channel)
    shutil.rmtree(alone)
    shutil.rmtree(tmp_path / "user-cache")
    bob = moved(tmp_path, science)
    done = bob.realise("science")
    assert says(Path(done.prefix) / "bin/python", "-c", "import pure, alpha; print(pure.version)") == "1.0\n"
    assert bob.refresh("science") is Standing.UNCHANGED
    assert {path.name for path in (bob.folder("science") / "conda").iterdir()} == {
        path.name for path in inside.iterdir()
    }
    assert bob.refresh("science", seal=False) is Standing.REFRESHED
    assert not (bob.folder("science") / "conda").exists()


def test_an_archive_of_the_definition_that_was_tampered_with_is_refused(
    tmp_path: Path, science: Applications
) -> None:
    science.refresh("science", seal=True)
    bob = moved(tmp_path, science)
    archive = bob.folder("science") / "conda" / f"pure-1.0-{BUILD}.conda"
    archive.write_bytes(archive.read_bytes()[:-1] + b"x")
    with pytest.raises(ApplicationDamaged, match="conda package pure is not what was captured"):
        bob.realise("science")
    assert list_environments(bob.home, bob.kernels) == []
    assert not bob.kernels.exists()


def test_an_archive_of_the_channel_that_was_exchanged_is_refused_and_the_old_environment_works(
    tmp_path: Path, science: Applications, channel: Path
) -> None:
    bob = moved(tmp_path, science)
    first = bob.realise("science")
    before = known.load(bob.home, bob.workspace, "science")
    change_lock(bob, "zlib", sha256="0" * 64)
    make_package(channel, "zlib", "1.3", {"lib/libz.txt": "evil"}, ending=".tar.bz2")
    with pytest.raises(ApplicationDamaged, match="conda package zlib is not what was captured"):
        bob.realise("science")
    assert known.load(bob.home, bob.workspace, "science") == before
    spec = json.loads((bob.kernels / first.kernel / "kernel.json").read_text())
    assert says(Path(spec["argv"][0]), "-c", "import alpha; print(alpha.version)") == "1.0\n"
    assert bob.refresh("science") is Standing.PENDING


def test_a_package_that_left_its_channel_is_named(
    tmp_path: Path, science: Applications, channel: Path
) -> None:
    (channel / "noarch" / f"pure-1.0-{BUILD}.conda").unlink()
    bob = moved(tmp_path, science)
    with pytest.raises(PackageUnavailable, match=r"conda package pure 1\.0 is no longer in its channel"):
        bob.realise("science")
    assert list_environments(bob.home, bob.kernels) == []


def test_what_was_built_once_is_built_again_without_the_channel(
    tmp_path: Path, science: Applications, channel: Path
) -> None:
    bob = moved(tmp_path, science)
    first = Path(bob.realise("science").prefix)
    shutil.rmtree(channel)
    # In place: the file that it is a link of in the home changes with it.
    (first / "lib/libz.txt").write_text("changed")
    second = bob.realise("science", offline=True)
    assert second.built
    assert second.prefix != str(first)
    assert (Path(second.prefix) / "lib/libz.txt").read_text() == "zlib"
    assert (first / "lib/libz.txt").read_text() == "changed"


def test_archives_in_the_cache_of_conda_are_used(
    tmp_path: Path, science: Applications, channel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "pkgs"
    cache.mkdir()
    for path in channel.rglob("*"):
        if path.name.endswith((".conda", ".tar.bz2")):
            shutil.move(path, cache)
    broken = cache / f"pure-1.0-{BUILD}.conda"
    whole = broken.read_bytes()
    broken.write_bytes(b"half of it")
    monkeypatch.setenv("CONDA_PKGS_DIRS", str(cache))
    bob = moved(tmp_path, science)
    with pytest.raises(PackageUnavailable, match="pure"):
        bob.realise("science", offline=True)
    broken.write_bytes(whole)
    assert bob.realise("science", offline=True).built


def test_packages_come_from_a_channel_elsewhere_and_what_is_wrong_with_it_is_said(
    tmp_path: Path, channel: Path, index: Index, applications: Applications, alone: Path
) -> None:
    environment = install(channel, tmp_path / "env", "python", "pure", "ipykernel")
    shutil.move(channel / "noarch", index.folder)
    base = index.url.removesuffix("/simple")
    record = environment / "conda-meta" / f"pure-1.0-{BUILD}.json"
    content = json.loads(record.read_text())
    content["url"] = f"{base.replace('//', '//user:s3cr3t@')}/t/t0k3n/noarch/pure-1.0-{BUILD}.conda"
    record.write_text(json.dumps(content))
    applications.add("science", environment)
    assert lock_of(applications)["pure"]["url"] == f"{base}/noarch/pure-1.0-{BUILD}.conda"
    assert "s3cr3t" not in text_of(applications.folder("science"))
    assert "t0k3n" not in text_of(applications.folder("science"))
    bob = moved(tmp_path, applications)
    with pytest.raises(PackageUnavailable, match="pure is not on this machine"):
        bob.realise("science", offline=True)
    archive = index.folder / "noarch" / f"pure-1.0-{BUILD}.conda"
    whole = archive.read_bytes()
    archive.write_bytes(whole[:-1] + b"x")
    with pytest.raises(ApplicationDamaged, match="pure is not what was captured"):
        bob.realise("science")
    archive.write_bytes(whole + b"more")
    with pytest.raises(ApplicationDamaged, match="pure is not what was captured"):
        bob.realise("science")
    archive.unlink()
    with pytest.raises(PackageUnavailable, match="pure is no longer in its channel"):
        bob.realise("science")
    archive.write_bytes(whole)
    assert bob.realise("science").built
    # Sealing downloads what conda's cache does not have.
    shutil.rmtree(tmp_path / "user-cache")
    applications.refresh("science", seal=True, offline=True)
    assert "still needed from its channel" in problems(applications, "science")["pure"]
    applications.refresh("science", force=True)
    assert applications.show("science").definition.sealed
    index.stop_serving()
    change_lock(bob, "pure", sha256="0" * 64)
    with pytest.raises(PackageUnavailable, match="pure could not be downloaded"):
        bob.realise("science")


def test_without_the_extra_it_says_what_to_install(
    tmp_path: Path, science: Applications, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = moved(tmp_path, science)
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "rattler" else find(name))
    with pytest.raises(EnvironmentFailed) as raised:
        bob.realise("science")
    assert raised.value.hint == 'pip install "nuvo-jupyter[conda]"'
    assert list_environments(bob.home, bob.kernels) == []
    assert science.refresh("science", force=True) is Standing.UNCHANGED


def test_nothing_of_it_is_imported_before_it_is_needed() -> None:
    text = (
        "import sys, nuvo_jupyter.workspace.applications.applications, nuvo_jupyter.workspace.applications.conda.placing\n"
        "print('rattler' in sys.modules)"
    )
    assert says(Path(sys.executable), "-c", text) == "False\n"


def test_another_platform_is_refused(tmp_path: Path, science: Applications) -> None:
    bob = moved(tmp_path, science)
    path = bob.folder("science") / "app.json"
    content = json.loads(path.read_text())
    content["python"]["machine"] = "riscv64"
    path.write_text(json.dumps(content))
    for any_python in (False, True):
        with pytest.raises(PythonUnsuitable, match="It was made on linux riscv64"):
            bob.realise("science", any_python=any_python)
    path.write_text((science.folder("science") / "app.json").read_text())
    lock = bob.folder("science") / LOCK
    lock.write_text(lock.read_text().replace(f'"{PLATFORM}"', '"win-64"'))
    with pytest.raises(PythonUnsuitable, match="It was made on win-64"):
        bob.realise("science")
    assert list_environments(bob.home, bob.kernels) == []


def test_another_python_here_does_not_matter(tmp_path: Path, science: Applications) -> None:
    bob = moved(tmp_path, science, "bob and carla")
    path = bob.folder("science") / "app.json"
    path.write_text(path.read_text().replace(f'"version": "{sys.version_info.major}.', '"version": "9.'))
    done = bob.realise("science")
    # Nor do spaces in the way there.
    assert says(Path(done.prefix) / "bin/ztool") == f"{done.prefix}\n"


def test_cancelled_and_killed_in_the_middle_leave_nothing(tmp_path: Path, science: Applications) -> None:
    bob = moved(tmp_path, science)
    seen: list[str] = []

    def stop() -> None:
        if any(text.startswith("installed") for text in seen):
            raise Cancelled("cancelled")

    with pytest.raises(Cancelled):
        bob.realise("science", check=stop, progress=lambda _done, _all, text: seen.append(text))
    assert list_environments(bob.home, bob.kernels) == []
    script = (
        "import os, signal, sys\nfrom pathlib import Path\n"
        "from nuvo_jupyter.workspace.applications.applications import Applications\n"
        "home, workspace, kernels = map(Path, sys.argv[1:])\n"
        "def kill(done, total, text):\n    text.startswith('installed') and os.kill(os.getpid(), signal.SIGKILL)\n"
        "Applications(home, workspace, 'Physics', kernels=kernels).realise('science', progress=kill)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, bob.home, bob.workspace, bob.kernels], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert list_environments(bob.home, bob.kernels) == []
    done = bob.realise("science")
    assert says(Path(done.prefix) / "bin/ztool") == f"{done.prefix}\n"
    assert not list((bob.home / "environments").glob(".*.building"))


def test_unused_archives_go_with_the_environment(tmp_path: Path, science: Applications) -> None:
    bob = moved(tmp_path, science)
    bob.realise("science")
    kept = bob.home / "environments" / ".conda"
    assert len(list(kept.iterdir())) == 5
    assert remove_unused(bob.home, bob.kernels) == []
    assert len(list(kept.iterdir())) == 5
    bob.delete("science")
    assert len(remove_unused(bob.home, bob.kernels)) == 1
    assert list(kept.iterdir()) == []
    assert not list((bob.home / "environments" / ".conda-unpacked").glob("[!.]*"))


def test_why_it_is_not_complete_is_said(tmp_path: Path, channel: Path, applications: Applications) -> None:
    scripted = {"bin/.scripted-post-link.sh": "exit 1\n", "share/scripted.txt": "x"}
    make_package(channel, "scripted", "1", scripted)
    names = ["python", "zlib", "pure", "fast", "scripted"]
    environment = install(channel, tmp_path / "env", *names)
    meta = environment / "conda-meta"
    (meta / "broken.json").write_text("{")
    (environment / "lib/libz.txt").write_text("edited")
    for name, harm in (("pure-1.0", {"url": None}), ("fast-2.0", {"sha256": None})):
        record = meta / f"{name}-{BUILD}.json"
        record.write_text(json.dumps({**json.loads(record.read_text()), **harm}))
    shutil.rmtree(tmp_path / "user-cache")
    shown = applications.add("science", environment)
    assert not shown.definition.complete
    said = problems(applications, "science")
    assert "lib/libz.txt" in said["zlib"]
    assert "no channel" in said["pure"]
    assert "no SHA-256" in said["fast"]
    assert "script" in said["scripted"]
    locked = {one.package: one.locked for one in shown.definition.problems}
    assert (locked["zlib"], locked["scripted"]) == (True, True)
    assert (locked["pure"], locked["fast"]) == (False, False)
    assert any("broken.json" in one.reason for one in shown.definition.problems if not one.package)
    done = applications.realise("science")
    # What can be had is there, and no script has run: this one would have failed.
    assert (Path(done.prefix) / "share/scripted.txt").is_file()
    assert not (Path(done.prefix) / f"lib/python{MINOR}/site-packages/pure").exists()


def test_conda_s_cache_tells_what_its_record_does_not(
    tmp_path: Path, channel: Path, applications: Applications
) -> None:
    environment = install(channel, tmp_path / "env", "python", "pure", "fast", "ipykernel")
    cache = tmp_path / "pkgs"
    cache.mkdir()
    for name, subdir, harm in (("pure-1.0", "noarch", "url"), ("fast-2.0", PLATFORM, "sha256")):
        archive = Path(shutil.move(channel / subdir / f"{name}-{BUILD}.conda", cache))
        record = environment / "conda-meta" / f"{name}-{BUILD}.json"
        content = json.loads(record.read_text()) | {harm: None, "package_tarball_full_path": str(archive)}
        content["md5"] = hashlib.md5(archive.read_bytes()).hexdigest()
        record.write_text(json.dumps(content))
    shown = applications.add("science", environment)
    assert shown.definition.complete, shown.definition.problems
    locked = lock_of(applications)
    # In no channel, so it comes along; the other one's hash is that of the archive it came from.
    assert locked["pure"]["archive"] == f"pure-1.0-{BUILD}.conda"
    assert locked["fast"]["sha256"] == archives.sha256(cache / f"fast-2.0-{BUILD}.conda")
    assert "archive" not in locked["fast"]
    shutil.move(cache / f"fast-2.0-{BUILD}.conda", channel / PLATFORM)
    shutil.rmtree(cache)
    assert moved(tmp_path, applications).realise("science").built
    assert applications.refresh("science", force=True) is Standing.UNCHANGED


def test_pip_over_conda_wins(tmp_path: Path, channel: Path, index: Index, applications: Applications) -> None:
    make_package(channel, "alpha", "0.5", python_files("alpha", "0.5"), noarch="python", depends=["python"])
    environment = install(channel, tmp_path / "env", "python", "alpha", "ipykernel")
    pip_install(environment, "alpha==2.0", index=index)
    shown = applications.add("science", environment)
    assert shown.definition.complete, shown.definition.problems
    assert {one.name: one.version for one in shown.packages}["alpha"] == "2.0"
    done = moved(tmp_path, applications).realise("science")
    assert says(Path(done.prefix) / "bin/python", "-c", "import alpha; print(alpha.version)") == "2.0\n"


def test_conda_packages_beside_a_python_that_is_not_conda_s(
    tmp_path: Path, channel: Path, index: Index, applications: Applications
) -> None:
    environment = with_kernel(make_environment(tmp_path / "env", "alpha==1.0", index=index))
    install(channel, environment, "zlib")
    shown = applications.add("science", environment)
    assert shown.definition.complete, shown.definition.problems
    done = moved(tmp_path, applications).realise("science")
    assert says(Path(done.prefix) / "bin/ztool") == f"{done.prefix}\n"
    assert says(Path(done.prefix) / "bin/alpha") == "1.0\n"


def test_a_preview_shows_what_changes_of_conda_s(tmp_path: Path, science: Applications) -> None:
    bob = moved(tmp_path, science)
    (archive,) = [f"zlib-1.4-{BUILD}.conda"]
    change_lock(bob, "zlib", version="1.4", url=f"https://conda.example/{PLATFORM}/{archive}")
    changes = compare(science.folder("science"), bob.folder("science")).packages
    assert [(one.name, one.kind, one.before, one.after) for one in changes] == [
        ("zlib", PackageChangeKind.UPGRADED, "1.3", "1.4")
    ]
    # It brings its own Python, but no other platform.
    python = msgspec.structs.replace(bob.show("science").definition.python, version="3.99.1")
    assert compare(None, bob.folder("science"), python).warnings == ()
    (said,) = compare(
        None, bob.folder("science"), msgspec.structs.replace(python, machine="riscv64")
    ).warnings
    assert "this is linux riscv64" in said
