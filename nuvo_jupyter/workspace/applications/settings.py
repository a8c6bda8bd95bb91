"""JupyterLab's user settings as part of an application; whatever looks like a secret stays behind."""

from __future__ import annotations

import os
import re
from pathlib import Path

from nuvo_jupyter.workspace.applications.definition import SETTINGS, put, small_files

SUFFIX = ".jupyterlab-settings"
_FILE_MAX = 256 << 10
# Quoted or not: settings are JSON5.
_SECRET = re.compile(
    rb"(?:pass(?:word|wd|phrase)|secret|token|credential|api[_-]?key|access[_-]?key|private[_-]?key|authorization)[\w-]*[\"']?\s*:\s*[\"'][^\"']",
    re.IGNORECASE,
)
_PLUGIN = re.compile(r"(?:@[\w.-]+/)?[\w.-]+/[\w.-]+" + re.escape(SUFFIX))


def settings_folder() -> Path:
    """Where JupyterLab keeps the user's settings."""
    from jupyterlab.commands import get_user_settings_dir  # type: ignore[import-untyped]

    return Path(get_user_settings_dir())


def capture_settings(folder: Path | None) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """JupyterLab's user settings.

    Args:
        folder: of JupyterLab's user settings; ``None`` captures none.

    Returns:
        Path → content, and the files left out since they look as if they held a secret.
    """
    found: dict[str, bytes] = {}
    left_out: list[str] = []
    if folder is None or not folder.is_dir():
        return found, ()
    for path in sorted(folder.rglob(f"*{SUFFIX}")):
        relative = path.relative_to(folder).as_posix()
        if path.is_symlink() or not path.is_file() or not _PLUGIN.fullmatch(relative):
            continue
        data = path.read_bytes() if path.stat().st_size <= _FILE_MAX else b""
        if not data or _SECRET.search(data):
            left_out.append(relative)
        else:
            found[relative] = data
    return found, tuple(left_out)


def apply_settings(definition: Path, folder: Path, *, overwrite: bool = False) -> tuple[list[str], list[str]]:
    """Put an application's settings among the user's.

    Args:
        definition: folder of the definition.
        folder: of JupyterLab's user settings.
        overwrite: also those the user has set otherwise.

    Returns:
        Files written, and files kept since the user has their own.
    """
    written: list[str] = []
    kept: list[str] = []
    for path, data in small_files(definition, SETTINGS):
        target = folder / path
        if not _PLUGIN.fullmatch(path) or ".." in path.split("/"):
            continue
        if os.path.lexists(target) and (target.is_symlink() or target.read_bytes() != data) and not overwrite:
            kept.append(path)
        else:
            put(target, data)
            written.append(path)
    return written, kept
