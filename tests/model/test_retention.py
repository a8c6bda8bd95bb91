"""Which snapshots a rule keeps."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given, settings

from nuvo_jupyter.model.errors import InvalidInput
from nuvo_jupyter.model.retention import Candidate, Keep, check_keep, decide, period

HOUR = 3600.0
DAY = 24 * HOUR
START = datetime.datetime(2026, 1, 5, tzinfo=datetime.UTC).timestamp()

rules = st.builds(
    Keep,
    last=st.integers(0, 5),
    hourly=st.integers(0, 5),
    daily=st.integers(0, 5),
    weekly=st.integers(0, 5),
    monthly=st.integers(0, 5),
    yearly=st.integers(0, 3),
    within=st.sampled_from(("", "12h", "3d", "1m", "2y")),
    manual=st.booleans(),
    named=st.booleans(),
)
lists = st.lists(
    st.tuples(
        st.integers(0, 1000 * 24), st.booleans(), st.booleans(), st.sampled_from(("", "", "distributed"))
    ),
    max_size=40,
).map(
    lambda rows: [
        Candidate(number, START + at * HOUR, automatic, named, held)
        for number, (at, automatic, named, held) in enumerate(rows)
    ]
)


def kept(snapshots: list[Candidate], keep: Keep) -> set[int]:
    return {verdict.id for verdict in decide(snapshots, keep) if verdict.kept}


def every(hours: float, count: int) -> list[Candidate]:
    return [Candidate(number, START + number * hours * HOUR) for number in range(count)]


def test_of_each_day_the_newest_is_kept() -> None:
    verdicts = decide(every(6, 40), Keep(daily=3, last=1))
    assert [(one.id, one.why) for one in verdicts if one.kept] == [
        (39, ("the latest", "last", "daily")),
        (35, ("daily",)),
        (31, ("daily",)),
    ]


def test_weeks_and_years_are_those_of_the_calendar() -> None:
    assert kept(every(24, 30), Keep(weekly=3)) == {29, 27, 20}
    assert kept(every(24, 400), Keep(yearly=2)) == {399, 360}


def test_days_begin_where_the_space_is() -> None:
    shots = [
        Candidate(0, START + 21.5 * HOUR),
        Candidate(1, START + 22.5 * HOUR),
        Candidate(2, START + 23.5 * HOUR),
    ]
    assert len([one for one in decide(shots, Keep(daily=5)) if one.kept]) == 1
    # One hour ahead of UTC the day ends between the last two.
    assert [one.id for one in decide(shots, Keep(daily=5), ZoneInfo("Europe/Zurich")) if one.kept] == [2, 1]


def test_days_without_a_snapshot_do_not_count() -> None:
    shots = [Candidate(0, START), Candidate(1, START + 100 * DAY), Candidate(2, START + 500 * DAY)]
    assert kept(shots, Keep(daily=3)) == {0, 1, 2}


def test_within_counts_from_the_newest() -> None:
    assert kept(every(24, 10), Keep(within="3d")) == {9, 8, 7, 6}


def test_named_and_hand_made_ones_stay_unless_told() -> None:
    shots = [
        Candidate(0, START, named=True),
        Candidate(1, START + 1, automatic=False),
        Candidate(2, START + 2, held="distribution 7"),
        *(Candidate(n, START + n) for n in range(3, 9)),
    ]
    assert kept(shots, Keep(last=1)) == {0, 1, 2, 8}
    assert kept(shots, Keep(last=1, manual=True, named=True)) == {2, 8}


@settings(deadline=None)
@given(lists, rules)
def test_whatever_the_rule_the_latest_the_held_and_those_it_is_not_about_stay(
    snapshots: list[Candidate], keep: Keep
) -> None:
    verdicts = decide(snapshots, keep)
    assert sorted(one.id for one in verdicts) == sorted(one.id for one in snapshots)
    staying = {one.id for one in verdicts if one.kept}
    for one in snapshots:
        if (
            one.held
            or (one.named and not keep.named)
            or (not one.automatic and not one.named and not keep.manual)
        ):
            assert one.id in staying
    if snapshots:
        assert max(snapshots, key=lambda one: (one.at, one.id)).id in staying
    if not keep.is_set:
        assert len(staying) == len(snapshots)


@settings(deadline=None)
@given(lists, rules)
def test_applied_again_it_takes_nothing_more(snapshots: list[Candidate], keep: Keep) -> None:
    staying = kept(snapshots, keep)
    left = [one for one in snapshots if one.id in staying]
    assert kept(left, keep) == staying


@settings(deadline=None)
@given(lists, rules, st.sampled_from(("last", "hourly", "daily", "weekly", "monthly", "yearly")))
def test_a_larger_number_never_keeps_less(snapshots: list[Candidate], keep: Keep, name: str) -> None:
    more = msgspec.structs.replace(keep, **{name: getattr(keep, name) + 1})
    if keep.is_set:
        assert kept(snapshots, keep) <= kept(snapshots, more)


@settings(deadline=None)
@given(lists, rules, st.randoms())
def test_the_order_given_does_not_matter(snapshots: list[Candidate], keep: Keep, chance: object) -> None:
    mixed = list(snapshots)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert decide(mixed, keep) == decide(snapshots, keep)


def test_periods() -> None:
    assert period("1y1m1w1d1h") == (365 + 30 + 7 + 1) * DAY + HOUR
    assert period("") == 0
    for wrong in ("3", "d", "3x", "-1d", "1d 2h"):
        with pytest.raises(InvalidInput):
            period(wrong)
    with pytest.raises(InvalidInput):
        check_keep(Keep(last=-1))
    assert check_keep(Keep(within="30d")).is_set
