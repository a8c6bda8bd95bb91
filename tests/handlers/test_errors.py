"""Errors come as {code, message, hint} with the right status, whatever is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError


async def problem(jp_fetch: Any, *path: str, **options: Any) -> tuple[int, dict[str, Any]]:
    with pytest.raises(HTTPClientError) as caught:
        await jp_fetch("nuvo", "api", *path, **options)
    response = caught.value.response
    assert response is not None
    assert response.headers["Content-Type"] == "application/json"
    body = json.loads(response.body)
    assert set(body) == {"code", "message", "hint"}
    assert "Traceback" not in response.body.decode()
    return response.code, body


async def test_malformed_json(jp_fetch: Any) -> None:
    status, body = await problem(jp_fetch, "spaces", method="POST", body="{")
    assert (status, body["code"]) == (400, "invalid_input")


async def test_no_object(jp_fetch: Any) -> None:
    status, body = await problem(jp_fetch, "spaces", method="POST", body="[]")
    assert (status, body["code"]) == (400, "invalid_input")


async def test_unknown_field_in_body(jp_fetch: Any) -> None:
    status, body = await problem(jp_fetch, "spaces", method="POST", body='{"name": "a", "nmae": "b"}')
    assert status == 400
    assert "nmae" in body["message"]
    assert "space_create" in body["hint"]


async def test_unknown_field_in_query(jp_fetch: Any) -> None:
    status, body = await problem(jp_fetch, "spaces", params={"delted": "true"})
    assert status == 400
    assert "delted" in body["message"]


async def test_field_given_twice(jp_fetch: Any) -> None:
    status, body = await problem(jp_fetch, "spaces", params=[("deleted", "true"), ("deleted", "false")])
    assert status == 400
    assert "2 times" in body["message"]


async def test_id_that_is_no_number(jp_fetch: Any) -> None:
    status, body = await problem(jp_fetch, "tasks", "one")
    assert (status, body["code"]) == (400, "invalid_input")


async def test_id_in_the_body_too(jp_fetch: Any) -> None:
    status, body = await problem(jp_fetch, "tasks", "1", "cancel", method="POST", body='{"id": 2}')
    assert status == 400
    assert "path" in body["message"]


@pytest.mark.parametrize("path", [("nowhere",), ("spaces", "x"), ("tasks", "1", "2"), ()])
async def test_unknown_path(jp_fetch: Any, path: tuple[str, ...]) -> None:
    status, body = await problem(jp_fetch, *path)
    assert (status, body["code"]) == (404, "not_found")
    assert "openapi.json" in body["hint"]


async def test_unknown_method(jp_fetch: Any) -> None:
    status, body = await problem(jp_fetch, "status", method="DELETE")
    assert (status, body["code"]) == (405, "method_not_allowed")


async def test_unknown_task(jp_fetch: Any) -> None:
    status, body = await problem(jp_fetch, "tasks", "999")
    assert (status, body["code"]) == (404, "not_found")
