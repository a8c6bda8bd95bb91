"""A real IPython shell in a folder of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "course"
    (made / "week 1").mkdir(parents=True)
    (made / "a.txt").write_text("one")
    (made / "week 1" / "b c.txt").write_text("two")
    monkeypatch.chdir(made)
    monkeypatch.setenv("NUVO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NUVO_WORKSPACE_TEMPLATE", str(tmp_path / "spaces" / "{space}" / "{instance}"))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    return made


@pytest.fixture
def shell(folder: Path) -> Iterator[InteractiveShell]:
    """The shell with the extension loaded; its history stays in memory."""
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.hist_file = ":memory:"
    made = InteractiveShell.instance(config=config)
    made.run_cell("%load_ext nuvo_jupyter")
    yield made
    made.magics_manager.registry["NuvoMagics"].connection.close()
    if made.history_manager is not None:
        made.history_manager.end_session()
    InteractiveShell.clear_instance()
