"""One call of an operation: who calls, on what, and the audit entry of what they change."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import audit
from nuvo_jupyter.catalog.spaces import get_instance, get_space
from nuvo_jupyter.engine.authorise import Access
from nuvo_jupyter.engine.operations import Operation

if TYPE_CHECKING:
    from nuvo_jupyter.engine.engine import Engine

_DETAIL_CHARACTERS = 2000


@dataclass
class Call:
    """What an operation's function works with.

    Args:
        space, instance: rows of the subject that the operation's declaration names, already authorised;
            ``None`` where it names none.
    """

    engine: Engine
    operation: Operation
    request: msgspec.Struct
    who: str
    organization_id: int
    space: Row[Any] | None = None
    instance: Row[Any] | None = None
    state: str = ""
    audited: bool = False
    detail: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one consistent state."""
        with self.engine.catalog.read() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that also holds the call's audit entry, so that no change goes unrecorded."""
        with self.engine.catalog.write() as connection:
            yield connection
            if not self.audited:
                self.record(connection, "ok")

    def access(self, connection: Connection) -> Access:
        """The caller's roles."""
        return Access(connection, self.who, self.organization_id)

    def concerns(self, row: Row[Any], state: str = "") -> None:
        """Note which instance, and which state of it, the audit entry is about."""
        self.instance = row
        self.state = state or f"{row.space}/{row.name}"

    def concerns_task(self, connection: Connection, row: Row[Any]) -> None:
        """Note that the audit entry is about a task's instance or space (a row of the task)."""
        if row.instance_id is not None:
            self.concerns(get_instance(connection, row.instance_id))
        elif row.space_id is not None:
            self.space = get_space(connection, row.space_id)

    def record(self, connection: Connection, outcome: str, **detail: Any) -> None:
        """Write the call's audit entry; once."""
        self.audited = True
        space_id = self.space.id if self.space is not None else None
        if space_id is None and self.instance is not None:
            space_id = self.instance.space_id
        asked = msgspec.to_builtins(self.request)
        words = {
            key: _short(value)
            for key, value in asked.items()
            if value not in (None, "", [], ()) and key != "wait"
        }
        audit.append(
            connection,
            who=self.who,
            action=self.operation.name,
            outcome=outcome,
            space_id=space_id,
            instance_id=self.instance.id if self.instance is not None else None,
            state=self.state,
            detail=words | self.detail | detail,
        )

    def queued(self) -> None:
        """Wake the executors of this process: something was queued."""
        self.engine.context.wake.set()


def _short(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _DETAIL_CHARACTERS:
        return value[:_DETAIL_CHARACTERS] + "…"
    if isinstance(value, list | tuple) and len(value) > 200:
        return [*value[:200], f"… {len(value) - 200} more"]
    return value


def deadline(seconds: float) -> float:
    """The monotonic time ``seconds`` from now."""
    return time.monotonic() + seconds


def remaining(until: float) -> float:
    """Seconds left until a :func:`deadline`; negative once it has passed."""
    return until - time.monotonic()
