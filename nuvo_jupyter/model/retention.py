"""Which automatic snapshots are kept: the rule of a space, and what it says of an instance's snapshots. Pure.

The rule is that of ``restic forget --keep-*``: of each of the last so many hours, days, weeks, months and years in which
there is a snapshot, the newest is kept; several reasons may keep one.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Sequence

import msgspec

from nuvo_jupyter.model.errors import InvalidInput
from nuvo_jupyter.model.inspected import inspected

MANY = 100_000
_UNITS = {"y": 365 * 86400.0, "m": 30 * 86400.0, "w": 7 * 86400.0, "d": 86400.0, "h": 3600.0}
_PERIODS: tuple[tuple[str, Callable[[datetime.datetime], tuple[int, ...]]], ...] = (
    ("hourly", lambda at: (at.year, at.month, at.day, at.hour)),
    ("daily", lambda at: (at.year, at.month, at.day)),
    ("weekly", lambda at: tuple(at.isocalendar()[:2])),
    ("monthly", lambda at: (at.year, at.month)),
    ("yearly", lambda at: (at.year,)),
)


@inspected
class Keep(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which snapshots of each instance are kept. Without any of these, all are.

    Args:
        last: so many of the newest.
        hourly, daily, weekly, monthly, yearly: of so many of the last hours (days, …) with one, the newest.
        within: all that are at most this much older than the newest: ``2y6m30d12h`` (a month is 30 days, a year 365).
        manual: the rule is about snapshots taken by hand, too.
        named: it is about named ones, too.
    """

    last: int = 0
    hourly: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0
    within: str = ""
    manual: bool = False
    named: bool = False

    @property
    def is_set(self) -> bool:
        """Whether there is a rule at all."""
        return bool(self.within) or any(getattr(self, name) for name in ("last", *(n for n, _ in _PERIODS)))


class Candidate(msgspec.Struct, frozen=True):
    """A snapshot as the rule sees it.

    Args:
        id: the caller's.
        at: when it was taken, seconds since 1970 UTC.
        automatic: not taken by hand.
        named: it has a name.
        held: why it must not go, whatever the rule says; ``""`` if it may.
    """

    id: int
    at: float
    automatic: bool = True
    named: bool = False
    held: str = ""


class Verdict(msgspec.Struct, frozen=True):
    """What the rule says of a snapshot: every reason to keep it; it goes if there is none."""

    id: int
    why: tuple[str, ...]

    @property
    def kept(self) -> bool:
        """Whether it stays."""
        return bool(self.why)


def check_keep(keep: Keep) -> Keep:
    """A rule that can be applied.

    Raises:
        InvalidInput: a number out of range, or a period that cannot be understood.
    """
    for name in ("last", *(name for name, _ in _PERIODS)):
        if not 0 <= getattr(keep, name) <= MANY:
            raise InvalidInput(f"'{name}' is a number from 0 to {MANY}.")
    period(keep.within)
    return keep


def period(text: str) -> float:
    """Seconds of ``1y6m30d12h`` (weeks: ``w``); 0 of ``""``.

    Raises:
        InvalidInput: it cannot be understood.
    """
    if not re.fullmatch(r"(\d{1,6}[ymwdh])*", text):
        raise InvalidInput(
            f"{text!r} is no period.", hint="Write 30d, 12h or 1y6m: years, months, weeks, days, hours."
        )
    return sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)([ymwdh])", text))


def decide(snapshots: Sequence[Candidate], keep: Keep, zone: datetime.tzinfo = datetime.UTC) -> list[Verdict]:
    """What a rule says of one instance's snapshots, newest first.

    The newest of all is always kept, and so are named ones and those taken by hand unless the rule is about them; these
    do not count towards the numbers.

    Args:
        snapshots: in any order.
        zone: in which days begin.
    """
    ordered = sorted(snapshots, key=lambda one: (one.at, one.id), reverse=True)
    why: dict[int, list[str]] = {one.id: [] for one in ordered}
    if ordered:
        why[ordered[0].id].append("the latest")
    ruled = []
    for one in ordered:
        if one.held:
            why[one.id].append(one.held)
        if one.named and not keep.named:
            why[one.id].append("named")
        elif not one.automatic and not keep.manual:
            why[one.id].append("taken by hand")
        else:
            ruled.append(one)
    if not keep.is_set:
        for one in ruled:
            why[one.id].append("no rule is set")
    for one in ruled[: keep.last]:
        why[one.id].append("last")
    for name, of in _PERIODS:
        seen: set[tuple[int, ...]] = set()
        for one in ruled:
            if len(seen) >= getattr(keep, name):
                break
            key = of(datetime.datetime.fromtimestamp(one.at, zone))
            if key not in seen:
                seen.add(key)
                why[one.id].append(name)
    if keep.within and ruled:
        limit = ordered[0].at - period(keep.within)
        for one in ruled:
            if one.at >= limit:
                why[one.id].append(f"within {keep.within}")
    return [Verdict(one.id, tuple(why[one.id])) for one in ordered]


def in_words(keep: Keep) -> str:
    """A rule as a sentence without its full stop."""
    if not keep.is_set:
        return "keeps all snapshots"
    nouns = {"hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month", "yearly": "year"}
    parts = [f"the last {keep.last}"] if keep.last else []
    for name, noun in nouns.items():
        count = getattr(keep, name)
        if count:
            parts.append(f"one per {noun} for {count} {noun}{'s' if count > 1 else ''}")
    if keep.within:
        parts.append(f"all within {keep.within} of the latest")
    also = [
        text for wanted, text in ((keep.manual, "those taken by hand"), (keep.named, "named ones")) if wanted
    ]
    about = f"automatic snapshots{', ' if len(also) > 1 else ' and ' if also else ''}{' and '.join(also)}"
    return f"keeps, of {about}, {', '.join(parts)}"
