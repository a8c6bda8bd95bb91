"""What repo2docker and Binder build an environment from, derived from an application's lock.

repo2docker reads ``requirements.txt`` and ``runtime.txt``, or ``environment.yml``, in the top folder
(https://repo2docker.readthedocs.io/en/latest/config_files.html).
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from nuvo_jupyter.model.errors import ApplicationDamaged
from nuvo_jupyter.model.nodes import Node, NodeKind
from nuvo_jupyter.model.objects import APPLICATIONS
from nuvo_jupyter.workspace.applications.conda import locked
from nuvo_jupyter.workspace.applications.conda.exchanged import environment
from nuvo_jupyter.workspace.applications.conda.locked import LOCK, CondaLock
from nuvo_jupyter.workspace.applications.names import slug

OWN = frozenset(
    {
        "requirements.txt", "environment.yml", "environment.yaml", "Pipfile", "Pipfile.lock", "setup.py", "Dockerfile", "binder", ".binder",
        "pyproject.toml", "default.nix", "Project.toml", "DESCRIPTION", "install.R", "runtime.txt",
    }
)  # fmt: skip
"""Names in the top folder that repo2docker builds from: where people wrote one, nothing is derived."""
_LARGEST = 32 << 20


def derived(nodes: Mapping[str, Node], read: Callable[[Node], bytes]) -> dict[str, bytes]:
    """Files that let repo2docker build the environment of a snapshot's first application.

    Args:
        nodes: everything in the snapshot by path.
        read: gives a file's content.

    Returns:
        Name in the top folder → content; nothing where there is no application, or people wrote such files.
    """
    if any(path.partition("/")[0] in OWN for path in nodes):
        return {}
    locks = sorted(path for path in nodes if _is_lock(path) and nodes[path].kind is NodeKind.FILE)
    for path in locks:
        if nodes[path].size > _LARGEST:
            continue
        try:
            lock = tomllib.loads(read(nodes[path]).decode())
            lines = _lines(lock, path.rpartition("/")[0], nodes)
            conda = _conda(path.rpartition("/")[0], nodes, read)
        except (ValueError, TypeError, AttributeError, RecursionError, ApplicationDamaged):
            continue
        if conda is not None:
            pinned = [line.rstrip("\n") for line in lines]
            python = _python(path.rpartition("/")[0], nodes, read) or "3"
            text = environment(slug(path.split("/")[-2]), conda, python, pinned)
            return {"environment.yml": f"# From {path} and {LOCK}\n{text}".encode()}
        files = {"requirements.txt": f"# From {path}\n".encode() + "".join(lines).encode()}
        version = _python(path.rpartition("/")[0], nodes, read)
        if version:
            files["runtime.txt"] = f"python-{version}\n".encode()
        return files
    return {}


def _conda(folder: str, nodes: Mapping[str, Node], read: Callable[[Node], bytes]) -> CondaLock | None:
    node = nodes.get(f"{folder}/{LOCK}")
    if node is None or node.kind is not NodeKind.FILE or node.size > _LARGEST:
        return None
    lock = locked.read(read(node))
    return lock if lock.platform and lock.packages else None


def _is_lock(path: str) -> bool:
    parts = path.split("/")
    return (
        path.startswith(APPLICATIONS + "/")
        and len(parts) == APPLICATIONS.count("/") + 3
        and parts[-1].startswith("pylock.")
        and parts[-1].endswith(".toml")
    )


def _lines(lock: dict[str, Any], folder: str, nodes: Mapping[str, Node]) -> list[str]:
    lines = []
    for package in sorted(lock.get("packages", []), key=lambda package: str(package["name"])):
        name, marker = str(package["name"]), package.get("marker")
        wheel = _wheel(package, folder, nodes)
        if wheel:
            line = f"./{wheel}"
        elif "vcs" in package:
            line = f"{name} @ {package['vcs']['type']}+{package['vcs']['url']}@{package['vcs']['commit-id']}"
        elif package.get("archive", {}).get("url"):
            line = f"{name} @ {package['archive']['url']}"
        elif "version" in package:
            line = f"{name}=={package['version']}"
        else:
            line = name
        if "\n" in line or "\n" in str(marker):
            raise ValueError(f"{name!r} is no package.")
        lines.append(line + (f" ; {marker}" if marker else "") + "\n")
    return lines


def _wheel(package: dict[str, Any], folder: str, nodes: Mapping[str, Node]) -> str:
    """The wheel of a package that no index has, where it lies in the application's folder."""
    sources = [*package.get("wheels", []), package.get("archive", {})]
    if any(source.get("url") for source in sources):
        return ""
    for source in sources:
        path = f"{folder}/{str(source.get('path', '')).removeprefix('./')}"
        if source.get("path") and path in nodes:
            return path
    return ""


def _python(folder: str, nodes: Mapping[str, Node], read: Callable[[Node], bytes]) -> str:
    node = nodes.get(f"{folder}/app.json")
    if node is None or node.size > _LARGEST:
        return ""
    try:
        version = msgspec.json.decode(read(node))["python"]["version"].split(".")
        return f"{int(version[0])}.{int(version[1])}"
    except (
        msgspec.MsgspecError,
        KeyError,
        TypeError,
        AttributeError,
        ValueError,
        IndexError,
        RecursionError,
    ):
        return ""
