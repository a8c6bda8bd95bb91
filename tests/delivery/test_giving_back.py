"""Memory that was freed goes back to the system when the process has grown much."""

from __future__ import annotations

import pytest

from nuvo_jupyter.delivery import giving_back
from nuvo_jupyter.delivery.giving_back import WORTH_BYTES, GivingBack


@pytest.mark.skipif(giving_back._trim() is None, reason="only the C library of GNU gives memory back")
def test_what_was_freed_goes_back_and_what_is_used_does_not() -> None:
    trim = giving_back._trim()
    assert trim is not None
    trim(0)
    giving = GivingBack()
    before = giving_back._resident()
    # More than Python takes from its own pools, less than gets a place of its own.
    taken = [bytes(4096) for _ in range(2 * WORTH_BYTES // 4096)]
    kept = taken[-1]
    assert giving_back._resident() - before > WORTH_BYTES
    del taken
    assert giving.look()
    assert giving_back._resident() - before < WORTH_BYTES
    assert not giving.look()
    assert kept == bytes(4096)


def test_where_the_system_does_not_say_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giving_back, "_resident", lambda: 0)
    assert not GivingBack().look()


def test_what_stays_in_use_is_not_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    trimmed: list[int] = []
    size = 1
    monkeypatch.setattr(giving_back, "_trim", lambda: trimmed.append)
    monkeypatch.setattr(giving_back, "_resident", lambda: size)
    giving = GivingBack()
    size = 1 + WORTH_BYTES
    assert giving.look()
    assert not giving.look()
    size = 1
    assert not giving.look()
    size = 1 + WORTH_BYTES
    assert giving.look()
    assert trimmed == [0, 0]
