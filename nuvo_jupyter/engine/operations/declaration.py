"""What an operation is: the one declaration that routes, clients and openapi.json are derived from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from nuvo_jupyter.model.roles import Need


class Raw(msgspec.Struct, frozen=True):
    """An answer that is no JSON: a file's content or JSON lines.

    Args:
        body: chunks of bytes.
        media_type: for the ``Content-Type``.
        filename: suggested to browsers.
        size: bytes in all, if known.
    """

    body: Iterator[bytes]
    media_type: str = "application/octet-stream"
    filename: str = ""
    size: int | None = None


class Operation(msgspec.Struct, frozen=True):
    """One thing the product can do.

    Args:
        name: of the function, of the client's method, and the operationId.
        method: HTTP method; GET and DELETE take the request from the query, the others from a JSON body.
        path: below ``/nuvo/api``; ``{id}`` is a field of the request.
        request: struct it takes.
        response: struct it answers, a tuple of structs, or :class:`Raw`.
        need: what the caller must be, checked before the function runs.
        subject: field of the request that names the space, instance or state the need refers to;
            ``""`` for the organization. Checks beyond it (each target of a distribution, say) are the function's.
        module: of ``nuvo_jupyter.engine`` that holds the function.
        changes: whether it changes anything, and so is written to the audit trail.
        help: one line.
        long: it may read a whole folder, or many snapshots, before it answers.
    """

    name: str
    method: str
    path: str
    request: type[msgspec.Struct]
    response: Any
    need: Need
    subject: str
    help: str
    module: str = ""
    long: bool = False

    @property
    def changes(self) -> bool:
        """Whether it changes anything, and so is written to the audit trail."""
        return self.method != "GET"


def declare(
    name: str,
    route: str,
    request: type[msgspec.Struct],
    response: Any,
    need: Need | tuple[Need, str],
    help: str,
    *,
    long: bool = False,
) -> Operation:
    """Declare an operation.

    Args:
        route: HTTP method and path.
        need: what the caller must be, and the field of the request that names on what.
    """
    method, _, path = route.partition(" ")
    role, subject = need if isinstance(need, tuple) else (need, "")
    return Operation(name, method, path, request, response, role, subject, help, long=long)


def of(module: str, *operations: Operation) -> tuple[Operation, ...]:
    """Operations whose functions a module of ``nuvo_jupyter.engine`` holds."""
    return tuple(msgspec.structs.replace(operation, module=module) for operation in operations)
