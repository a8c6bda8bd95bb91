"""Deliveries of one process take turns where they keep Python busy, but none waits for long."""

from __future__ import annotations

import threading

import pytest

from nuvo_jupyter.delivery import turns
from nuvo_jupyter.delivery.turns import turn


def test_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 60)
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        for _ in range(2_000):
            with turn():
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1


def test_whoever_holds_it_too_long_is_not_waited_for() -> None:
    went_on = threading.Event()

    def other() -> None:
        with turn():
            went_on.set()

    with turn():
        thread = threading.Thread(target=other)
        thread.start()
        assert went_on.wait(60)
    thread.join()
    # Who went on without it has not let go of what it never had.
    assert turns._turn.acquire(timeout=60)
    turns._turn.release()
