"""States, snapshots and distribution for JupyterLab."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from nuvo_jupyter._version import __version__
    from nuvo_jupyter.clients import client, connect

__all__ = ["__version__", "client", "connect", "load_ipython_extension"]


# Loaded on first use: every `nuvo` command and every kernel imports this module.
_HOMES = {
    "__version__": "nuvo_jupyter._version",
    "client": "nuvo_jupyter.clients",
    "connect": "nuvo_jupyter.clients",
}


def __getattr__(name: str) -> Any:
    """Return a public name from the module that holds it (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register the magics: `%load_ext nuvo_jupyter`."""
    import_module("nuvo_jupyter.magics").load_ipython_extension(shell)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Return where JupyterLab finds the built labextension."""
    return [{"src": "labextension", "dest": "nuvo-jupyter"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Return the server extension's application."""
    extension = import_module("nuvo_jupyter.handlers.extension").NuvoExtension
    return [{"module": "nuvo_jupyter", "app": extension}]
