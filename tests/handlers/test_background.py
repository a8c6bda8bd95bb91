"""While Nuvo computes, Python's lock is left to the server's other requests soon enough."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from nuvo_jupyter.handlers.background import NEW_OBJECTS, SEARCHES, SWITCH_SECONDS


@pytest.fixture(params=[0.005, 0.00025])
def interval(request: pytest.FixtureRequest) -> Iterator[float]:
    before, threshold = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(request.param)
    gc.set_threshold(700, 10, 10)
    yield request.param
    sys.setswitchinterval(before)
    gc.set_threshold(*threshold)
    gc.unfreeze()


async def test_threads_that_compute_let_go_soon(interval: float, jp_fetch: Any) -> None:
    await jp_fetch("nuvo", "api", "status")
    # What was shorter on purpose stays.
    assert sys.getswitchinterval() == pytest.approx(min(interval, SWITCH_SECONDS), rel=0.05)
    assert gc.get_threshold() == (NEW_OBJECTS, 10, SEARCHES)
