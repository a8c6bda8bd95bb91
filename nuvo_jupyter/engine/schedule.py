"""How often an instance's state is kept by the clock."""

from __future__ import annotations

from nuvo_jupyter.catalog import schedule
from nuvo_jupyter.engine.call import Call
from nuvo_jupyter.model.errors import NotNow
from nuvo_jupyter.model.growth import Schedule
from nuvo_jupyter.model.requests import OfInstance, ScheduleSet
from nuvo_jupyter.model.spaces import InstanceKind


def schedule_show(call: Call, _request: OfInstance) -> Schedule:
    """An instance's setting, or the server's where it has none."""
    return _present(call)


def schedule_set(call: Call, request: ScheduleSet) -> Schedule:
    """Say how often a snapshot is taken if something has changed.

    Raises:
        NotNow: it is the Distributed instance, which changes by distributions alone.
    """
    assert call.instance is not None
    if call.instance.kind == InstanceKind.DISTRIBUTED and request.minutes:
        raise NotNow(
            f"{call.instance.space}/{call.instance.name} changes by distributions alone, which keep it.",
            hint="Choose another instance.",
        )
    with call.write() as connection:
        schedule.set_minutes(connection, call.instance.id, request.minutes)
    return _present(call)


def _present(call: Call) -> Schedule:
    assert call.instance is not None
    row = call.instance
    with call.read() as connection:
        minutes = schedule.minutes_of(connection, row.id)
    reference = f"{row.space}/{row.name}"
    if minutes is not None:
        return Schedule(reference, minutes)
    default = 0 if row.kind == InstanceKind.DISTRIBUTED else call.engine.context.snapshot_every
    return Schedule(reference, default, default=True)
