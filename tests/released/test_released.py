"""What an earlier release wrote opens, is sound, and restores bit for bit."""

from __future__ import annotations

from pathlib import Path

import pytest

from nuvo_jupyter.catalog import migrate
from tests.contract.disk import lay_out, tree
from tests.engine.campus import Campus

from . import VERSIONS, expected, make_older, restored, unpack


def test_there_are_some() -> None:
    assert "0.1.0" in VERSIONS


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_released_home(version: str, older: bool, tmp_path: Path) -> None:
    home = unpack(version, tmp_path)
    if older:
        make_older(home)
    campus = Campus(tmp_path)
    try:
        with campus.catalog.read() as connection:
            assert (
                connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == migrate.HEAD
            )
        report = campus.call("verify_show", id=campus.run("verify").id)
        assert report.ok
        assert report.snapshots >= 5
        assert restored(campus) == expected(version)
        # And it goes on.
        lay_out(campus.workspace("intro/master"), tree({"a.txt": "third\n"}))
        campus.run("distribute", source="intro/master", whole=True, to=["intro/ben"])
        assert campus.files("intro/ben")["a.txt"] == "third\n"
        campus.run("collect", now=True)
        assert campus.call("verify_show", id=campus.run("verify").id).ok
    finally:
        campus.close()
