"""Compiles nuvo_jupyter/native, where there is a compiler. Without it everything works as well, only slower."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import sys_tags

SWITCH = "NUVO_NATIVE"
"""``0`` in the environment: build without it, for a wheel that fits any platform."""
FOLDER = Path("nuvo_jupyter/native")
BUILT = FOLDER / "_native.abi3.so"


class NotCompiled(Exception):
    """There is no compiler, or it does not do; says why."""


def compile_native(root: Path) -> Path:
    """Compile the module into the tree at ``root``; returns where it lies.

    What an earlier build left is removed in any case: it may be of other sources.

    Raises:
        NotCompiled: that is not possible.
    """
    from setuptools import Distribution, Extension
    from setuptools.command.build_ext import build_ext
    from setuptools.errors import BaseError, CCompilerError

    (root / BUILT).unlink(missing_ok=True)
    sources = sorted(str(path.relative_to(root)) for path in (root / FOLDER).glob("*.c"))
    # Vectors are passed between inlined functions only, whatever a compiler says of their ABI.
    extension = Extension(
        "nuvo_jupyter.native._native",
        sources,
        depends=[str(FOLDER / "native.h")],
        extra_compile_args=["-O3", "-Wno-psabi"],
        py_limited_api=True,
    )
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as place:
        command = build_ext(Distribution({"name": "nuvo-jupyter", "ext_modules": [extension]}))
        command.inplace, command.build_lib, command.build_temp, command.force = True, place, place, True
        try:
            os.chdir(root)
            command.ensure_finalized()
            command.run()
        except (BaseError, CCompilerError, OSError) as error:
            raise NotCompiled(str(error)) from error
        finally:
            os.chdir(before)
    if not (root / BUILT).is_file():
        raise NotCompiled("this Python names compiled modules otherwise")
    return root / BUILT


def platform() -> str:
    """The platform of a wheel with compiled parts that was built here, as hatchling itself names it."""
    return next(tag.platform for tag in sys_tags() if not tag.platform.startswith(("manylinux", "musllinux")))


class NativeHook(BuildHookInterface[Any]):
    """Puts the compiled module into the wheel, which then is one of this platform."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - as hatchling has it
        """Called before a wheel is put together."""
        if os.environ.get(SWITCH) == "0":
            (Path(self.root) / BUILT).unlink(missing_ok=True)
            return
        try:
            compile_native(Path(self.root))
        except NotCompiled as error:
            self.app.display_warning(
                f"Without a C compiler and Python's headers snapshots and restores are slower: {error}"
            )
            return
        build_data["artifacts"].append(str(BUILT))
        build_data["pure_python"] = False
        build_data["tag"] = f"cp311-abi3-{platform()}"
