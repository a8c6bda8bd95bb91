"""The environment of the running kernel as an application of the notebook's instance."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from nuvo_jupyter.magics.running import finish
from nuvo_jupyter.workspace.applications.names import suggested_name

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from nuvo_jupyter.clients.place import Place

OFFER = "The environment of this kernel is not in it: %app add captures it from now on."


def own_environment() -> str:
    """The folder of the environment that this kernel runs in."""
    return os.path.realpath(sys.prefix)


def add_own(shell: InteractiveShell | None, place: Place, name: str) -> None:
    """Capture the kernel's environment unless an application does already; a folder not known yet becomes a space.

    Args:
        name: of the application; ``""`` takes the environment's, or the application that captures it.

    Raises:
        AlreadyExists: another environment's application has that name.
        NuvoError: it cannot be captured.
    """
    client = place.client
    located = client.locate(folder=place.folder)
    if located.instance is None:
        # What a first snapshot does; an application needs the instance before.
        client.space_create(name=located.suggested_space, kind="research", workspace=place.folder)
        located = client.locate(folder=place.folder)
    for one in client.application_list(instance=located.instance):
        same = one.prefix and os.path.realpath(one.prefix) == own_environment()
        if same and name in ("", one.name):
            return
    task = client.application_add(
        instance=located.instance,
        name=name or suggested_name(own_environment()),
        prefix=own_environment(),
    )
    finish(shell, client, task)
