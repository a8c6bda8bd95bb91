"""Generated requests to the real server: never a server error, always what the OpenAPI document says."""

from __future__ import annotations

import asyncio
import copy
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from nuvo_jupyter.engine.openapi import document
from nuvo_jupyter.engine.operations import OPERATIONS

EXAMPLES = 3
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def confined(folder: Path) -> dict[str, Any]:
    """The document, with folders limited to one of the test's: generated ones could be anywhere on the machine."""
    described = copy.deepcopy(document())
    for path in described["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", ()):
                if parameter["name"] == "folder":
                    parameter["schema"] = {"enum": [str(folder)]}
            body = (
                operation.get("requestBody", {})
                .get("content", {})
                .get("application/json", {})
                .get("schema", {})
            )
            for name in ("folder", "workspace", "template"):
                if name in body.get("properties", {}):
                    body["properties"][name] = {"enum": ["", str(folder)]}
    return described


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "work"
    made.mkdir()
    (made / "a.txt").write_text("a")
    return made


@pytest.mark.parametrize("module", sorted({operation.module for operation in OPERATIONS}))
async def test_answers_conform(
    jp_fetch: Any,
    jp_http_port: int,
    jp_base_url: str,
    jp_auth_header: dict[str, str],
    folder: Path,
    module: str,
) -> None:
    await jp_fetch("nuvo", "api", "status")
    schema = schemathesis.openapi.from_dict(confined(folder)).include(tag=module)
    address = f"http://127.0.0.1:{jp_http_port}{jp_base_url}nuvo/api"

    def run() -> int:
        tried = 0
        for found in schema.get_all_operations():
            operation: Any = found.ok()  # type: ignore[union-attr]

            @given(case=operation.as_strategy())
            @settings(
                max_examples=EXAMPLES,
                deadline=None,
                database=None,
                derandomize=True,
                suppress_health_check=list(HealthCheck),
            )
            def conforms(case: Any) -> None:
                response = case.call(base_url=address, headers=jp_auth_header, timeout=90)
                case.validate_response(response, checks=CHECKS)

            conforms()
            tried += 1
        return tried

    tried = await asyncio.get_running_loop().run_in_executor(None, run)
    assert tried == sum(operation.module == module for operation in OPERATIONS)
