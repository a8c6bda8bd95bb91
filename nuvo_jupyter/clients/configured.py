"""The settings a Jupyter server on this machine would have, for processes that are none."""

from __future__ import annotations

from pathlib import Path

from traitlets.config import Config
from traitlets.config.loader import JSONFileConfigLoader, PyFileConfigLoader

from nuvo_jupyter.engine.settings import Nuvo
from nuvo_jupyter.model.errors import InvalidInput

_NAMES = ("jupyter_config", "jupyter_server_config")


def configured() -> Nuvo:
    """Settings from the environment and from the configuration files of the Jupyter server.

    Files that do not speak of Nuvo are not run.

    Raises:
        InvalidInput: a file that does cannot be read, or a setting has no valid value.
    """
    from jupyter_core.paths import jupyter_config_path

    config = Config()
    for folder in reversed(jupyter_config_path()):
        for name in _NAMES:
            for kind, loader in ((".json", JSONFileConfigLoader), (".py", PyFileConfigLoader)):
                file = Path(folder, name + kind)
                try:
                    if "Nuvo" in file.read_text(errors="replace"):
                        config.merge(loader(file.name, folder).load_config())
                except (FileNotFoundError, NotADirectoryError, PermissionError):
                    continue
                except Exception as error:
                    # A Python file may raise anything.
                    raise InvalidInput(f"The configuration {file} cannot be read: {error}.") from error
    return Nuvo(config=config)
