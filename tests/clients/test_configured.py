"""Processes without a server read the server's configuration; every setting is in the manual."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from traitlets import TraitError

from nuvo_jupyter.clients import client
from nuvo_jupyter.clients.configured import configured
from nuvo_jupyter.engine.settings import Nuvo
from nuvo_jupyter.model.errors import InvalidInput

MANUAL = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
TRAITS = sorted(Nuvo.class_own_traits(config=True))


@pytest.fixture(autouse=True)
def config_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in TRAITS:
        monkeypatch.delenv(f"NUVO_{name.upper()}", raising=False)
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    return tmp_path


def test_a_python_file(config_folder: Path) -> None:
    (config_folder / "jupyter_server_config.py").write_text("c.Nuvo.home = '/there'\nc.ServerApp.port = 1\n")
    assert configured().home == "/there"
    assert configured().catalog_url == "sqlite:////there/catalog.sqlite"


def test_a_json_file_and_the_environment(config_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (config_folder / "jupyter_server_config.json").write_text(json.dumps({"Nuvo": {"workers": 5}}))
    monkeypatch.setenv("NUVO_WORKERS", "7")
    monkeypatch.setenv("NUVO_ORGANIZATION", "school")
    assert (configured().workers, configured().organization) == (5, "school")


def test_files_about_something_else_are_not_run(config_folder: Path) -> None:
    (config_folder / "jupyter_server_config.py").write_text("raise SystemError('run')")
    assert configured().workers == 3


@pytest.mark.parametrize("text", ["c.Nuvo.home = ", "c.Nuvo.home = 1 / 0"])
def test_a_file_that_cannot_be_read(config_folder: Path, text: str) -> None:
    (config_folder / "jupyter_server_config.py").write_text(text)
    with pytest.raises(InvalidInput, match=r"jupyter_server_config\.py"):
        configured()


@pytest.mark.parametrize("name", TRAITS)
def test_every_trait_is_in_the_manual_with_its_variable(name: str) -> None:
    assert re.search(rf"^\| `c\.Nuvo\.{name}` \| `NUVO_{name.upper()}` \|", MANUAL, re.MULTILINE)


def test_the_manual_names_no_other_settings() -> None:
    assert sorted(re.findall(r"^\| `c\.Nuvo\.(\w+)`", MANUAL, re.MULTILINE)) == TRAITS


@pytest.mark.parametrize("name", TRAITS)
def test_every_trait_takes_its_value_from_its_variable(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "smtp_security": "tls",
        "lease_seconds": "12.0",
        "collect_every": "12.0",
        "collect_grace": "12.0",
    }
    before = getattr(Nuvo(), name)
    text = values.get(name, "9" if isinstance(before, int) else "/changed")
    monkeypatch.setenv(f"NUVO_{name.upper()}", text)
    assert getattr(Nuvo(), name) == type(before)(text)


@pytest.mark.parametrize(
    ("variable", "value"),
    [("NUVO_SMTP_PORT", "abc"), ("NUVO_WORKERS", "999"), ("NUVO_SMTP_SECURITY", "ssl")],
)
def test_a_variable_that_cannot_be_is_named(
    config_folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(TraitError, match=variable.removeprefix("NUVO_").lower() + "|" + variable):
        getattr(configured(), variable.removeprefix("NUVO_").lower())


def test_an_unusable_variable_is_an_error_with_a_hint(
    config_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUVO_HOME", str(config_folder / "home"))
    monkeypatch.setenv("NUVO_SMTP_PORT", "abc")
    with pytest.raises(InvalidInput, match="NUVO_SMTP_PORT is a number, not 'abc'") as caught:
        client("local")
    assert caught.value.hint


def test_a_home_is_the_same_in_every_folder(config_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(config_folder)
    monkeypatch.setenv("NUVO_HOME", "here")
    assert configured().home == str(config_folder / "here")
