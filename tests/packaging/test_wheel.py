"""What is published holds every part, and is built without a Node on the PATH."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[2]
SHARED = "nuvo_jupyter-{version}.data/data/share/jupyter/labextensions/nuvo-jupyter/"

CAN_COMPILE = shutil.which("cc") is not None and Path(sysconfig.get_path("include"), "Python.h").is_file()

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="session")
def sources() -> list[str]:
    """Return the paths a clone of this tree would hold once everything in it is committed."""
    if not (ROOT / ".git").exists():
        pytest.skip("needs a git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return [path for path in os.fsdecode(listed.stdout).split("\0") if path and os.path.lexists(ROOT / path)]


@pytest.fixture(scope="session")
def dist(sources: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist, and from it the wheel, where the PATH is an empty folder."""
    clone = tmp_path_factory.mktemp("clone")
    for path in sources:
        (clone / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, clone / path, follow_symlinks=False)
    empty = tmp_path_factory.mktemp("path")
    out = tmp_path_factory.mktemp("dist")
    built = subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(out), str(clone)],
        env={**os.environ, "PATH": str(empty)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, (built.stdout + built.stderr)[-6000:]
    return out


@pytest.fixture(scope="session")
def wheel(dist: Path) -> Path:
    (found,) = dist.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def in_wheel(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="session")
def version() -> str:
    return str(json.loads((ROOT / "labextension/package.json").read_text())["version"])


def packaged(paths: list[str]) -> set[str]:
    return {path for path in paths if path.startswith("nuvo_jupyter/")}


def test_sdist_holds_every_source(dist: Path, sources: list[str]) -> None:
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        inside = {str(PurePosixPath(*PurePosixPath(name).parts[1:])) for name in archive.getnames()}
    wanted = {path for path in sources if path.startswith(("nuvo_jupyter/", "labextension/", "tests/"))} | {
        "install.json",
        "hatch_build.py",
        "hatch_native.py",
        "pyproject.toml",
        "README.md",
        "LICENSE",
    }
    ignorable = {path for path in wanted if PurePosixPath(path).name == ".gitignore"}
    assert wanted - ignorable - inside == set()
    assert "nuvo_jupyter/labextension/static/style.js" in inside
    assert not any("node_modules" in name for name in inside)


def test_wheel_holds_every_part(in_wheel: set[str], sources: list[str]) -> None:
    assert packaged(sources) - in_wheel == set()
    assert "nuvo_jupyter/handlers/__init__.py" in in_wheel
    assert "nuvo_jupyter/magics/__init__.py" in in_wheel
    assert "nuvo_jupyter/_version.py" in in_wheel


def test_without_a_compiler_it_is_for_any_platform(wheel: Path, in_wheel: set[str]) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")
    assert not any(name.endswith(".so") for name in in_wheel)


def test_with_a_compiler_it_is_for_this_platform_and_compiled(dist: Path, tmp_path: Path) -> None:
    if not CAN_COMPILE:
        assert "CI" not in os.environ
        pytest.skip("no C compiler, or no headers of Python")
    (sdist,) = dist.glob("*.tar.gz")
    pip = [sys.executable, "-m", "pip"]
    subprocess.run([*pip, "wheel", "--quiet", "--no-deps", "-w", tmp_path, sdist], check=True)
    (wheel,) = tmp_path.glob("*-cp311-abi3-*.whl")
    site = tmp_path / "site"
    # It installs: its tag is one of this platform's.
    subprocess.run(
        [*pip, "install", "--quiet", "--no-deps", "--no-index", "--target", site, wheel], check=True
    )
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from nuvo_jupyter import native\n"
        "print(native.IS_COMPILED, native.__file__, native.hash_many([b''])[0].hex())\n"
    )
    told = subprocess.run(
        [sys.executable, "-I", "-c", program, str(site)], check=True, capture_output=True, text=True
    )
    compiled, place, digest = told.stdout.split()
    assert (compiled, place) == ("True", str(site / "nuvo_jupyter/native/__init__.py"))
    # The hash of nothing, of the official test vectors.
    assert digest == "af1349b9f5f9a1a6a0404dea36dcc949" + "9bcb25c9adc112b7cc9a93cae41f3262"


def test_wheel_holds_nothing_else_at_its_top(in_wheel: set[str], version: str) -> None:
    tops = {PurePosixPath(name).parts[0] for name in in_wheel}
    assert tops == {"nuvo_jupyter", f"nuvo_jupyter-{version}.data", f"nuvo_jupyter-{version}.dist-info"}


def test_wheel_installs_the_labextension(wheel: Path, in_wheel: set[str], version: str) -> None:
    shared = SHARED.format(version=version)
    assert shared + "install.json" in in_wheel
    assert shared + "static/style.js" in in_wheel
    with zipfile.ZipFile(wheel) as archive:
        manifest = json.loads(archive.read(shared + "package.json"))
        assert shared + manifest["jupyterlab"]["_build"]["load"] in in_wheel
    assert manifest["version"] == version
    assert not any(name.endswith(".js.map") for name in in_wheel), "the development bundle"


def test_wheel_enables_the_server_extension(wheel: Path, version: str) -> None:
    config = f"nuvo_jupyter-{version}.data/data/etc/jupyter/jupyter_server_config.d/nuvo_jupyter.json"
    with zipfile.ZipFile(wheel) as archive:
        enabled = json.loads(archive.read(config))["ServerApp"]["jpserver_extensions"]
        scripts = archive.read(f"nuvo_jupyter-{version}.dist-info/entry_points.txt").decode()
    assert enabled == {"nuvo_jupyter": True}
    assert "nuvo = nuvo_jupyter.cli.main:main" in scripts


def test_installed_package_imports(wheel: Path, version: str, tmp_path: Path) -> None:
    site = tmp_path / "site"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--no-index",
            "--target",
            site,
            wheel,
        ],
        check=True,
    )
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import nuvo_jupyter, nuvo_jupyter.handlers, nuvo_jupyter.magics\n"
        "print(nuvo_jupyter.__version__, nuvo_jupyter.handlers.__file__)\n"
    )
    told = subprocess.run(
        [sys.executable, "-I", "-c", program, str(site)],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert told.stdout.split() == [version, str(site / "nuvo_jupyter/handlers/__init__.py")]
