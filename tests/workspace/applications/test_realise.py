"""Environments and kernels that come out of definitions."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nuvo_jupyter.model.applications import Standing
from nuvo_jupyter.model.errors import Cancelled, ConfirmationNeeded, PackageUnavailable, PythonUnsuitable
from nuvo_jupyter.workspace.applications import environments, kernel, known
from nuvo_jupyter.workspace.applications.applications import Applications, list_environments, remove_unused

from .conftest import instance
from .made import Index, make_environment, make_wheel, packages_of, site_of
from .test_capture import with_kernel


@pytest.fixture
def science(tmp_path: Path, index: Index, applications: Applications) -> Applications:
    """Anna's application, captured from an environment with a package of the index and a local one."""
    local = make_wheel(tmp_path / "local", "gamma", "1.0")
    applications.add(
        "science", with_kernel(make_environment(tmp_path / "env", "alpha==1.0", local, index=index))
    )
    shutil.rmtree(tmp_path / "local")
    return applications


def copy_to(source: Applications, target: Applications, name: str = "science") -> None:
    """What a delivery does."""
    shutil.rmtree(target.folder(name), ignore_errors=True)
    shutil.copytree(source.folder(name), target.folder(name))


def test_re_created_offline_with_its_kernel(tmp_path: Path, science: Applications) -> None:
    bob = instance(tmp_path, "bob")
    copy_to(science, bob)
    told: list[tuple[int, int, str]] = []
    done = bob.realise("science", offline=True, progress=lambda *said: told.append(said))
    assert done.built
    assert packages_of(Path(done.prefix)) == {"alpha": "1.0", "gamma": "1.0"}
    assert told[-1][:2] == (2, 2)
    spec = json.loads((tmp_path / "kernels" / done.kernel / "kernel.json").read_text())
    assert done.kernel == "nuvo-physics-science"
    assert spec["display_name"] == "science (Physics)"
    assert spec["argv"][0] == f"{done.prefix}/bin/python"
    for program in ("alpha", "gamma"):
        said = subprocess.run([f"{done.prefix}/bin/{program}"], capture_output=True, text=True, check=True)
        assert said.stdout == "1.0\n"
    said = subprocess.run([f"{done.prefix}/bin/gamma-script"], capture_output=True, text=True, check=True)
    assert said.stdout == "script\n"
    assert (Path(done.prefix) / "share/gamma/note.txt").read_text() == "note"
    assert not bob.show("science").pending
    assert bob.refresh("science") is Standing.UNCHANGED
    assert not bob.realise("science", offline=True).built


def test_a_refresh_after_it_says_the_same(tmp_path: Path, science: Applications) -> None:
    bob = instance(tmp_path, "bob")
    copy_to(science, bob)
    done = bob.realise("science", offline=True)
    os.utime(site_of(Path(done.prefix)) / "alpha/__init__.py")
    assert bob.refresh("science") is Standing.UNCHANGED
    mine = {path.name: path.read_bytes() for path in bob.folder("science").rglob("*") if path.is_file()}
    theirs = {path.name: path.read_bytes() for path in science.folder("science").rglob("*") if path.is_file()}
    assert mine == theirs


def test_others_share_the_environment_and_uv_links_its_files(tmp_path: Path, science: Applications) -> None:
    first = science.realise("science", offline=True)
    bob = instance(tmp_path, "bob")
    copy_to(science, bob)
    assert bob.realise("science", offline=True).prefix == first.prefix
    elsewhere = Applications(
        tmp_path / "home2", bob.workspace, "Physics", "bob", kernels=tmp_path / "kernels2"
    )
    second = elsewhere.realise("science", offline=True)
    assert second.prefix != first.prefix
    for package in ("alpha", "gamma"):
        one, two = (
            site_of(Path(prefix)) / package / "__init__.py" for prefix in (first.prefix, second.prefix)
        )
        assert one.stat().st_nlink > 1
        assert package == "gamma" or one.stat().st_ino == two.stat().st_ino


