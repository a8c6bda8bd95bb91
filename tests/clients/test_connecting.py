"""A kernel's client finds the server that started the kernel, else the embedded engine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import nuvo_jupyter
from nuvo_jupyter.model.errors import InvalidInput, ServiceUnavailable

ASK = "import nuvo_jupyter; c = nuvo_jupyter.client(); print(c.where); print(c.status().home)"


def ask(environment: dict[str, str]) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.splitlines()


def test_the_server_named_in_the_kernels_environment(server: dict[str, Any]) -> None:
    where, home = ask(server["environment"] | {"JPY_PARENT_PID": str(server["pid"])})
    assert server["url"] in where
    assert home == server["environment"]["NUVO_HOME"]


def test_no_server_of_that_number(server: dict[str, Any]) -> None:
    where, home = ask(server["environment"] | {"JPY_PARENT_PID": str(os.getpid())})
    assert "embedded" in where
    assert home == server["environment"]["NUVO_HOME"]


def test_a_server_that_is_gone(server: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "jpserver-1234567.json").write_text('{"url": "http://localhost:1/", "token": "x"}')
    environment = server["environment"] | {"JPY_PARENT_PID": "1234567", "JUPYTER_RUNTIME_DIR": str(tmp_path)}
    assert "embedded" in ask(environment)[0]


def test_an_address(server: dict[str, Any]) -> None:
    with nuvo_jupyter.client(f"{server['url']}lab?token={server['token']}") as client:
        assert client.status().home == server["environment"]["NUVO_HOME"]


def test_a_wrong_token_is_an_error(server: dict[str, Any]) -> None:
    with (
        nuvo_jupyter.client(f"{server['url']}?token=wrong") as client,
        pytest.raises(Exception, match=r"Forbidden|403|token"),
    ):
        client.status()


def test_nothing_listens_there() -> None:
    with (
        nuvo_jupyter.client("http://localhost:1/") as client,
        pytest.raises(ServiceUnavailable, match="does not answer"),
    ):
        client.status()


@pytest.mark.parametrize("text", ["", "elsewhere", "ftp://x/", "http://"])
def test_no_address(text: str) -> None:
    with pytest.raises(InvalidInput):
        nuvo_jupyter.client(text)
