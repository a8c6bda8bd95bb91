"""A channel, an application whose environment came from it, and the machine of somebody else."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from nuvo_jupyter.workspace.applications.applications import Applications

from ..conftest import instance
from ..made import Index
from ..made import install as pip_install
from .made import MINOR, PLACEHOLDER, PLATFORM, install, kernel_files, make_package, make_python, python_files

LOCK = "conda.lock.json"


@pytest.fixture(scope="session")
def offered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A channel with a Python, a library in the older form of archives, a distribution and a kernelspec."""
    channel = tmp_path_factory.mktemp("conda") / "channel"
    make_python(channel)
    files = {
        "lib/libz.txt": "zlib",
        "lib/z.pc": f"prefix={PLACEHOLDER}\n",
        "bin/ztool": f"#!{PLACEHOLDER}/bin/python\nimport sys; print(sys.prefix)\n",
    }
    make_package(channel, "zlib", "1.3", files, ending=".tar.bz2")
    make_package(channel, "pure", "1.0", python_files("pure", "1.0"), noarch="python", depends=["python"])
    site = f"lib/python{MINOR}/site-packages"
    make_package(channel, "fast", "2.0", python_files("fast", "2.0", site), depends=["python"])
    make_package(channel, "ipykernel", "6.0", kernel_files(), depends=["python"])
    return channel


@pytest.fixture
def channel(tmp_path: Path, offered: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The test's own channel, on a machine without conda."""
    for name in list(os.environ):
        if name.startswith(("CONDA", "MAMBA", "RATTLER")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    return Path(shutil.copytree(offered, tmp_path / "channel"))


@pytest.fixture
def science(tmp_path: Path, channel: Path, index: Index, applications: Applications) -> Applications:
    """Anna's application: conda's Python with packages, and one of pip's beside them."""
    environment = install(channel, tmp_path / "env", "python", "zlib", "pure", "fast", "ipykernel")
    pip_install(environment, "alpha==1.0", index=index)
    applications.add("science", environment)
    return applications


def lock_of(applications: Applications) -> dict[str, dict[str, object]]:
    content = json.loads((applications.folder("science") / LOCK).read_text())
    assert content["platform"] == PLATFORM
    return {one["name"]: one for one in content["packages"]}


def change_lock(applications: Applications, of: str, **fields: object) -> None:
    path = applications.folder("science") / LOCK
    content = json.loads(path.read_text())
    for one in content["packages"]:
        if one["name"] == of:
            one.update(fields)
    path.write_text(json.dumps(content))


def moved(tmp_path: Path, source: Applications, name: str = "bob") -> Applications:
    """The application in another instance, of somebody whose home has nothing yet."""
    there = instance(tmp_path, name)
    shutil.copytree(source.folder("science"), there.folder("science"))
    return Applications(
        tmp_path / f"home-{name}", there.workspace, "Physics", name, kernels=tmp_path / f"kernels-{name}"
    )


def files_of(prefix: Path) -> dict[str, str]:
    """What an environment has, whatever its folder is; records and compiled code aside."""
    found = {}
    for path, folders, names in os.walk(prefix):
        folders[:] = [name for name in folders if name not in ("__pycache__", "conda-meta")]
        for name in names:
            full = Path(path, name)
            inside = full.relative_to(prefix).as_posix()
            if full.is_symlink():
                found[inside] = os.readlink(full)
            elif name not in ("nuvo-environment.json", "RECORD", "uv_cache.json", "REQUESTED"):
                data = full.read_bytes().replace(os.fsencode(prefix), b"PREFIX")
                found[inside] = hashlib.sha256(data).hexdigest()
    return found


def says(program: Path, *arguments: str) -> str:
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=True, cwd="/").stdout