def test_downloaded_where_the_cache_does_not_have_it(
    tmp_path: Path, science: Applications, alone: Path
) -> None:
    shutil.rmtree(alone)
    with pytest.raises(PackageUnavailable, match="alpha"):
        science.realise("science", offline=True)
    assert list_environments(tmp_path / "home", tmp_path / "kernels") == []
    done = science.realise("science")
    assert packages_of(Path(done.prefix)) == {"alpha": "1.0", "gamma": "1.0"}


def test_a_package_that_was_withdrawn_is_named_and_the_old_environment_works(
    tmp_path: Path, science: Applications, index: Index, alone: Path
) -> None:
    first = science.realise("science", offline=True)
    other = with_kernel(make_environment(tmp_path / "other", "alpha==2.0", "beta==1.0", index=index))
    science.add("other", other)
    before = known.load(science.home, science.workspace, "science")
    copy_definition = science.folder("science")
    shutil.rmtree(copy_definition)
    shutil.copytree(science.folder("other"), copy_definition)
    index.withdraw("beta")
    shutil.rmtree(alone)
    with pytest.raises(PackageUnavailable, match="beta is no longer on its index"):
        science.realise("science")
    index.stop_serving()
    with pytest.raises(PackageUnavailable, match="does not answer"):
        science.realise("science")
    assert known.load(science.home, science.workspace, "science") == before
    spec = json.loads((tmp_path / "kernels" / first.kernel / "kernel.json").read_text())
    said = subprocess.run(
        [spec["argv"][0], "-c", "import alpha; print(alpha.version)"], capture_output=True, text=True
    )
    assert said.stdout == "1.0\n"
    assert science.refresh("science") is Standing.PENDING


def test_a_version_that_was_yanked_since_is_installed_all_the_same(
    tmp_path: Path, index: Index, applications: Applications, alone: Path
) -> None:
    index.offer(make_wheel(tmp_path / "made", "delta", "3.0"))
    applications.add("science", make_environment(tmp_path / "env", "delta==3.0", index=index))
    page = index.folder / "simple/delta/index.html"
    page.write_text(page.read_text().replace(">delta", ' data-yanked="broken">delta'))
    shutil.rmtree(alone)
    done = applications.realise("science")
    assert packages_of(Path(done.prefix)) == {"delta": "3.0"}


def test_an_environment_without_a_record_is_told_and_built_anew(
    tmp_path: Path, science: Applications
) -> None:
    first = science.realise("science", offline=True)
    (site_of(Path(first.prefix)) / "alpha-1.0.dist-info/RECORD").unlink()
    assert science.refresh("science", offline=True) is Standing.REFRESHED
    said = {one.package: one.reason for one in science.show("science").definition.problems}
    assert "RECORD" in said["alpha"]
    # What the lock says is what was installed: it is still good for a new one.
    second = science.realise("science", offline=True)
    assert second.built
    assert packages_of(Path(second.prefix)) == {"alpha": "1.0", "gamma": "1.0"}
    assert (site_of(Path(second.prefix)) / "alpha-1.0.dist-info/RECORD").is_file()
    assert science.refresh("science", offline=True, force=True) is Standing.REFRESHED
    assert science.show("science").definition.complete


def test_sealed_needs_no_index_and_no_cache(
    tmp_path: Path, science: Applications, index: Index, alone: Path
) -> None:
    science.refresh("science", seal=True)
    index.stop_serving()
    shutil.rmtree(alone)
    done = science.realise("science")
    assert packages_of(Path(done.prefix)) == {"alpha": "1.0", "gamma": "1.0"}
    assert science.refresh("science") is Standing.UNCHANGED


