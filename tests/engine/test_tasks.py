"""Asking for a task as what it is not, notifications, and two engines on one home."""

from __future__ import annotations

import pytest

from nuvo_jupyter.engine.engine import Engine, operation_named
from nuvo_jupyter.engine.settings import Nuvo
from nuvo_jupyter.model.errors import NotFound, NotNow
from nuvo_jupyter.model.requests import Nothing, SpaceList

from .campus import PROFESSOR, Campus


def test_a_task_is_shown_only_as_what_it_is(known: Campus) -> None:
    task = known.call("snapshot_create", "anna", instance="intro/anna")
    for name in ("preview_show", "delivery_show", "distribution_show", "verify_show"):
        with pytest.raises(NotFound, match=f" {task.id} |distribution {task.id}"):
            known.call(name, id=task.id)
    verification = known.call("verify")
    with pytest.raises(NotNow, match="is queued"):
        known.call("verify_show", id=verification.id)
    preview = known.call("distribute_preview", PROFESSOR, source="intro/master", whole=True, to=["anna"])
    assert known.call("preview_show", PROFESSOR, id=preview.id).targets == ()


def test_a_verification_tells_that_all_is_well(course: Campus) -> None:
    course.snapshot("intro/master")
    report = course.call("verify_show", id=course.run("verify").id)
    assert report.ok
    assert report.snapshots == 1


def test_notifications_are_ones_own(course: Campus) -> None:
    course.run(
        "distribute", PROFESSOR, source="intro/master", whole=True, to=["anna"], notify=True, message="Week 1"
    )
    (told,) = course.call("notification_list", "anna")
    assert "Week 1" in told.body
    assert course.call("status", "anna").unread == 1
    course.call("notification_read", "ben", ids=[told.id])
    assert course.call("status", "anna").unread == 1
    course.call("notification_read", "anna", ids=[told.id])
    assert course.call("notification_list", "anna", unread=True) == ()
    assert course.call("notification_list", "anna")[0].read_at is not None
    assert course.call("status", "anna").unread == 0


def test_two_engines_share_a_home(course: Campus) -> None:
    other = Engine.open(Nuvo(home=str(course.home)))
    try:
        assert [space.name for space in other.call("space_list", SpaceList())] == ["intro"]
        assert other.call("status", Nothing(), "anna").username == "anna"
    finally:
        other.close()


def test_there_is_no_operation_by_another_name() -> None:
    assert operation_named("status").name == "status"
    with pytest.raises(NotFound):
        operation_named("__import__")
