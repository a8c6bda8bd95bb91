"""One handler per path, made from the declared operations."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any, cast

import msgspec
from jupyter_server.auth.decorator import authorized
from tornado import web

from nuvo_jupyter.engine.openapi import API, encode, takes_body
from nuvo_jupyter.engine.operations import OPERATIONS, Operation, Raw
from nuvo_jupyter.handlers.base import NuvoHandler, UnknownPathHandler
from nuvo_jupyter.handlers.decoding import decode_request
from nuvo_jupyter.handlers.raw import send_raw
from nuvo_jupyter.model.requests import TaskShow
from nuvo_jupyter.model.tasks import Preview, Task

Verb = Callable[..., Awaitable[None]]


class OperationHandler(NuvoHandler):
    """Runs the operations of one path."""

    gone = False

    def on_connection_close(self) -> None:
        """Stop waiting for a task when nobody is left to be told."""
        self.gone = True
        super().on_connection_close()

    async def run(self, operation: Operation, in_path: dict[str, str]) -> None:
        """Decode the request, call the engine and write its answer."""
        body = self.request.body if takes_body(operation) else None
        request = decode_request(operation, in_path, self.request.query_arguments, body)
        seconds = getattr(request, "wait", 0)
        if seconds:
            request = msgspec.structs.replace(request, wait=0)
        mark = self.waiting.mark()
        answer = await self.background.call(operation.name, request)
        if isinstance(answer, Raw):
            await send_raw(self, answer)
            return
        if seconds:
            answer = await self._waited_for(operation, request, answer, seconds, mark)
        await self.finish(msgspec.json.encode(answer))

    async def _waited_for(
        self, operation: Operation, request: msgspec.Struct, answer: Any, seconds: float, mark: int
    ) -> Any:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while True:
            task = answer.task if isinstance(answer, Preview) else answer
            left = end - loop.time()
            if not isinstance(task, Task) or task.state.finished or left <= 0 or self.gone:
                return answer
            await self.waiting.until_end(task.id, left, mark)
            mark = self.waiting.mark()
            if isinstance(answer, Preview):
                answer = await self.background.call(operation.name, request)
            else:
                answer = await self.background.call("task_show", TaskShow(id=task.id))


class OpenApiHandler(NuvoHandler):
    """Serves the OpenAPI document of this server."""

    @web.authenticated
    @authorized(action="read")
    async def get(self) -> None:
        """Answer with the document; its server address is this server's."""
        await self.finish(encode(self.base_url))


def _verb(operation: Operation) -> Verb:
    # One wrapper per verb: `authorized` remembers the action of its first call.
    @web.authenticated
    @authorized(action="read" if operation.method == "GET" else "write")
    async def verb(self: OperationHandler, **in_path: str) -> None:
        await self.run(operation, in_path)

    verb.__name__ = operation.method.lower()
    verb.__doc__ = operation.help
    return cast("Verb", verb)


def routes() -> list[tuple[str, type[NuvoHandler]]]:
    """Tornado routes, relative to the server's base URL, of all operations."""
    by_path: defaultdict[str, list[Operation]] = defaultdict(list)
    for operation in OPERATIONS:
        by_path[operation.path].append(operation)
    made: list[tuple[str, type[NuvoHandler]]] = [(re.escape(f"{API}/openapi.json"), OpenApiHandler)]
    for path, operations in by_path.items():
        name = "".join(part.capitalize() for part in re.findall(r"\w+", path)) + "Handler"
        verbs = {operation.method.lower(): _verb(operation) for operation in operations}
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(API + path))
        made.append((pattern, type(name, (OperationHandler,), verbs)))
    made.append((re.escape(API) + r"(?:/.*)?", UnknownPathHandler))
    return made
