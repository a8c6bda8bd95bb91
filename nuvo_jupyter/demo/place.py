"""The demo's folder: a home of its own for catalog and store, and everybody's workspace beside it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from nuvo_jupyter.engine.settings import Nuvo
from nuvo_jupyter.model.errors import InvalidInput

SPACE = "intro-to-data-science"
TITLE = "Intro to Data Science"
MASTER = f"{SPACE}/master"
DISTRIBUTED = f"{SPACE}/distributed"
INSTRUCTOR = "instructor"

_MARKER = ".nuvo-demo.json"
_LAYOUT = 1


class Place:
    """Where one demo lies.

    Args:
        folder: absolute; holds ``nuvo/`` (catalog and store), ``home/USER/SPACE`` (workspaces) and ``jupyter/``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "nuvo"
        self.jupyter = folder / "jupyter"
        self.master = self.workspace(INSTRUCTOR)
        self.template = f"{folder}/home/{{username}}/{{space}}"

    def workspace(self, username: str) -> Path:
        """The folder of somebody's instance."""
        return self.folder / "home" / username / SPACE

    @property
    def ready(self) -> bool:
        """Whether a complete demo of this layout lies here."""
        return self._mark() == {"layout": _LAYOUT, "ready": True}

    def claim(self, reset: bool = False) -> None:
        """Make the folder ours and empty, unless a complete demo lies in it and stays.

        Raises:
            InvalidInput: there is something else in it, or it cannot be made.
        """
        if self.ready and not reset:
            return
        try:
            if self._mark() is not None:
                # Left by a set-up that was interrupted, or to be made anew.
                shutil.rmtree(self.folder)
            elif self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
                raise InvalidInput(
                    f"{self.folder} is there already and holds no demo.",
                    hint="Name another folder: nuvo demo --folder DIR.",
                )
            self.folder.mkdir(parents=True, exist_ok=True)
            self._write(ready=False)
            settings = (
                self.jupyter / "config" / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
            )
            settings.mkdir(parents=True)
            # Asking about news would stand in the way of the tour.
            (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}\n')
        except OSError as error:
            raise InvalidInput(
                f"The demo's folder {self.folder} cannot be used: {error.strerror}.",
                hint="Name another folder: nuvo demo --folder DIR.",
            ) from error

    def finish(self) -> None:
        """Note that the demo is complete."""
        self._write(ready=True)

    def settings(self, username: str = "") -> Nuvo:
        """The configuration of this demo alone, whatever the user's own is.

        Args:
            username: whom to act as; the operating system's user, who is the instructor, by default.
        """
        return Nuvo(
            home=str(self.home),
            catalog_url=f"sqlite:///{self.home / 'catalog.sqlite'}",
            store_url=str(self.home / "store"),
            organization="home",
            acting_user=username,
            workspace_template=self.template,
            smtp_host="",
        )

    def environment(self, username: str = "") -> dict[str, str]:
        """The environment for programs that work in this demo, and nowhere else."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("NUVO_")}
        # The server that started this process, if one did, is not the demo's.
        kept.pop("JPY_PARENT_PID", None)
        mine = {
            "NUVO_HOME": str(self.home),
            "NUVO_WORKSPACE_TEMPLATE": self.template,
            "JUPYTER_CONFIG_DIR": str(self.jupyter / "config"),
            "JUPYTER_RUNTIME_DIR": str(self.jupyter / "runtime"),
            "JUPYTER_PREFER_ENV_PATH": "1",
            "IPYTHONDIR": str(self.jupyter / "ipython"),
        }
        if username:
            mine["NUVO_ACTING_USER"] = username
        return kept | mine

    def _mark(self) -> object:
        try:
            return json.loads((self.folder / _MARKER).read_text())
        except (OSError, ValueError):
            return None if not (self.folder / _MARKER).is_file() else "unreadable"

    def _write(self, *, ready: bool) -> None:
        beside = self.folder / f"{_MARKER}.new"
        beside.write_text(json.dumps({"layout": _LAYOUT, "ready": ready}))
        beside.replace(self.folder / _MARKER)
