"""The OpenAPI document is valid, current and complete."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from openapi_spec_validator import validate

from nuvo_jupyter.engine.openapi import document, encode
from nuvo_jupyter.engine.operations import OPERATIONS

DOCS = Path(__file__).parents[2] / "docs"


def test_committed_document_is_current() -> None:
    assert (DOCS / "openapi.json").read_bytes() == encode(), "run: nuvo openapi > docs/openapi.json"


def test_document_is_valid() -> None:
    validate(document())


def test_every_operation_is_in_it_once() -> None:
    found = [
        (verb.upper(), path, described["operationId"])
        for path, verbs in document()["paths"].items()
        for verb, described in verbs.items()
    ]
    assert sorted(found) == sorted((one.method, one.path, one.name) for one in OPERATIONS)


def test_every_operation_and_field_is_described_in_the_manual() -> None:
    manual = (DOCS / "rest.md").read_text()
    for operation in OPERATIONS:
        assert re.search(rf"`{operation.method} {re.escape(operation.path)}`", manual), operation.name


async def test_served_with_the_servers_own_address(jp_fetch: Any, jp_base_url: str) -> None:
    served = json.loads((await jp_fetch("nuvo", "api", "openapi.json")).body)
    assert served["servers"] == [{"url": f"{jp_base_url}nuvo/api"}]
    assert served["paths"] == document()["paths"]


def test_no_two_structs_share_a_name() -> None:
    """The panel's types are named after them; msgspec would tell two by their modules, which TypeScript cannot."""
    assert [name for name in document()["components"]["schemas"] if "." in name] == []
