"""Running uv: found where it was installed, watched, cancelled, and never waiting for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import uv

from nuvo_jupyter.model.errors import EnvironmentFailed
from nuvo_jupyter.workspace.applications.programs import Told, watched

_PATIENCE_SECONDS = 3600.0


def run(
    arguments: Iterable[str],
    *,
    folder: Path,
    variables: Mapping[str, str] | None = None,
    check: Callable[[], None] | None = None,
    listen: Callable[[str], None] | None = None,
    held: Iterable[int] = (),
    patience: float = _PATIENCE_SECONDS,
) -> Told:
    """Run uv to its end.

    Args:
        arguments: after ``uv``.
        folder: it runs in; settings of projects are looked for there, so it should be one of ours.
        variables: of its environment, besides those of this process.
        check: called ten times a second; raises to cancel, which ends uv and what it started.
        listen: called with each line it writes to its error output.
        held: descriptors of locks it shall hold too, so that nobody thinks it dead if this process is.
        patience: seconds after which it is ended.

    Raises:
        EnvironmentFailed: uv is not installed or does not end.
    """
    try:
        program = uv.find_uv_bin()
    except FileNotFoundError as error:
        raise EnvironmentFailed(
            "uv, which installs packages, is not there.", hint="pip install --force-reinstall uv"
        ) from error
    return watched(
        [program, *arguments],
        name="uv",
        folder=folder,
        variables={**(variables or {}), **_SETTINGS},
        check=check,
        listen=listen,
        held=held,
        patience=patience,
    )


_SETTINGS = {
    "UV_NO_PROGRESS": "1",
    "UV_PYTHON_DOWNLOADS": "never",
    "UV_PREVIEW_FEATURES": "pylock",
    "NO_COLOR": "1",
}
