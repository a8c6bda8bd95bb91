"""What came over HTTP, turned into an operation's request struct."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import inspect

from nuvo_jupyter.engine.operations import Operation
from nuvo_jupyter.model.errors import InvalidInput

_NOT_OURS = frozenset({"token", "_xsrf", "no_track_activity"})
_LISTS = (inspect.ListType, inspect.VarTupleType)


def decode_request(
    operation: Operation, in_path: Mapping[str, str], query: Mapping[str, Sequence[bytes]], body: bytes | None
) -> msgspec.Struct:
    """Build the request of ``operation``.

    Args:
        in_path: the fields that stand in the path, as text.
        query: of the URL; what Jupyter itself puts there (token, a number against caches) is passed over.
        body: JSON; ``None`` for operations that take the query instead.

    Raises:
        InvalidInput: malformed JSON, an unknown or missing field, a value of the wrong type or out of bounds.
    """
    try:
        if body is None:
            values: dict[str, Any] = {**_from_query(operation.request, query), **in_path}
            return msgspec.convert(values, operation.request, strict=False)
        decoded = msgspec.json.decode(body) if body.strip() else {}
        if not isinstance(decoded, dict):
            raise InvalidInput("The body is not a JSON object.")
        if twice := sorted(decoded.keys() & in_path.keys()):
            raise InvalidInput(f"{twice[0]!r} stands in the path, not in the body.")
        types = {field.name: field.type for field in msgspec.structs.fields(operation.request)}
        for name, text in in_path.items():
            decoded[name] = msgspec.convert(text, types[name], strict=False)
        return msgspec.convert(decoded, operation.request)
    except msgspec.ValidationError as error:
        raise InvalidInput(
            f"The request is not valid: {error}.", hint=f"See {operation.name} in /nuvo/api/openapi.json."
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"The body is not valid JSON: {error}.") from error


def _from_query(request: type[msgspec.Struct], query: Mapping[str, Sequence[bytes]]) -> dict[str, Any]:
    lists = _lists_of(request)
    values: dict[str, Any] = {}
    for name, given in query.items():
        if name in _NOT_OURS or (name.isdigit() and not any(given)):
            continue
        if len(given) > 1 and name not in lists:
            raise InvalidInput(f"{name!r} is given {len(given)} times.")
        try:
            decoded = [value.decode() for value in given]
        except UnicodeDecodeError:
            raise InvalidInput(
                f"{name!r} is not UTF-8.",
                hint="Write bytes that are no UTF-8 as \\xNN, the way listings show them.",
            ) from None
        values[name] = decoded if name in lists else decoded[0]
    return values


@functools.cache
def _lists_of(request: type[msgspec.Struct]) -> frozenset[str]:
    """The fields that hold several values: a query gives them several times."""
    fields = inspect.type_info(request).fields  # type: ignore[attr-defined]
    return frozenset(field.name for field in fields if isinstance(_bare(field.type), _LISTS))


def _bare(kind: inspect.Type) -> inspect.Type:
    return _bare(kind.type) if isinstance(kind, inspect.Metadata) else kind
