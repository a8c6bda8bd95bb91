"""Wheels, indexes and environments made for a test: real ones, tiny, without a network."""

from __future__ import annotations

import base64
import functools
import hashlib
import http.server
import subprocess
import sys
import threading
import zipfile
from collections.abc import Mapping
from pathlib import Path

import uv

from nuvo_jupyter.workspace.applications import installed, wheel
from nuvo_jupyter.workspace.applications.interpreter import ask


def make_wheel(
    folder: Path,
    name: str,
    version: str,
    files: Mapping[str, str] | None = None,
    tag: str = "py3-none-any",
    program: bool = True,
) -> Path:
    """A wheel by hand: a module, a console script, a script and a data file."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    content = {f"{name}/__init__.py": f"version = {version!r}\n\ndef main():\n    print(version)\n"}
    if program:
        content |= {
            f"{name}-{version}.data/scripts/{name}-script": "#!python\nprint('script')\n",
            f"{name}-{version}.data/data/share/{name}/note.txt": "note",
            f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {name}:main\n",
        }
    content |= files or {}
    content |= {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    path = folder / f"{name}-{version}-{tag}.whl"
    record = ""
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in content.items():
            archive.writestr(inside, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record += f"{inside},sha256={digest},{len(text)}\n"
        archive.writestr(f"{info}/RECORD", record + f"{info}/RECORD,,\n")
    return path


class Index:
    """A package index over HTTP on this machine; ``stop`` takes the network away."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        handler = functools.partial(_Quiet, directory=str(folder))
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self._served = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/simple"

    def offer(self, *wheels: Path, yanked: str = "") -> None:
        """Put wheels on the index."""
        for path in wheels:
            name = path.name.split("-")[0]
            folder = self.folder / "simple" / name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / path.name).write_bytes(path.read_bytes())
            mark = f' data-yanked="{yanked}"' if yanked else ""
            link = f'<a href="{path.name}#sha256={wheel.sha256(path)}"{mark}>{path.name}</a>\n'
            page = folder / "index.html"
            page.write_text((page.read_text() if page.exists() else "<!DOCTYPE html>\n") + link)

    def withdraw(self, name: str) -> None:
        """Remove a package's files, not its page."""
        for path in (self.folder / "simple" / name).glob("*.whl"):
            path.unlink()

    def stop_serving(self) -> None:
        """Nobody answers any more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._served = False

    def stop(self) -> None:
        """At the end."""
        if self._served:
            self.stop_serving()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def make_environment(folder: Path, *requirements: str | Path, index: Index | None = None) -> Path:
    """A virtual environment with packages in it."""
    program = uv.find_uv_bin()
    subprocess.run([program, "venv", "-q", "--offline", "--python", sys.executable, folder], check=True)
    install(folder, *requirements, index=index)
    return folder


def install(environment: Path, *requirements: str | Path, index: Index | None = None) -> None:
    """Install packages into an environment."""
    if not requirements:
        return
    arguments = ["pip", "install", "-q", "--no-deps", "--python", str(environment)]
    arguments += ["--default-index", index.url] if index else ["--offline"]
    subprocess.run([uv.find_uv_bin(), *arguments, *map(str, requirements)], check=True)


def packages_of(environment: Path) -> dict[str, str]:
    """What is installed."""
    return {one.name: one.version for one in installed.distributions(ask(environment / "bin/python").sites)}


def site_of(environment: Path) -> Path:
    """The folder of packages."""
    return next((environment / "lib").glob("python*/site-packages"))


def editable_project(folder: Path) -> Path:
    """A project that builds with what is here alone: its build backend lies beside it."""
    folder.mkdir()
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "mine"\nversion = "0.1"\n'
    )
    (folder / "mine.py").write_text("answer = 1\n")
    (folder / "backend.py").write_text(_BACKEND)
    return folder


_BACKEND = """
import base64, hashlib, os, zipfile

def _build(folder, files):
    name = "mine-0.1-py3-none-any.whl"
    files = dict(files)
    files["mine-0.1.dist-info/METADATA"] = "Metadata-Version: 2.1\\nName: mine\\nVersion: 0.1\\n"
    files["mine-0.1.dist-info/WHEEL"] = "Wheel-Version: 1.0\\nGenerator: own\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    record = ""
    with zipfile.ZipFile(os.path.join(folder, name), "w") as archive:
        for inside, text in files.items():
            archive.writestr(inside, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record += f"{inside},sha256={digest},{len(text)}\\n"
        archive.writestr("mine-0.1.dist-info/RECORD", record + "mine-0.1.dist-info/RECORD,,\\n")
    return name

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    return _build(wheel_directory, {"mine.py": open("mine.py").read()})

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    return _build(wheel_directory, {"mine.pth": os.getcwd() + "\\n"})
"""
