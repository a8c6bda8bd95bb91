"""The OpenAPI 3.1 document of the REST API, generated from the declared operations."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import msgspec

from nuvo_jupyter.engine.docstrings import argument_texts, summary
from nuvo_jupyter.engine.operations import OPERATIONS, Operation, Raw
from nuvo_jupyter.model.roles import Need

API = "/nuvo/api"
_PATH_FIELD = re.compile(r"\{(\w+)\}")
_REF = "#/components/schemas/{name}"


class Error(msgspec.Struct, frozen=True):
    """What went wrong.

    Args:
        code: stable name of the kind of error.
        message: what is wrong, for people.
        hint: what to do next.
    """

    code: str
    message: str
    hint: str | None


def path_fields(operation: Operation) -> tuple[str, ...]:
    """The fields of the request that stand in the operation's path."""
    return tuple(_PATH_FIELD.findall(operation.path))


def takes_body(operation: Operation) -> bool:
    """Whether the request comes as a JSON body rather than in the query."""
    return operation.method not in ("GET", "DELETE")


def document(base_url: str = "/") -> dict[str, Any]:
    """The whole document.

    Args:
        base_url: of the Jupyter server, with slashes at both ends.
    """
    answers = [operation.response for operation in OPERATIONS if operation.response is not Raw]
    requests = [operation.request for operation in OPERATIONS]
    _, components = _schemas([*requests, *answers, Error])
    _, asked = _schemas(requests)
    structs = _structs([*requests, *answers, Error])
    for name, schema in components.items():
        _describe(schema, structs.get(name))
        struct = structs.get(name)
        # An answer always carries all its fields, unless its struct leaves defaults out.
        if name not in asked and struct is not None and not struct.__struct_config__.omit_defaults:
            schema["required"] = list(schema["properties"])
            for described in schema["properties"].values():
                described.pop("default", None)
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        request = components[operation.request.__name__]
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, request)
    for request_type in requests:
        # Written out where they are used, since path fields are not part of the body.
        components.pop(request_type.__name__, None)
    from nuvo_jupyter import __version__

    described = {
        "openapi": "3.1.0",
        "info": {
            "title": "Nuvo for Jupyter",
            "version": __version__,
            "description": "Snapshots, distribution and restore of the states of instances. Errors are "
            "`{code, message, hint}`; `code` is stable. Work that takes time answers with a task: pass `wait`, "
            "or ask `/tasks/{id}` for it.",
            "license": {"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"},
        },
        "servers": [{"url": base_url.rstrip("/") + API}],
        "security": [{"token": []}, {"token_in_query": []}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`token TOKEN`, the Jupyter server's token. In browsers the server's cookie serves "
                    "too, together with the X-XSRFToken header.",
                },
                "token_in_query": {"type": "apiKey", "in": "query", "name": "token"},
            },
        },
    }
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(described))
    return plain


def encode(base_url: str = "/") -> bytes:
    """The document as indented JSON, ending in a line break."""
    return msgspec.json.format(msgspec.json.encode(document(base_url)), indent=2) + b"\n"


def _schemas(types: list[Any]) -> tuple[tuple[dict[str, Any], ...], dict[str, Any]]:
    def anything(type_: type) -> dict[str, Any]:
        if type_ is object:
            return {"description": "Any JSON value."}
        raise NotImplementedError

    return msgspec.json.schema_components(types, schema_hook=anything, ref_template=_REF)


def _operation(operation: Operation, request: dict[str, Any]) -> dict[str, Any]:
    in_path = path_fields(operation)
    properties: dict[str, Any] = request.get("properties", {})
    required = request.get("required", [])
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": properties[name]} for name in in_path
    ]
    rest = {name: schema for name, schema in properties.items() if name not in in_path}
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.help,
        "tags": [operation.module],
        "responses": {
            "200": {"description": "Done.", "content": _answer(operation)},
            "default": {
                "description": "An error.",
                "content": {"application/json": {"schema": {"$ref": _REF.format(name="Error")}}},
            },
        },
    }
    if operation.need is not Need.ANYONE:
        described["description"] = f"Needs: {operation.need.value}."
    if takes_body(operation):
        described["requestBody"] = {
            "required": any(name in required for name in rest),
            "content": {"application/json": {"schema": _body(request, rest, required)}},
        }
    else:
        parameters += [_query_parameter(name, schema, name in required) for name, schema in rest.items()]
    if parameters:
        described["parameters"] = parameters
    return described


def _answer(operation: Operation) -> dict[str, Any]:
    if operation.response is Raw:
        return {"*/*": {"schema": {"type": "string", "format": "binary"}}}
    (schema,), _ = _schemas([operation.response])
    return {"application/json": {"schema": schema}}


def _body(request: dict[str, Any], rest: dict[str, Any], required: list[str]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "title": request["title"],
        "type": "object",
        "properties": rest,
        "additionalProperties": False,
    }
    if "description" in request:
        body["description"] = request["description"]
    if wanted := [name for name in rest if name in required]:
        body["required"] = wanted
    return body


def _query_parameter(name: str, schema: dict[str, Any], required: bool) -> dict[str, Any]:
    # A query cannot say null: leaving the parameter out does.
    choices = [choice for choice in schema.get("anyOf", []) if choice != {"type": "null"}]
    if len(choices) == 1:
        schema = choices[0]
    elif schema.get("default", ...) is None:
        schema = {key: value for key, value in schema.items() if key != "default"}
    schema = dict(schema)
    parameter: dict[str, Any] = {"name": name, "in": "query", "required": required}
    if text := schema.pop("description", None):
        parameter["description"] = text
    return {**parameter, "schema": schema}


def _describe(schema: dict[str, Any], struct: type[msgspec.Struct] | None) -> None:
    """Give the schema its docstring's first paragraph, and each property its line of the ``Args`` section."""
    if "description" in schema:
        text = schema["description"]
        schema["description"] = summary(text)
        if struct is not None:
            for name, words in argument_texts(text).items():
                if name in schema.get("properties", {}):
                    schema["properties"][name].setdefault("description", words)
    for field in msgspec.structs.fields(struct) if struct is not None else ():
        if field.type in (datetime, datetime | None):
            property_ = schema["properties"][field.name]
            next(iter(property_.get("anyOf", [property_])))["format"] = "date-time"


def _structs(types: list[Any]) -> dict[str, type[msgspec.Struct]]:
    found: dict[str, type[msgspec.Struct]] = {}

    def visit(info: msgspec.inspect.Type) -> None:
        if isinstance(info, msgspec.inspect.StructType):
            if info.cls.__name__ in found:
                return
            found[info.cls.__name__] = info.cls
            for field in info.fields:
                visit(field.type)
        for inner in getattr(info, "types", ()):
            visit(inner)
        for attribute in ("item_type", "value_type", "type"):
            nested = getattr(info, attribute, None)
            if isinstance(nested, msgspec.inspect.Type):
                visit(nested)
        for nested in getattr(info, "item_types", ()):
            visit(nested)

    for one in msgspec.inspect.multi_type_info(types):
        visit(one)
    return found
