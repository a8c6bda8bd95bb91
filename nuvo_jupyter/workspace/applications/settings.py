"""JupyterLab's user settings as part of an application; whatever looks like a secret stays behind."""

from __future__ import annotations

import os
import re
from datetime import datetime
from pathlib import Path

import msgspec
from jupyter_core.paths import jupyter_config_dir

from nuvo_jupyter.model.applications import SettingsFile, SettingsStanding
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
    # As jupyterlab.commands.get_user_settings_dir does, whose import takes longer than all else of a command.
    named = os.environ.get("JUPYTERLAB_SETTINGS_DIR")
    return Path(os.path.abspath(named or os.path.join(jupyter_config_dir(), "lab", "user-settings")))


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


class Applied(msgspec.Struct, frozen=True):
    """What was done with an application's settings.

    Args:
        written: files that are the application's now.
        backups: copies of what was there before, beside them.
        kept: files left alone, since the user has a link or something else that is no file in their way.
    """

    written: tuple[str, ...] = ()
    backups: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def compare_settings(definition: Path, folder: Path) -> tuple[SettingsFile, ...]:
    """How each file of an application's settings stands to the user's.

    Args:
        definition: folder of the definition.
        folder: of JupyterLab's user settings.
    """
    return tuple(
        SettingsFile(path=path, standing=_standing(folder, path, data)) for path, data in _carried(definition)
    )


def apply_settings(definition: Path, folder: Path, now: datetime) -> Applied:
    """Put an application's settings in the place of the user's, of which copies are kept beside them.

    Args:
        definition: folder of the definition.
        folder: of JupyterLab's user settings.
        now: for the names of the copies.

    Raises:
        OSError: a file cannot be written; those before it are, each of them whole.
    """
    written: list[str] = []
    backups: list[str] = []
    kept: list[str] = []
    for path, data in _carried(definition):
        target = folder / path
        if _obstructed(folder, path):
            kept.append(path)
            continue
        if target.exists():
            before = target.read_bytes()
            if before == data:
                continue
            # JupyterLab reads no other suffix than its own.
            copy = target.with_name(f"{target.name}.{now:%Y-%m-%d-%H%M%S-%f}.backup")
            put(copy, before)
            backups.append(copy.relative_to(folder).as_posix())
        put(target, data)
        written.append(path)
    return Applied(tuple(written), tuple(backups), tuple(kept))


def in_words(done: Applied) -> tuple[str, ...]:
    """What was done with an application's settings, a sentence for each file."""
    if done == Applied():
        return ("Its settings are the same as JupyterLab's, or it has none.",)
    return (
        *(f"Settings written: {path}" for path in done.written),
        *(f"What they were before: {path}" for path in done.backups),
        *(f"Settings left alone, since a link or no file is in their place: {path}" for path in done.kept),
    )


def _carried(definition: Path) -> list[tuple[str, bytes]]:
    return [
        (path, data)
        for path, data in small_files(definition, SETTINGS)
        if _PLUGIN.fullmatch(path) and not {".", ".."}.intersection(path.split("/"))
    ]


def _obstructed(folder: Path, path: str) -> bool:
    """Whether the way to a file leads out of the folder by a link, or something else than a file is at its end."""
    way = folder
    *folders, _name = path.split("/")
    for part in folders:
        way = way / part
        if os.path.lexists(way) and (way.is_symlink() or not way.is_dir()):
            return True
    target = folder / path
    return os.path.lexists(target) and (target.is_symlink() or not target.is_file())


def _standing(folder: Path, path: str, data: bytes) -> SettingsStanding:
    if _obstructed(folder, path):
        return SettingsStanding.DIFFERENT
    try:
        return SettingsStanding.SAME if (folder / path).read_bytes() == data else SettingsStanding.DIFFERENT
    except FileNotFoundError:
        return SettingsStanding.NEW
    except OSError:
        return SettingsStanding.DIFFERENT
