"""What every part's tests share."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["pytest_jupyter.jupyter_server"]

# Disk and process work varies too much for a time limit per example.
settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("dev"), derandomize=True, print_blob=True)
settings.register_profile("thorough", settings.get_profile("dev"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("faults")
    group.addoption(
        "--long-faults", action="store_true", help="tests of faults in their long form (`make test-faults`)"
    )
    group.addoption("--faults-seed", type=int, help="what is random in them; printed by every long run")


def missing(what: str) -> NoReturn:
    """Skip the test for want of a system package; fail it when `CI` is set, where everything has to be there."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} (CI is set, so this is a failure)", pytrace=False)
    pytest.skip(what)


def installed_chromium() -> str | None:
    """Return the path of the first Chromium on the PATH."""
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("chromium") and installed_chromium() is None:
        missing("no Chromium: install the system package `chromium`")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of an installed Chromium, for Playwright's `executable_path`; mark its tests `chromium`."""
    found = installed_chromium()
    assert found, "mark tests that need a browser with `pytest.mark.chromium`"
    return found
