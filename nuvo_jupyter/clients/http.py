"""Operations over HTTP, to a Jupyter server that serves Nuvo."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from nuvo_jupyter.clients.errors import rebuild
from nuvo_jupyter.clients.transport import OnProgress
from nuvo_jupyter.engine.operations import BY_NAME, Operation, Raw
from nuvo_jupyter.model.errors import ServiceUnavailable
from nuvo_jupyter.model.requests import TaskShow
from nuvo_jupyter.model.tasks import Problem, Task

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_WATCHED_SECONDS = 0.3
_UNWATCHED_SECONDS = 20.0
_ANSWER_SECONDS = 120.0


class HttpTransport:
    """Operations over HTTP.

    Args:
        url: of the Jupyter server, ending in its base URL.
        token: of the server; ``""`` where it asks for none.
        socket: path of the UNIX socket it listens on, if it does.
    """

    def __init__(self, url: str, token: str = "", socket: str = "") -> None:
        self.where = f"the Jupyter server at {url}"
        parsed = httpx.URL(url)
        # Cookie and header only have to agree: a program of the user's own needs no protection against foreign pages.
        xsrf = secrets.token_hex(16)
        headers = {"X-XSRFToken": xsrf, "Cookie": f"_xsrf={xsrf}"}
        if token:
            headers["Authorization"] = f"token {token}"
        # Servers on this machine have certificates of their own making, and no proxy stands before them.
        local = bool(socket) or parsed.host in _LOOPBACK
        self._http = httpx.Client(
            base_url=parsed.join("nuvo/api/"),
            headers=headers,
            timeout=httpx.Timeout(_ANSWER_SECONDS, connect=10),
            trust_env=not local,
            transport=httpx.HTTPTransport(uds=socket or None, verify=not local) if local else None,
        )

    def call(self, operation: Operation, request: msgspec.Struct) -> Any:
        """Run an operation.

        Raises:
            ServiceUnavailable: nothing answers at the address, or something that is not Nuvo.
            NuvoError: the error the server sent.
        """
        message = self._message(operation, request)
        try:
            response = self._http.send(message, stream=operation.response is Raw)
            if response.status_code != httpx.codes.OK:
                response.read()
        except httpx.HTTPError as error:
            raise ServiceUnavailable(
                f"{self.where[0].upper()}{self.where[1:]} does not answer: {error}.",
                hint="Is the server running? nuvo_jupyter.client('local') works without it.",
            ) from error
        if response.status_code != httpx.codes.OK:
            raise _error(response)
        if operation.response is Raw:
            return _raw(response)
        try:
            return msgspec.json.decode(response.content, type=operation.response)
        except msgspec.MsgspecError as error:
            raise ServiceUnavailable(
                f"{operation.name}: the answer cannot be read: {error}.",
                hint="The server may run another version of Nuvo; restart it.",
            ) from error

    def wait(self, task_id: int, on_progress: OnProgress | None) -> Task:
        """Ask until the task has finished."""
        seconds = _UNWATCHED_SECONDS if on_progress is None else _WATCHED_SECONDS
        first = True
        while True:
            asked = TaskShow(id=task_id, wait=0 if first else seconds)
            task: Task = self.call(BY_NAME["task_show"], asked)
            first = False
            if on_progress is not None:
                on_progress(task)
            if task.state.finished:
                return task

    def close(self) -> None:
        """Close connections."""
        self._http.close()

    def _message(self, operation: Operation, request: msgspec.Struct) -> httpx.Request:
        values: dict[str, Any] = msgspec.to_builtins(request)
        path = operation.path.lstrip("/")
        for name in list(values):
            if f"{{{name}}}" in path:
                path = path.replace(f"{{{name}}}", quote(str(values.pop(name)), safe=""))
        if operation.method in ("GET", "DELETE"):
            query = {name: _query_value(value) for name, value in values.items() if value is not None}
            return self._http.build_request(operation.method, path, params=query)
        return self._http.build_request(
            operation.method,
            path,
            content=msgspec.json.encode(values),
            headers={"Content-Type": "application/json"},
        )


def _query_value(value: Any) -> str | list[str]:
    # Several values are one parameter given as many times, and none at all if there are none.
    if isinstance(value, (list, tuple)):
        return [str(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def _error(response: httpx.Response) -> Exception:
    try:
        return rebuild(msgspec.json.decode(response.content, type=Problem))
    except msgspec.MsgspecError:
        return ServiceUnavailable(
            f"{response.url.host} answered {response.status_code} {response.reason_phrase} and not as Nuvo does.",
            hint="Is the server extension enabled? `jupyter server extension list` says.",
        )


def _raw(response: httpx.Response) -> Raw:
    def body() -> Iterator[bytes]:
        try:
            yield from response.iter_bytes()
        except httpx.HTTPError as error:
            raise ServiceUnavailable(f"The content broke off: {error}.") from error
        finally:
            response.close()

    size = response.headers.get("Content-Length")
    return Raw(
        body=body(),
        media_type=response.headers.get("Content-Type", "application/octet-stream"),
        size=int(size) if size is not None else None,
    )
