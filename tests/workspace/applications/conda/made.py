"""Conda packages, a channel and environments made for a test: real ones, tiny, without a network."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import rattler
import zstandard
from rattler.index import index_fs

PLATFORM = str(rattler.Subdir.current())
PLACEHOLDER = "/opt/placeholder" + "_long" * 30
MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"
BUILD = "h0_0"
_NOT_NEEDED = {
    "site-packages",
    "__pycache__",
    "test",
    "idlelib",
    "tkinter",
    "turtledemo",
    "lib2to3",
    "ensurepip",
}

Content = bytes | str
"""Of a file; text with the placeholder gets the environment's folder instead of it, text after ``->`` is a link."""


def make_package(
    channel: Path,
    name: str,
    version: str,
    files: Mapping[str, Content],
    *,
    ending: str = ".conda",
    noarch: str = "",
    depends: Iterable[str] = (),
    listed: Mapping[str, Content] | None = None,
    named: str = "",
) -> Path:
    """A conda package by hand, in a channel.

    Args:
        listed: what ``paths.json`` says instead of the truth.
        named: the name it says it has, instead of its own.
    """
    subdir = (noarch and "noarch") or PLATFORM
    index: dict[str, Any] = {"name": named or name, "version": version, "build": BUILD, "build_number": 0}
    index |= {"subdir": subdir, "depends": list(depends), "timestamp": 1_700_000_000_000}
    if noarch:
        index["noarch"] = noarch
    info = {
        "info/index.json": json.dumps(index),
        "info/paths.json": json.dumps({"paths_version": 1, "paths": _paths(listed or files)}),
        "info/files": "".join(f"{path}\n" for path in files),
    }
    stem = f"{name}-{version}-{BUILD}"
    path = channel / subdir / f"{stem}{ending}"
    path.parent.mkdir(parents=True, exist_ok=True)
    if ending == ".tar.bz2":
        path.write_bytes(_tar({**info, **files}, "w:bz2"))
        return path
    pressed = zstandard.ZstdCompressor(level=1)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", '{"conda_pkg_format_version": 2}')
        archive.writestr(f"pkg-{stem}.tar.zst", pressed.compress(_tar(files, "w")))
        archive.writestr(f"info-{stem}.tar.zst", pressed.compress(_tar(info, "w")))
    return path


def make_python(channel: Path) -> Path:
    """A conda package of the Python that runs the tests: its program, its library and the standard library."""
    base = Path(sys.base_prefix)
    program = (base / "bin" / f"python{MINOR}").resolve()
    files: dict[str, Content] = {f"bin/python{MINOR}": program.read_bytes(), "bin/python": f"->python{MINOR}"}
    for library in (base / "lib").glob("libpython*.so*"):
        files[f"lib/{library.name}"] = library.read_bytes()
    standard = Path(os.__file__).parent
    for path, folders, names in os.walk(standard):
        folders[:] = [name for name in folders if name not in _NOT_NEEDED and not name.startswith("config-")]
        for name in names:
            full = Path(path, name)
            files[f"lib/python{MINOR}/{full.relative_to(standard)}"] = full.read_bytes()
    files[f"lib/python{MINOR}/site-packages/README.txt"] = b"packages"
    version = ".".join(map(str, sys.version_info[:3]))
    return make_package(channel, "python", version, files)


def python_files(name: str, version: str, site: str = "site-packages") -> dict[str, Content]:
    """A distribution as conda packages have it."""
    info = f"{site}/{name}-{version}.dist-info"
    files = {
        f"{site}/{name}/__init__.py": f"version = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/INSTALLER": "conda\n",
        f"{info}/RECORD": "",
    }
    files[f"{info}/RECORD"] = "".join(f"{path.removeprefix(f'{site}/')},,\n" for path in files)
    return dict(files)


def kernel_files() -> dict[str, Content]:
    """A kernelspec as the conda package of ipykernel brings it."""
    argv = [f"{PLACEHOLDER}/bin/python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "Python 3", "language": "python"}
    return {"share/jupyter/kernels/python3/kernel.json": json.dumps(spec)}


def install(channel: Path, prefix: Path, *names: str) -> Path:
    """What `conda create` does: packages of a channel are chosen and installed."""

    async def work() -> None:
        await index_fs(channel)
        records = await rattler.solve([rattler.Channel(channel.as_uri())], list(names))
        cache = prefix.parent / "user-cache"
        await rattler.install(records, prefix, cache_dir=cache, show_progress=False)

    asyncio.run(work())
    return prefix


def _paths(files: Mapping[str, Content]) -> list[dict[str, Any]]:
    found = []
    for path, content in files.items():
        data = _bytes(content)
        link = isinstance(content, str) and content.startswith("->")
        one: dict[str, Any] = {"_path": path, "path_type": "softlink" if link else "hardlink"}
        one |= {"sha256": hashlib.sha256(data).hexdigest(), "size_in_bytes": len(data)}
        if PLACEHOLDER.encode() in data:
            one |= {"prefix_placeholder": PLACEHOLDER, "file_mode": "text"}
        found.append(one)
    return found


def _bytes(content: Content) -> bytes:
    if isinstance(content, str):
        return b"" if content.startswith("->") else content.encode()
    return content


def _tar(files: Mapping[str, Content], mode: Any) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.mode = 0o755 if path.startswith("bin/") else 0o644
            if isinstance(content, str) and content.startswith("->"):
                member.type, member.linkname = tarfile.SYMTYPE, content[2:]
                archive.addfile(member)
                continue
            data = _bytes(content)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()
