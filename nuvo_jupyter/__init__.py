"""States, snapshots and distribution for JupyterLab."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["__version__", "client", "load_ipython_extension"]


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562): every `nuvo` command and every kernel imports this module."""
    if name == "__version__":
        return import_module("nuvo_jupyter._version").__version__
    if name == "client":
        return import_module("nuvo_jupyter.clients").client
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


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
