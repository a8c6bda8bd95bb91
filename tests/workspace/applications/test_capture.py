"""What a definition says of an environment, and what it never says."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from nuvo_jupyter.model.applications import Standing
from nuvo_jupyter.model.errors import AlreadyExists, EnvironmentFailed, InvalidInput, NotFound
from nuvo_jupyter.workspace.applications import definition, installed, known, wheel
from nuvo_jupyter.workspace.applications.applications import Applications

from .made import Index, editable_project, install, make_environment, make_wheel, site_of


def text_of(folder: Path) -> str:
    return "".join(path.read_text(errors="replace") for path in sorted(folder.rglob("*")) if path.is_file())


def problems(applications: Applications, name: str) -> dict[str, str]:
    return {one.package: one.reason for one in applications.show(name).definition.problems}


def with_kernel(environment: Path, **more: object) -> Path:
    """A kernelspec as ipykernel installs it."""
    spec = environment / "share/jupyter/kernels/python3"
    spec.mkdir(parents=True)
    argv = [str(environment / "bin/python"), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(
        json.dumps({"argv": argv, "display_name": "Python 3", "language": "python", **more})
    )
    return environment


def test_packages_of_an_index_are_locked_with_hashes(
    tmp_path: Path, index: Index, applications: Applications
) -> None:
    environment = with_kernel(make_environment(tmp_path / "env", "alpha==1.0", "beta==1.0", index=index))
    shown = applications.add("science", environment)
    assert shown.definition.complete, shown.definition.problems
    assert {one.name: one.version for one in shown.packages} == {"alpha": "1.0", "beta": "1.0"}
    assert all(one.hashes and not one.wheel for one in shown.packages)
    assert not (applications.folder("science") / "wheels").exists()
    assert shown.argv == ("{python}", "-m", "ipykernel_launcher", "-f", "{connection_file}")
    assert str(tmp_path) not in text_of(applications.folder("science"))


def test_unchanged_is_recognised_and_changes_are_found(
    tmp_path: Path, index: Index, applications: Applications
) -> None:
    environment = with_kernel(make_environment(tmp_path / "env", "alpha==1.0", index=index))
    applications.add("science", environment)
    assert applications.refresh("science") is Standing.UNCHANGED
    install(environment, "alpha==2.0", "beta==1.0", index=index)
    assert applications.refresh_all() == {"science": Standing.REFRESHED}
    assert {one.name: one.version for one in applications.show("science").packages} == {
        "alpha": "2.0",
        "beta": "1.0",
    }


def test_an_environment_of_many_is_looked_at_once_and_changes_are_found_all_the_same(
    tmp_path: Path, index: Index, applications: Applications, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = with_kernel(make_environment(tmp_path / "env", "alpha==1.0", index=index))
    for name in ("one", "two", "three"):
        applications.add(name, environment)
        # As of applications that were built here: JupyterLab's settings are not captured from this machine.
        here = known.load(applications.home, applications.workspace, name)
        assert here
        here.settings = ""
        known.save(applications.home, here)
    looked: list[str] = []
    look = installed.looks

    def counted(sites: Iterable[str], scripts: str = "") -> dict[str, tuple[int, int]]:
        looked.append(scripts)
        return look(sites, scripts)

    monkeypatch.setattr(installed, "looks", counted)
    assert set(applications.refresh_all(prints={}).values()) == {Standing.UNCHANGED}
    assert len(looked) == 1
    install(environment, "alpha==2.0", index=index)
    assert set(applications.refresh_all(prints={}).values()) == {Standing.REFRESHED}
    assert applications.show("three").packages[0].version == "2.0"


def test_the_same_environment_elsewhere_gives_the_same_definition(
    tmp_path: Path, index: Index, applications: Applications
) -> None:
    local = make_wheel(tmp_path / "local", "gamma", "1.0")
    one = with_kernel(make_environment(tmp_path / "one", "alpha==1.0", local, index=index))
    two = with_kernel(make_environment(tmp_path / "two", local, "alpha==1.0", index=index))
    applications.add("science", one)
    first = {
        path.name: path.read_bytes() for path in applications.folder("science").rglob("*") if path.is_file()
    }
    applications.delete("science")
    applications.add("science", two)
    second = {
        path.name: path.read_bytes() for path in applications.folder("science").rglob("*") if path.is_file()
    }
    assert first == second


def test_a_local_wheel_is_packed_again_from_what_is_installed(
    tmp_path: Path, applications: Applications
) -> None:
    local = make_wheel(tmp_path / "local", "gamma", "1.0")
    original = wheel.contents(local)
    environment = with_kernel(make_environment(tmp_path / "env", local))
    local.unlink()
    shown = applications.add("science", environment, offline=True)
    assert shown.definition.complete, shown.definition.problems
    assert shown.packages[0].wheel == "gamma-1.0-py3-none-any.whl"
    packed = applications.folder("science") / "wheels" / shown.packages[0].wheel
    assert wheel.contents(packed) == original
    assert wheel.sha256(packed) == shown.packages[0].hashes[0]


def test_an_editable_project_is_built_as_it_is_now(tmp_path: Path, applications: Applications) -> None:
    project = editable_project(tmp_path / "project")
    environment = with_kernel(make_environment(tmp_path / "env", "-e", project))
    shown = applications.add("science", environment, offline=True)
    assert shown.definition.complete, shown.definition.problems
    assert shown.packages[0].wheel == "mine-0.1-py3-none-any.whl"
    assert applications.refresh("science", offline=True) is Standing.UNCHANGED
    before = shown.packages[0].hashes
    (project / "mine.py").write_text("answer = 2\n")
    assert applications.refresh("science", offline=True) is Standing.REFRESHED
    assert applications.show("science").packages[0].hashes != before
    shutil.rmtree(project)
    assert applications.refresh("science", offline=True) is Standing.REFRESHED
    assert "is gone" in problems(applications, "science")["mine"]


def test_why_it_is_not_complete_is_said_package_by_package(
    tmp_path: Path, index: Index, applications: Applications
) -> None:
    local = make_wheel(tmp_path / "local", "gamma", "1.0")
    environment = make_environment(tmp_path / "env", "alpha==1.0", "beta==1.0", local, index=index)
    site = site_of(environment)
    (site / "alpha/__init__.py").unlink()
    (site / "alpha/__init__.py").write_text("version = 'mine'\n")
    (site / "beta-1.0.dist-info/RECORD").unlink()
    (site / "gamma/__init__.py").unlink()
    (site / "stray.py").write_text("")
    shown = applications.add("science", environment)
    assert not shown.definition.complete
    said = problems(applications, "science")
    assert "changed or missing since it was installed: alpha/__init__.py" in said["alpha"]
    assert "RECORD" in said["beta"]
    assert "gamma/__init__.py" in said["gamma"]
    locked = {one.package: one.locked for one in shown.definition.problems}
    assert locked["alpha"]
    assert locked["beta"]
    assert not locked["gamma"]
    general = [one.reason for one in shown.definition.problems if not one.package]
    assert any("stray.py" in reason for reason in general)
    assert any("ipykernel" in reason for reason in general)


def test_sealed_has_all_wheels_inside(tmp_path: Path, index: Index, applications: Applications) -> None:
    environment = with_kernel(make_environment(tmp_path / "env", "alpha==1.0", "beta==1.0", index=index))
    shown = applications.add("science", environment, seal=True)
    assert shown.definition.sealed
    assert {one.wheel for one in shown.packages} == {
        "alpha-1.0-py3-none-any.whl",
        "beta-1.0-py3-none-any.whl",
    }
    assert applications.refresh("science") is Standing.UNCHANGED
    assert applications.refresh("science", seal=False) is Standing.REFRESHED
    assert not any(one.wheel for one in applications.show("science").packages)
    assert applications.refresh("science", seal=True) is Standing.REFRESHED
    assert applications.show("science").definition.sealed


def test_with_no_index_and_no_cache_everything_is_packed(
    tmp_path: Path, index: Index, applications: Applications, alone: Path
) -> None:
    environment = with_kernel(make_environment(tmp_path / "env", "alpha==1.0", "beta==1.0", index=index))
    shutil.rmtree(alone)
    shown = applications.add("science", environment, offline=True)
    assert shown.definition.complete, shown.definition.problems
    assert all(one.wheel for one in shown.packages)
    assert applications.refresh("science", offline=True, force=True) is Standing.UNCHANGED
    assert applications.refresh("science", force=True) is Standing.REFRESHED
    assert not any(one.wheel for one in applications.show("science").packages)


def test_a_yanked_version_and_one_on_no_index_are_captured(
    tmp_path: Path, index: Index, applications: Applications
) -> None:
    index.offer(make_wheel(tmp_path / "made", "delta", "3.0"), yanked="broken")
    environment = with_kernel(make_environment(tmp_path / "env", "delta==3.0", "alpha==1.0", index=index))
    install(environment, make_wheel(tmp_path / "own", "omega", "1.0"))
    (site_of(environment) / "omega-1.0.dist-info/direct_url.json").unlink()
    record = site_of(environment) / "omega-1.0.dist-info/RECORD"
    record.write_text(
        "".join(line for line in record.read_text().splitlines(True) if "direct_url" not in line)
    )
    shown = applications.add("science", environment)
    assert shown.definition.complete, shown.definition.problems
    assert {one.name: bool(one.wheel) for one in shown.packages} == {
        "alpha": False,
        "delta": False,
        "omega": True,
    }


def test_secrets_are_nowhere_in_a_definition(
    tmp_path: Path, index: Index, applications: Applications, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "s3cr3t-value"
    monkeypatch.setenv("DB_PASSWORD", secret)
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.url.replace("http://", f"http://user:{secret}@"))
    settings = tmp_path / "settings"
    (settings / "@jupyterlab/apputils-extension").mkdir(parents=True)
    (settings / "@jupyterlab/apputils-extension/themes.jupyterlab-settings").write_text(
        '{"theme": "JupyterLab Dark"}'
    )
    (settings / "assistant").mkdir()
    (settings / "assistant/plugin.jupyterlab-settings").write_text(f"{{ // mine\n 'apiKey': '{secret}' }}")
    environment = make_environment(tmp_path / "env", "alpha==1.0", index=index)
    with_kernel(environment, env={"API_TOKEN": secret})
    shown = applications.add("science", environment, settings=settings, variables=["DB_PASSWORD"])
    folder = applications.folder("science")
    assert shown.definition.variables == ("API_TOKEN", "DB_PASSWORD")
    assert shown.definition.settings == ("@jupyterlab/apputils-extension/themes.jupyterlab-settings",)
    assert shown.definition.left_out == ("assistant/plugin.jupyterlab-settings",)
    assert not shown.packages[0].wheel
    for path in [*folder.rglob("*"), *(tmp_path / "home").rglob("*")]:
        assert not path.is_file() or secret.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden", "-x", "a\nb", " a", "x" * 101, "c:d", "a\\b"])
def test_names_that_cannot_be(applications: Applications, tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput):
        applications.add(name, tmp_path)


def test_what_is_no_environment_says_so(applications: Applications, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailed, match="no Python environment"):
        applications.add("science", tmp_path)
    environment = make_environment(tmp_path / "env")
    (environment / "bin/python").unlink()
    os.symlink("/gone/python", environment / "bin/python")
    with pytest.raises(EnvironmentFailed):
        applications.add("science", environment)
    assert applications.names() == []


def test_renamed_and_deleted(tmp_path: Path, index: Index, applications: Applications) -> None:
    environment = with_kernel(make_environment(tmp_path / "env", "alpha==1.0", index=index))
    applications.add("science", environment)
    with pytest.raises(AlreadyExists):
        applications.add("science", environment)
    applications.rename("science", "Data 2.0")
    assert applications.names() == ["Data 2.0"]
    assert applications.show("Data 2.0").definition.name == "Data 2.0"
    assert applications.refresh("Data 2.0") is Standing.UNCHANGED
    applications.delete("Data 2.0")
    assert applications.names() == []
    with pytest.raises(NotFound):
        applications.show("Data 2.0")


def test_a_definition_that_was_delivered_is_not_written_over(
    tmp_path: Path, index: Index, applications: Applications
) -> None:
    environment = with_kernel(make_environment(tmp_path / "env", "alpha==1.0", index=index))
    applications.add("science", environment)
    other = with_kernel(make_environment(tmp_path / "other", "alpha==2.0", index=index))
    applications.add("other", other)
    shutil.rmtree(applications.folder("science"))
    shutil.copytree(applications.folder("other"), applications.folder("science"))
    delivered = definition.digest(applications.folder("science"))
    assert applications.show("science").pending
    assert applications.refresh("science") is Standing.PENDING
    assert definition.digest(applications.folder("science")) == delivered
    assert applications.refresh("science", force=True) is Standing.REFRESHED
    shutil.rmtree(environment)
    assert applications.refresh("science") is Standing.NO_ENVIRONMENT


def test_what_conda_installed_is_listed_without_tokens(
    tmp_path: Path, index: Index, applications: Applications
) -> None:
    environment = with_kernel(make_environment(tmp_path / "env", "alpha==1.0", index=index))
    meta = environment / "conda-meta"
    meta.mkdir()
    record = {"name": "zlib", "version": "1.3", "build": "h0", "subdir": "linux-64", "sha256": "0" * 64}
    address = "https://user:s3cr3t@conda.example/t/t0k3n/channel/linux-64/zlib-1.3-h0.conda"
    (meta / "zlib-1.3-h0.json").write_text(json.dumps({**record, "url": address, "files": ["lib/libz.so"]}))
    (meta / "broken.json").write_text("{")
    shown = applications.add("science", environment)
    assert shown.definition.conda
    assert not shown.definition.complete
    assert {one.package: one.reason for one in shown.definition.problems} == {
        "": "conda's record broken.json cannot be read",
        "zlib": "changed or missing since it was installed: lib/libz.so",
    }
    listed = json.loads((applications.folder("science") / "conda.lock.json").read_text())
    address = "https://conda.example/channel/linux-64/zlib-1.3-h0.conda"
    assert listed == {"platform": "linux-64", "packages": [{**record, "url": address}]}
    assert applications.refresh("science") is Standing.UNCHANGED