def test_a_broken_environment_is_built_anew_though_the_cache_was_broken_with_it(
    tmp_path: Path, science: Applications
) -> None:
    first = science.realise("science", offline=True)
    for package in ("alpha", "gamma"):
        # In place: the file in uv's cache is the same one.
        (site_of(Path(first.prefix)) / package / "__init__.py").write_text("raise SystemExit\n")
    second = science.realise("science")
    assert second.built
    assert second.prefix != first.prefix
    for program in ("alpha", "gamma"):
        said = subprocess.run([f"{second.prefix}/bin/{program}"], capture_output=True, text=True, check=True)
        assert said.stdout == "1.0\n"
    assert science.refresh("science") is Standing.UNCHANGED
    assert [Path(first.prefix).name] == remove_unused(tmp_path / "home", tmp_path / "kernels")
    assert os.listdir(tmp_path / "home/environments/.wheels")


def test_unused_environments_are_listed_and_removed(tmp_path: Path, science: Applications) -> None:
    done = science.realise("science", offline=True)
    home, kernels = tmp_path / "home", tmp_path / "kernels"
    (listed,) = list_environments(home, kernels)
    assert len(listed.used_by) == 2
    assert listed.packages == 2
    assert remove_unused(home, kernels) == []
    running = subprocess.Popen([f"{done.prefix}/bin/python", "-c", "input()"], stdin=subprocess.PIPE)
    science.delete("science")
    assert not os.listdir(kernels)
    assert remove_unused(home, kernels) == []
    running.communicate(b"\n")
    assert remove_unused(home, kernels) == [listed.name]
    assert not os.path.exists(listed.path)
    assert not os.listdir(home / "environments/.wheels")


def test_cancelled_leaves_nothing(tmp_path: Path, science: Applications) -> None:
    def check() -> None:
        if list((tmp_path / "home/environments").glob(".*.building/env/lib")):
            raise Cancelled("Enough.")

    with pytest.raises(Cancelled):
        science.realise("science", offline=True, check=check)
    assert not [name for name in os.listdir(tmp_path / "home/environments") if "building" in name]
    assert not (tmp_path / "kernels").exists()


def test_killed_leaves_a_folder_that_the_next_clears(tmp_path: Path, science: Applications) -> None:
    program = f"""
import os, signal
from pathlib import Path
from nuvo_jupyter.workspace.applications.applications import Applications
home = Path({str(tmp_path / "home")!r})
def check():
    if list((home / "environments").glob(".*.building/env/lib")):
        os.kill(os.getpid(), signal.SIGKILL)
here = Applications(home, Path({str(science.workspace)!r}), "Physics", kernels=Path({str(tmp_path / "kernels")!r}))
here.realise("science", offline=True, check=check)
"""
    ended = subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[3])
    assert ended.returncode == -signal.SIGKILL
    top = tmp_path / "home/environments"
    assert [name for name in os.listdir(top) if name.endswith(".building")]
    assert list_environments(tmp_path / "home", tmp_path / "kernels") == []
    assert science.realise("science", offline=True).built
    assert not [name for name in os.listdir(top) if name.endswith(".building")]


def test_other_builds_leftovers_are_cleared_unless_they_are_at_work(
    tmp_path: Path, science: Applications
) -> None:
    top = tmp_path / "home/environments"
    (top / f".{'0' * 32}.building").mkdir(parents=True)
    with environments.building(tmp_path / "home", "1" * 32) as (folder, _):
        science.realise("science", offline=True)
        assert folder.is_dir()
    assert not (top / f".{'0' * 32}.building").exists()


def test_another_python_is_refused_unless_allowed(tmp_path: Path, science: Applications) -> None:
    app = science.folder("science") / "app.json"
    here = json.loads(app.read_text())
    app.write_text(json.dumps({**here, "python": {**here["python"], "version": "2.7.18"}}))
    with pytest.raises(PythonUnsuitable, match=r"made with Python 2\.7"):
        science.realise("science")
    done = science.realise("science", any_python=True)
    assert packages_of(Path(done.prefix)) == {"alpha": "1.0", "gamma": "1.0"}
    app.write_text(json.dumps({**here, "python": {**here["python"], "system": "win32", "libc": ""}}))
    with pytest.raises(PythonUnsuitable, match="win32"):
        science.realise("science")


