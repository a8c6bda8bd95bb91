"""A process killed at any point leaves garbage at most: never something referred to that is not there."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from nuvo_jupyter.store.store import Store
from nuvo_jupyter.store.verify import verify

CHILD = Path(__file__).with_name("killed_writer.py")


def run(store: Store, die_at: int, kill_after: int | None) -> list[bytes]:
    """Let a process write until it dies; returns the ids it said were committed."""
    command = [sys.executable, str(CHILD), store.catalog.url, store.backend.url, str(die_at)]
    committed: list[bytes] = []
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdout is not None
        for count, line in enumerate(child.stdout):
            committed.extend(map(bytes.fromhex, line.split()))
            if count == kill_after:
                child.kill()
        status = child.wait()
    assert status == -9
    return committed


@pytest.fixture
def prepared(store: Store, snapshot: Callable[[Store, str, int, dict[str, bytes]], bytes]) -> Store:
    snapshot(store, "anna", 1, {"a": b"a"})
    return store


def check(store: Store, committed: list[bytes]) -> None:
    report = verify(store)
    assert report.ok, report
    assert len(list(store.read_many(committed))) == len(set(committed))


def test_killed_at_each_call_that_makes_a_pack_durable(prepared: Store) -> None:
    committed: list[bytes] = []
    garbage = 0
    for die_at in range(1, 13):
        committed += run(prepared, die_at, None)
        check(prepared, committed)
        garbage = verify(prepared).unreferenced
    assert committed
    # Some died between the pack and its rows, or the test would show nothing.
    assert garbage


def test_killed_from_outside_at_any_moment(prepared: Store) -> None:
    chance = random.Random(20261120)
    committed: list[bytes] = []
    for _ in range(8):
        committed += run(prepared, 0, chance.randrange(12))
        check(prepared, committed)
    assert committed
