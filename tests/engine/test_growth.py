"""What can be asked for after something was collected, and who is told what."""

from __future__ import annotations

from pathlib import Path

import pytest

from nuvo_jupyter.model.errors import InvalidInput, NotFound, NotNow, Refused

from .campus import PROFESSOR, Campus


@pytest.fixture
def course(tmp_path: Path) -> Campus:
    campus = Campus(tmp_path)
    campus.space("intro")
    campus.run("roster_add", PROFESSOR, space="intro", people="anna")
    campus.write("intro/master", {"a.txt": "one\n" * 5000})
    return campus


def test_what_was_collected_cannot_be_brought_back_or_recalled_by_its_distribution(course: Campus) -> None:
    state = course.snapshot("intro/master")
    task = course.run("distribute", PROFESSOR, source=state, whole=True, to=["intro/anna"])
    course.write("intro/master", {"a.txt": "two\n"})
    course.snapshot("intro/master")
    course.call("snapshot_delete", PROFESSOR, state=state)
    # Anna still has it as it was distributed: only what is of the snapshot itself goes.
    course.run("collect", now=True)
    with pytest.raises(NotFound, match="more than 24 hours ago"):
        course.call("snapshot_recover", PROFESSOR, state=state)
    recalled = course.finish(
        course.call("recall", PROFESSOR, space="intro", distribution=task.distribution, scope="students")
    )
    assert recalled.state == "failed"
    report = course.call("verify_show", id=course.run("verify").id)
    assert not report.damage
    assert not report.affected


def test_an_instance_that_was_collected_cannot_be_brought_back(course: Campus) -> None:
    course.snapshot("intro/anna", "anna")
    course.call("instance_delete", PROFESSOR, instance="intro/anna")
    course.run("collect")
    course.call("instance_recover", PROFESSOR, instance="intro/anna")
    course.call("instance_delete", PROFESSOR, instance="intro/anna")
    course.run("collect", now=True)
    with pytest.raises(NotFound):
        course.call("instance_recover", PROFESSOR, instance="intro/anna")


def test_what_work_still_read_of_a_collected_instance_is_collected_after_it(course: Campus) -> None:
    course.write("intro/anna", {"own.txt": "hers\n" * 5000})
    state = course.snapshot("intro/anna", "anna")
    restore = course.call("restore", source=state, instance="intro/master", strategy="extra")
    course.call("instance_delete", PROFESSOR, instance="intro/anna")
    assert _collected(course) == 0
    # It was needed, and was there.
    assert course.finish(restore).state == "done"
    assert course.files("intro/master")["own.txt"] == "hers\n" * 5000
    assert _collected(course) == 1


def _collected(course: Campus) -> int:
    """Collect all that can be; how many snapshots were let go of."""
    task = course.run("collect", now=True)
    return int(course.call("collect_show", id=task.id).snapshots)


def test_usage_is_for_admins_of_what_it_is_about(course: Campus) -> None:
    mine = course.snapshot("intro/anna", "anna")
    course.call("role_grant", username="fritz", role="faculty")
    course.call("space_create", "fritz", name="other")
    for user, fields in (
        (PROFESSOR, {}),
        (PROFESSOR, {"states": ["other/master@1"]}),
        (PROFESSOR, {"instance": "other/master", "folder": ""}),
        ("anna", {"instance": "intro/anna"}),
        ("anna", {"states": [mine]}),
    ):
        with pytest.raises((Refused, NotFound)):
            course.call("usage", user, **fields)
    task = course.run("usage", PROFESSOR, states=[mine])
    assert course.call("usage_show", PROFESSOR, id=task.id).frees.states == (mine,)
    with pytest.raises(NotFound):
        course.call("usage_show", "fritz", id=task.id)
    with pytest.raises(NotFound, match="no measurement"):
        course.call("usage_show", id=course.run("verify").id)
    with pytest.raises(InvalidInput, match="current state"):
        course.call("usage", PROFESSOR, states=["intro/anna"])
    with pytest.raises(InvalidInput, match="another space"):
        course.call("usage", space="other", instance="intro/anna")


def test_distributed_is_kept_by_distributions_not_by_the_clock(course: Campus) -> None:
    with pytest.raises(NotNow):
        course.call("schedule_set", PROFESSOR, instance="intro/distributed", minutes=10)
    assert course.call("schedule_set", "anna", instance="intro/anna", minutes=10).minutes == 10
    assert course.call("schedule_show", "anna", instance="intro/anna").default is False
    assert course.call("schedule_set", "anna", instance="intro/anna", minutes=None).default is True