def test_a_kernel_that_runs_something_else_is_shown_first(tmp_path: Path, science: Applications) -> None:
    template = science.folder("science") / "kernel.json.in"
    content = json.loads(template.read_text())
    for argv in (
        ["/bin/sh", "-c", "evil"],
        ["{python}", "-c", "evil"],
        ["{python}", "-m", "ipykernel_launcher", "--x"],
    ):
        template.write_text(json.dumps({**content, "argv": argv}, indent=2) + "\n")
        with pytest.raises(ConfirmationNeeded, match="runs another command.*" + argv[-1]):
            science.realise("science", offline=True)
        assert not (tmp_path / "kernels").exists()
    done = science.realise("science", offline=True, confirmed=True)
    assert done.argv == (f"{done.prefix}/bin/python", "-m", "ipykernel_launcher", "--x")
    assert science.refresh("science") is Standing.UNCHANGED
    shutil.rmtree(tmp_path / "kernels")
    assert science.refresh("science") is Standing.UNCHANGED


def test_kernels_of_others_are_not_taken(tmp_path: Path, science: Applications, index: Index) -> None:
    first = science.realise("science", offline=True)
    bob = instance(tmp_path, "bob")
    bob.add("science", with_kernel(make_environment(tmp_path / "bobs", "alpha==2.0", index=index)))
    second = bob.realise("science")
    assert second.kernel != first.kernel
    assert second.display_name == "science (Physics, bob)"
    assert set(kernel.installed(tmp_path / "kernels")) == {first.kernel, second.kernel}
    foreign = tmp_path / "kernels" / "nuvo-physics-other"
    foreign.mkdir()
    (foreign / "kernel.json").write_text("{}")
    science.add("other", tmp_path / "env")
    assert science.realise("other").kernel != "nuvo-physics-other"
    assert (foreign / "kernel.json").read_text() == "{}"


def test_applications_whose_names_kernels_do_not_tell_apart_have_one_each(
    tmp_path: Path, science: Applications, index: Index
) -> None:
    first = science.realise("science", offline=True)
    science.add("Science", with_kernel(make_environment(tmp_path / "other", "alpha==2.0", index=index)))
    second = science.realise("Science")
    assert first.kernel == "nuvo-physics-science" != second.kernel
    found = kernel.installed(tmp_path / "kernels")
    assert {name: whose.application for name, whose in found.items()} == {
        first.kernel: "science",
        second.kernel: "Science",
    }
    assert science.realise("Science").kernel == second.kernel
    assert science.realise("science", offline=True).kernel == first.kernel
    science.delete("Science")
    assert set(kernel.installed(tmp_path / "kernels")) == {first.kernel}


def test_two_at_once_build_one(tmp_path: Path, science: Applications) -> None:
    bob = instance(tmp_path, "bob")
    copy_to(science, bob)
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda one: one.realise("science", offline=True), [science, bob]))
    assert done[0].prefix == done[1].prefix
    assert sorted(one.built for one in done) == [False, True]


def test_a_kernel_that_another_installs_meanwhile_is_exchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = os.replace

    def another_was_first(source: Path, target: Path) -> None:
        monkeypatch.undo()
        kernel.install(tmp_path, "science", {"argv": ["theirs"]}, {})
        replace(source, target)

    monkeypatch.setattr(os, "replace", another_was_first)
    kernel.install(tmp_path, "science", {"argv": ["ours"]}, {})
    assert json.loads((tmp_path / "science" / "kernel.json").read_text())["argv"] == ["ours"]
    assert os.listdir(tmp_path) == ["science"]


def test_without_packages(tmp_path: Path, applications: Applications) -> None:
    shown = applications.add("empty", make_environment(tmp_path / "env"), offline=True)
    assert shown.packages == ()
    assert shown.argv == ()
    done = applications.realise("empty", offline=True)
    assert done.kernel == ""
    assert packages_of(Path(done.prefix)) == {}
