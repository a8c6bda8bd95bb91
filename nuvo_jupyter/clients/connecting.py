"""Which engine to reach: the server that started this kernel, or the embedded one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

from nuvo_jupyter.clients.methods import Client
from nuvo_jupyter.model.errors import InvalidInput, NotAuthenticated, NotFound, Refused, ServiceUnavailable

LOCAL = "local"
_ANCESTORS = 8


def connect(server: str | None = None) -> Client:
    """Connect as :func:`nuvo_jupyter.client` describes.

    Raises:
        ServiceUnavailable: the server named does not answer.
        InvalidInput: ``server`` is no URL.
    """
    if server is None:
        return _nearest()
    if server == LOCAL:
        return _embedded()
    parts = urlsplit(server)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise InvalidInput(
            f"{server!r} is no address of a server.",
            hint="For example http://localhost:8888/?token=… or 'local'.",
        )
    token = parse_qs(parts.query).get("token", [os.environ.get("JUPYTER_TOKEN", "")])[0]
    path = parts.path.removesuffix("lab").rstrip("/") + "/"
    return _over_http({"url": urlunsplit((parts.scheme, parts.netloc, path, "", "")), "token": token})


def _nearest() -> Client:
    for info in _servers_above():
        client = _over_http(info)
        try:
            client.status()
        except (ServiceUnavailable, NotFound, NotAuthenticated, Refused):
            # Without Nuvo, gone, or guarded by a password: the home can still be used directly.
            client.close()
            continue
        return client
    return _embedded()


def _embedded() -> Client:
    from nuvo_jupyter.clients.local import LocalTransport

    return Client(LocalTransport())


def _over_http(info: dict[str, Any]) -> Client:
    from nuvo_jupyter.clients.http import HttpTransport

    socket = info.get("sock", "")
    url = f"http://localhost{info.get('base_url', '/')}" if socket else info["url"]
    return Client(HttpTransport(url, info.get("token", ""), socket))


def _servers_above() -> Iterator[dict[str, Any]]:
    """What running Jupyter servers among this process's ancestors say of themselves, the nearest first.

    A kernel's environment names its server (JPY_PARENT_PID); a terminal's shell is its descendant.
    """
    from jupyter_core.paths import jupyter_runtime_dir

    runtime = Path(jupyter_runtime_dir())
    seen = set()
    for pid in _pids_above():
        if pid in seen:
            continue
        seen.add(pid)
        try:
            yield json.loads((runtime / f"jpserver-{pid}.json").read_text())
        except (OSError, ValueError):
            continue


def _pids_above() -> Iterator[int]:
    named = os.environ.get("JPY_PARENT_PID", "")
    if named.isdigit():
        yield int(named)
    pid = os.getppid()
    for _ in range(_ANCESTORS):
        if pid <= 1:
            return
        yield pid
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return
        # The command's name, in parentheses, may hold anything; the parent's id is the second field behind it.
        pid = int(stat.rpartition(")")[2].split()[1])
