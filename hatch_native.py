"""Compiles nuvo_jupyter/native, where there is a compiler. Without it everything works as well, only slower."""

from __future__ import annotations

import os
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = Path("nuvo_jupyter/native")
BUILT = FOLDER / "_native.abi3.so"


def compile_native(root: Path) -> Path | None:
    """Compile the module into the tree at ``root``; returns where it lies, ``None`` where that is not possible.

    What an earlier build left is removed in any case: it may be of other sources.
    """
    (root / BUILT).unlink(missing_ok=True)
    try:
        from setuptools import Distribution, Extension
        from setuptools.command.build_ext import build_ext
        from setuptools.errors import BaseError, CCompilerError
    except ImportError:
        return None
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
        command.inplace, command.build_temp, command.force = True, place, True
        try:
            os.chdir(root)
            command.ensure_finalized()
            command.run()
        except (BaseError, CCompilerError, OSError):
            return None
        finally:
            os.chdir(before)
    return root / BUILT if (root / BUILT).is_file() else None


class NativeHook(BuildHookInterface[Any]):
    """Puts the compiled module into the wheel, which then is one of this platform."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - as hatchling has it
        """Called before a wheel is put together."""
        if compile_native(Path(self.root)) is None:
            self.app.display_warning("No C compiler, or no Python headers: capturing will be slower.")
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["artifacts"].append(str(BUILT))
        build_data["pure_python"] = False
        build_data["tag"] = f"cp311-abi3-{platform}"
