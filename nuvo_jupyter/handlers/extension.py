"""The Jupyter server extension."""

from __future__ import annotations

from typing import Any

from jupyter_server.extension.application import ExtensionApp

from nuvo_jupyter.engine.settings import Nuvo
from nuvo_jupyter.handlers.background import Background
from nuvo_jupyter.handlers.operation import routes
from nuvo_jupyter.handlers.progress import Progress
from nuvo_jupyter.handlers.waiting import Waiting


class NuvoExtension(ExtensionApp):
    """Serves `/nuvo/api` and does background work; the engine is opened in a thread after the server started."""

    name = "nuvo_jupyter"
    load_other_extensions = True
    classes = [Nuvo]  # noqa: RUF012 (traitlets reads a plain list)

    def initialize_settings(self) -> None:
        """Put into the web application's settings what the handlers use."""
        assert self.serverapp is not None
        events = self.serverapp.event_logger
        assert events is not None
        nuvo = Nuvo(parent=self)
        self.waiting = Waiting()
        self.background = Background(nuvo, self.log, self._changed, self.waiting.ended)
        self.progress = Progress(events, self.background)
        self.settings.update(nuvo_background=self.background, nuvo_waiting=self.waiting)
        self.serverapp.io_loop.add_callback(self.background.start)

    def initialize_handlers(self) -> None:
        """Add the routes of all operations."""
        routed: list[Any] = list(routes())
        self.handlers.extend(routed)

    async def stop_extension(self) -> None:
        """Stop background work; what was under way is taken up by the next server."""
        await self.progress.stop()
        await self.background.stop()

    def _changed(self, task_id: int) -> None:
        self.progress.changed(task_id)
