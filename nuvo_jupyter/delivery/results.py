"""What came of a task, as stored in its row: counts at hand, everything else compressed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
import zstandard

from nuvo_jupyter.model.changes import ObjectOutcome, Outcome, count
from nuvo_jupyter.model.inspected import inspected
from nuvo_jupyter.model.tasks import Problem, TargetPreview

T = TypeVar("T")


@inspected
class TaskResult(msgspec.Struct, frozen=True, array_like=True):
    """The result of a task.

    Args:
        counts: objects by outcome for a delivery, targets by state for a distribution.
        snapshot_id: the snapshot it took, if that is what it did.
        details: zstd-compressed msgpack: a delivery's outcomes, a preview's targets, a verification's report.
        notes: sentences about what was done.
    """

    counts: dict[str, int] = {}
    snapshot_id: int | None = None
    details: bytes = b""
    notes: tuple[str, ...] = ()


def pack_result(
    counts: dict[str, int],
    *,
    snapshot_id: int | None = None,
    details: Any = None,
    notes: tuple[str, ...] = (),
) -> bytes:
    """Encode a task's result."""
    packed = b"" if details is None else zstandard.compress(msgspec.msgpack.encode(details))
    return msgspec.msgpack.encode(TaskResult(counts, snapshot_id, packed, notes))


def problem_of(outcomes: Sequence[ObjectOutcome]) -> Problem | None:
    """What is wrong with a delivery of which some objects failed; ``None`` where none did."""
    failed = [outcome for outcome in outcomes if outcome.outcome is Outcome.FAILED]
    if not failed:
        return None
    return Problem(
        "some_objects_failed",
        f"{len(failed)} of {len(outcomes)} objects could not be delivered. "
        f"The first is {failed[0].path!r}: {failed[0].detail}",
        "The others were delivered. Put it right, then retry.",
    )


def pack_outcomes(outcomes: list[ObjectOutcome]) -> bytes:
    """Encode a delivery's result."""
    return pack_result(count(outcomes), details=outcomes)


def read_result(result: bytes | None) -> TaskResult:
    """Decode a task's result; an empty one where there is none yet."""
    return TaskResult() if result is None else msgspec.msgpack.decode(result, type=TaskResult)


def read_details(result: bytes | None, type_: type[T]) -> T | None:
    """Decode the details of a task's result; ``None`` where there are none."""
    packed = read_result(result).details
    return msgspec.msgpack.decode(zstandard.decompress(packed), type=type_) if packed else None


def read_outcomes(result: bytes | None) -> tuple[ObjectOutcome, ...]:
    """A delivery's outcomes, object by object."""
    return read_details(result, tuple[ObjectOutcome, ...]) or ()


def pack_target(found: TargetPreview) -> bytes:
    """Encode what a preview found for one target."""
    return zstandard.compress(msgspec.msgpack.encode(found))


def read_target(packed: bytes) -> TargetPreview:
    """Decode what a preview found for one target."""
    return msgspec.msgpack.decode(zstandard.decompress(packed), type=TargetPreview)
