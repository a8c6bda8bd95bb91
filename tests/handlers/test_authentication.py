"""Every route asks who one is, and whether they may use Nuvo."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import pytest
from jupyter_server.auth.authorizer import Authorizer
from tornado.httpclient import HTTPClientError

from nuvo_jupyter.engine.operations import OPERATIONS, Operation

ROUTES = [(operation.method, operation.path) for operation in OPERATIONS] + [
    ("GET", "/openapi.json"),
    ("GET", "/nowhere"),
    ("POST", "/nowhere"),
]


def ids(routes: list[tuple[str, str]]) -> list[str]:
    return [f"{method} {path}" for method, path in routes]


async def answer(jp_fetch: Any, method: str, path: str, **options: Any) -> tuple[int, dict[str, Any]]:
    body = None if method in ("GET", "DELETE") else "{}"
    parts = path.strip("/").replace("{id}", "1").split("/")
    with pytest.raises(HTTPClientError) as caught:
        await jp_fetch("nuvo", "api", *parts, method=method, body=body, **options)
    assert caught.value.response is not None
    return caught.value.code, json.loads(caught.value.response.body)


class Nobody(Authorizer):
    """Lets nobody do anything, and remembers what they were asked."""

    asked: ClassVar[list[tuple[str, str]]] = []

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        Nobody.asked.append((action, resource))
        return False


class TestWithoutToken:
    @pytest.mark.parametrize(("method", "path"), ROUTES, ids=ids(ROUTES))
    async def test_refused(self, jp_fetch: Any, method: str, path: str) -> None:
        status, body = await answer(jp_fetch, method, path, headers={"Authorization": ""})
        assert status == 403
        assert set(body) == {"code", "message", "hint"}
        assert body["code"] == "not_authenticated"


class TestWithoutPermission:
    @pytest.fixture
    def jp_server_config(self, jp_server_config: dict[str, Any]) -> dict[str, Any]:
        jp_server_config["ServerApp"]["authorizer_class"] = Nobody
        Nobody.asked = []
        return jp_server_config

    @pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
    async def test_refused(self, jp_fetch: Any, operation: Operation) -> None:
        status, body = await answer(jp_fetch, operation.method, operation.path)
        assert (status, body["code"]) == (403, "refused")
        assert Nobody.asked == [("read" if operation.method == "GET" else "write", "nuvo")]
