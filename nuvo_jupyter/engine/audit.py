"""Read the audit trail: admins their spaces' entries, editors those of their instances and their own."""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec

from nuvo_jupyter.catalog.audit import entries
from nuvo_jupyter.engine.call import Call
from nuvo_jupyter.engine.lookup import find_space, instance_of
from nuvo_jupyter.engine.operations import Raw
from nuvo_jupyter.engine.present import moment
from nuvo_jupyter.model.requests import AuditList
from nuvo_jupyter.model.roles import Need
from nuvo_jupyter.model.tasks import AuditEntry

_PAGE = 1000


def audit_list(call: Call, request: AuditList) -> tuple[AuditEntry, ...]:
    """Entries after an id, oldest first."""
    return _page(call, request, request.after, request.limit)


def audit_export(call: Call, request: AuditList) -> Raw:
    """All entries after an id as JSON lines, oldest first; ``limit`` does not apply."""
    # The first page is read here, so that a refusal is an error and not a broken answer.
    page = _page(call, request, request.after, _PAGE)
    return Raw(_lines(call, request, page), "application/jsonl", "audit.jsonl")


def _lines(call: Call, request: AuditList, page: tuple[AuditEntry, ...]) -> Iterator[bytes]:
    while page:
        yield b"".join(msgspec.json.encode(entry) + b"\n" for entry in page)
        page = _page(call, request, page[-1].id, _PAGE)


def _page(call: Call, request: AuditList, after: int, limit: int) -> tuple[AuditEntry, ...]:
    with call.read() as connection:
        access = call.access(connection)
        space_id = instance_id = None
        if request.space:
            space = find_space(connection, access, request.space)
            access.require_in_space(space, Need.ANYONE)
            space_id = space.id
        if request.instance:
            instance = instance_of(connection, access, request.instance)
            access.require_instance(instance, Need.EDITOR, "read its audit trail")
            instance_id = instance.id
        rows = entries(
            connection,
            after=after,
            limit=limit,
            space_ids=access.administered(),
            instance_ids=access.edited(),
            who=call.who,
            space_id=space_id,
            instance_id=instance_id,
        )
    return tuple(
        AuditEntry(
            id=row.id,
            at=moment(row.at),
            who=row.who,
            action=row.action,
            space=row.space,
            instance=row.instance,
            state=row.state,
            outcome=row.outcome,
            detail=json.loads(row.detail),
        )
        for row in rows
    )
