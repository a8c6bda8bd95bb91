"""A snapshot before each cell that runs a shell or installs something, if the user of a kernel wants that."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Any

from nuvo_jupyter.magics.results import cell_text
from nuvo_jupyter.model.errors import NuvoError

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from nuvo_jupyter.magics.connection import Connection

_CELLS = ("bash", "sh", "zsh", "script", "system", "sx", "cmd", "perl", "ruby", "!", "writefile", "file")
_LINES = (
    "pip|conda|mamba|micromamba|uv|run|system|sx|sc|rm|rmdir|mv|cp|ln|mkdir|delete|edit|save|notebook|logstart"
)
_WHOLE = re.compile(rf"%%({'|'.join(map(re.escape, _CELLS))})(?!\w)")
# At the beginning of a line, or behind the name that gets what it prints.
_LINE = re.compile(rf"^\s*(?:[\w.,\s]+=\s*)?(!+|%(?:{_LINES})(?!\w))", re.MULTILINE)
# IPython takes these alone in a cell without a sign.
_BARE = re.compile(r"(pip|conda|mamba|uv|rm|rmdir|mv|cp|ln|run)\s+[^=\s(]")


def risk_of(cell: str) -> str:
    """What in a cell may change files in ways that nothing backs up; ``""`` if nothing.

    What Python code itself does is not seen.
    """
    text = cell.strip()
    whole = _WHOLE.match(text)
    if whole:
        return whole[0]
    line = None if text.startswith("%%") and not text.startswith(("%%time", "%%capture")) else _LINE.search(text)
    if line:
        return line[1]
    bare = _BARE.match(text) if "\n" not in text else None
    return bare[1] if bare else ""


class BeforeRisky:
    """Takes automatic snapshots: none where nothing has changed, and thinned by the space's rule.

    Args:
        shell: whose cells are looked at.
        connection: of the magics.
    """

    def __init__(self, shell: InteractiveShell, connection: Connection) -> None:
        self._shell = shell
        self._connection = connection
        self._on = False

    def turn(self, *, on: bool) -> str:
        """Begin or end to take them; says so."""
        if on != self._on:
            change = self._shell.events.register if on else self._shell.events.unregister
            change("pre_run_cell", self.before_cell)
            self._on = on
        if on:
            return "A snapshot is taken before each cell of this kernel that runs a shell or installs something."
        return "No snapshots are taken before cells."

    def before_cell(self, info: Any) -> None:
        """Take one if the cell is risky; the cell runs whatever comes of that."""
        risk = risk_of(info.raw_cell or "")
        if not risk:
            return
        try:
            with self._connection.place() as place:
                if not place.known:
                    self._tell("this folder belongs to no instance yet; %snapshot makes it one.")
                    return
                client = place.client
                client.finish(
                    client.snapshot_create(
                        folder=os.getcwd(),
                        automatic=True,
                        description=f"Before a cell with {risk}",
                    )
                )
        except KeyboardInterrupt:
            self._tell("it was interrupted.")
        except NuvoError as error:
            self._tell(error.message)

    def _tell(self, why: str) -> None:
        sys.stderr.write(cell_text(f"No snapshot before this cell: {why}") + "\n")
