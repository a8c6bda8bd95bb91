"""IPython magics: `%load_ext nuvo_jupyter`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register the magics and what completes their arguments."""
    from nuvo_jupyter.magics.application_magics import ApplicationMagics
    from nuvo_jupyter.magics.completion import Completer
    from nuvo_jupyter.magics.crate_magics import CrateMagics
    from nuvo_jupyter.magics.magics import NuvoMagics

    magics = NuvoMagics(shell)
    shell.register_magics(
        magics, ApplicationMagics(shell, magics.connection), CrateMagics(shell, magics.connection)
    )
    Completer(magics.connection).register(shell)
